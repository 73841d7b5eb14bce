"""GrooVAE as a transform: drums played with feel."""

from __future__ import annotations

import numpy as np

from engine.errors import PerpetuumError
from engine.generators.contract import Request, Role
from engine.generators.expression import (
    DRUM_LEVELS,
    clip_velocities,
    drum_classes,
    soft_velocities,
    with_velocities,
)
from engine.generators.neural.continuation import vae_of
from engine.generators.neural.curating.judging import judged_drums
from engine.generators.neural.settings import GrooveSettings
from engine.networks.studio.grooving import drumify_piece, feel_of
from engine.score.phrase import Phrase, in_order
from engine.score.piece import Piece, Track
from engine.score.time import STEPS_PER_BEAT
from engine.score.voices import from_0

_PADS = np.array([61, 72, 69, 83, 92, 93, 84, 82, 74], float)
"""Mean velocity of each drum class in the training split of the Groove MIDI Dataset. Its drummers sat at an electronic
kit, whose pads answer each in its own way: what is a plain kick there would be a whisper in a scene."""
_LATEST = 0.5 / STEPS_PER_BEAT
"""Beats by which a network may play a stroke late: half a step."""
_LAST = 1 / 64
"""Beats before the end of a phrase at which its last stroke begins at the latest."""


class Groove:
    """The transform `groove`, built once for its weights; parts that are no drums go through as they are."""

    def __init__(self, settings: GrooveSettings) -> None:
        self.network = vae_of("groovae", settings.config, settings.weights)

    def __call__(self, phrase: Phrase, settings: GrooveSettings, request: Request, rng: np.random.Generator) -> Phrase:
        """The phrase with feel, or a groove to its rhythm, as loud on the whole as it was written; a rest stays a rest.

        Raises:
            PerpetuumError: the network made silence or noise of what is neither.
        """
        if request.role is not Role.DRUMS or not len(phrase.notes):
            return phrase
        written = _on_pads(phrase.notes)
        piece = Piece((Track(written, is_drum=True),), request.qpm, request.meter)
        if settings.style == "tap":
            made = drumify_piece(self.network, piece, rng, temperature=settings.temperature).piece.tracks[-1].notes
            made = _from_pads(phrase.notes, made)
        else:
            feel = feel_of(self.network, written, piece, rng, settings.temperature)
            kept = int(feel.kept.sum())
            made = _from_pads(phrase.notes, np.concatenate([feel.strokes[feel.kept], feel.added]))
            blended = _blended(phrase.notes[feel.kept], made[:kept], settings.amount)
            made = in_order(np.concatenate([blended, made[kept:]]))
        made = _within(made, phrase.length)
        problem, _ = judged_drums(made, request)
        if problem and not judged_drums(phrase.notes, request)[0]:
            raise PerpetuumError(f"part {request.part!r}: the network of the transform groove made {problem}")
        return phrase.with_notes(made)


def _blended(written: np.ndarray, played: np.ndarray, amount: float) -> np.ndarray:
    """Strokes between as they are written and as they are played, or beyond that, by half a step at most.

    Args:
        written, played: arrays [n] of `NOTE`, the same strokes in the same order.
        amount: 0 for as written, 1 for as played.
    """
    if amount == 1:
        return played
    blended = played.copy()
    later = np.clip(amount * (played["start"] - written["start"]), -_LATEST, _LATEST)
    ends = written["end"] + amount * (played["end"] - written["end"])
    blended["end"] = np.maximum(ends, written["start"] + later + _LAST)
    blended["start"] = written["start"] + later
    mixed = written["velocity"] + amount * (played["velocity"].astype(float) - written["velocity"])
    # Between the two nothing can be too loud; beyond what is played it can.
    blended["velocity"] = soft_velocities(mixed) if amount > 1 else clip_velocities(mixed)
    return blended


def _on_pads(notes: np.ndarray) -> np.ndarray:
    """Strokes as loud as they would be at the kit that the networks know."""
    return with_velocities(notes, clip_velocities(notes["velocity"] * (_PADS / DRUM_LEVELS)[drum_classes(notes)]))


def _from_pads(written: np.ndarray, played: np.ndarray) -> np.ndarray:
    """Strokes as loud as a scene's drums are, and on average as those that are written.

    A network's touch is in the differences between strokes. How loud a part is was set in its scene, by ear, and should
    not change where rules stand in for the network.
    """
    if not len(played):
        return played
    velocities = played["velocity"] * (DRUM_LEVELS / _PADS)[drum_classes(played)]
    return with_velocities(played, soft_velocities(velocities * (written["velocity"].mean() / velocities.mean())))


def _within(notes: np.ndarray, length: float) -> np.ndarray:
    """The strokes of a phrase: an early first one begins with it, and a late last one just before it ends."""
    notes = from_0(notes)
    notes = notes[notes["start"] < length + _LATEST + 1e-9].copy()
    over = np.maximum(notes["start"] - (length - _LAST), 0.0)
    notes["start"] -= over
    notes["end"] -= over
    return notes
