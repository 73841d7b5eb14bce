"""A canon: what another part has played, some beats later, on another step of the key, or upside down."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from engine.generators import harmony
from engine.generators.contract import (
    HISTORY_BARS,
    GeneratorKind,
    Link,
    Request,
    Role,
    Settings,
    Surroundings,
    UnfitError,
)
from engine.generators.pulse import accent_at
from engine.ideas.varying import by_steps, mirrored, settled
from engine.score.harmony.keys import Key
from engine.score.phrase import Origin, Phrase, Provenance
from engine.units import Beats

_AT = {
    "unison": (0, 0),
    "second up": (1, 2),
    "second down": (-1, -2),
    "third up": (2, 4),
    "third down": (-2, -3),
    "fourth up": (3, 5),
    "fourth down": (-3, -5),
    "fifth up": (4, 7),
    "fifth down": (-4, -7),
    "sixth up": (5, 9),
    "sixth down": (-5, -8),
    "octave up": (7, 12),
    "octave down": (-7, -12),
}
"""Intervals by name: steps of a scale of seven, and semitones, of which other scales take the nearest step."""

Interval = Literal[
    "unison",
    "second up",
    "second down",
    "third up",
    "third down",
    "fourth up",
    "fourth down",
    "fifth up",
    "fifth down",
    "sixth up",
    "sixth down",
    "octave up",
    "octave down",
]


class CanonSettings(Settings):
    """What the part `leader` has played, later: a canon, or with a `rhythm` an answer in that part's rests."""

    after: Beats = Field(default=8.0, ge=0.25, description="how much later it comes in; 8 bars at most")
    at: Interval = Field(default="octave down", description="interval at which it sings, in steps of the key")
    motion: Literal["similar", "contrary"] = Field(
        default="similar", description="similar: the same way as the leader; contrary: upside down, around the tonic"
    )


class Canon:
    """Any role; `Link.LEADER` is what it follows, as it was `after` beats ago.

    Under `Link.CHORDS` held notes that clash give way; of `Link.RHYTHM` it leaves out what begins while that sounds.
    """

    def __init__(self, settings: CanonSettings) -> None:
        self.settings = settings

    def generate(self, request: Request[CanonSettings]) -> Phrase:
        """The leader's notes of `after` beats ago; a rest while it has played none."""
        settings = request.settings
        leader = request.sources.get(Link.LEADER)
        notes = (leader if leader is not None else Phrase.empty(request.beats, _made(request))).notes.copy()
        if request.role is not Role.DRUMS:
            notes["pitch"] = _sung(notes["pitch"], settings, request.key)
            if Link.CHORDS in request.sources:
                spans = harmony.chords_under(request)
                notes, _ = settled(notes, spans, accent_at(request.meter, notes["start"]), request.key)
        other = request.sources.get(Link.RHYTHM)
        if other is not None:
            notes = notes[~_under(notes["start"], other.notes)]
        return Phrase.of(notes, request.beats, _made(request))


def _made(request: Request) -> Provenance:
    return Provenance("canon", Origin.RULES, request.seed)


def _sung(pitches: np.ndarray, settings: CanonSettings, key: Key) -> np.ndarray:
    if settings.motion == "contrary":
        pitches = mirrored(pitches, key)
    steps, semitones = _AT[settings.at]
    if len(key.scale) == 7:
        return by_steps(pitches, steps, key)
    moved = np.clip(pitches.astype(int) + semitones, 0, 127)
    stays = [int(pitch) not in key for pitch in pitches]
    return np.array(
        [pitch if free else key.nearest(int(pitch)) for pitch, free in zip(moved.tolist(), stays, strict=True)], int
    )


def _under(starts: np.ndarray, notes: np.ndarray) -> np.ndarray:
    """Which of some beats lie within any of some notes: array [n] of bool."""
    inside = (starts[:, None] >= notes["start"] - 1e-9) & (starts[:, None] < notes["end"] - 1e-9)
    return np.logical_or.reduce(inside, axis=1)


def _examined(settings: CanonSettings, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """Whether what it repeats is still known, and whether drums are told to sing.

    Raises:
        UnfitError: it is too far behind.
    """
    bar = surroundings.meter.beats_per_bar
    if settings.after > HISTORY_BARS * bar:
        raise UnfitError(
            "after", f"a canon follows within {HISTORY_BARS} bars", f"at most `{HISTORY_BARS * bar:g} beats`"
        )
    told = {"at", "motion"} & settings.model_fields_set
    if surroundings.role is Role.DRUMS and told:
        return settings, [f"`{min(told)}` means nothing to drums"]
    return settings, []


CANON = GeneratorKind(
    name="canon",
    summary="what another part has played, some beats later: a canon, or an answer in its rests",
    settings=CanonSettings,
    roles=(Role.MELODY, Role.BASS, Role.CHORDS, Role.DRUMS),
    factory=Canon,
    takes=frozenset({Link.LEADER, Link.CHORDS, Link.RHYTHM}),
    needs=frozenset({Link.LEADER}),
    examine=_examined,
)
