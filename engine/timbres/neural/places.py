# pyright: strict
"""Places of the latent space: drawn by a seed, heard in a recording, kept in a file, or between such."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from engine.errors import PerpetuumError
from engine.files import read_bytes, reason
from engine.networks.sphere import slerp
from engine.output_file import write_text
from engine.sound.instruments.samples import resampled
from engine.timbres.neural.analysis import Analysis, analyse
from engine.timbres.neural.layout import HIGHEST, LOWEST, RATE, Array, Doubles
from engine.timbres.neural.network import LATENT, PLACE, TimbreNetwork
from engine.timbres.neural.tone import LOUDEST
from engine.timbres.neural.ways import leg_at
from engine.timbres.samples.pitch import track_pitch
from engine.timbres.samples.recordings import Root, read_recording
from engine.timbres.samples.trimming import trimmed

ENDING = ".timbre.json"
"""Of a file that keeps a place."""

_LARGEST = 1 << 16
_FARTHEST = 12.0
"""Length of a place's vector in the latent space at most: the prior is hardly ever longer than 7."""

_LARGEST_NUMBER = 1e6
"""Of a place in a file: whoever wrote a larger one wrote no place."""

_OFF = 30.0
"""Cents; a recording that is farther off its pitch is brought into tune."""

_VERSION = 2
"""The first one had no tone."""


@dataclass(frozen=True, slots=True)
class HeardNote:
    """A recording as the network hears it.

    Attributes:
        place: [PLACE].
        pitch: MIDI pitch of its note.
        analysis: the note taken apart.
        sound: [frames] at 48 kHz, from the note's beginning on.
    """

    place: Doubles
    pitch: int
    analysis: Analysis
    sound: Array


def drawn_place(seed: int) -> Doubles:
    """[PLACE]: the place that a seed draws from the prior, with no tone of its own."""
    return np.pad(np.random.default_rng(seed).standard_normal(LATENT), (0, PLACE - LATENT))


def between(places: Sequence[Doubles], position: float) -> Doubles:
    """A place on the way through several.

    Two are gone between on a circle, for the prior has little in its middle; their tones are mixed.

    Args:
        places: the points of the way.
        position: 0 at the first, 1 at the last; the points are evenly far from each other.

    Raises:
        PerpetuumError: there are none.
    """
    if not places:
        raise PerpetuumError("there is no place to go to", "name seeds or recordings")
    if len(places) == 1:
        return places[0]
    leg, share = leg_at(len(places), position)
    first, last = places[leg], places[leg + 1]
    tone = (1.0 - share) * first[LATENT:] + share * last[LATENT:]
    return np.concatenate([slerp(first[:LATENT], last[:LATENT], share), tone])


def place_between(network: TimbreNetwork, names: Sequence[int | Path], position: float) -> Doubles:
    """The place on the way through places that have names.

    Args:
        network: that hears recordings.
        names: seeds, and paths of recordings or of kept places.
        position: as for `between`.

    Raises:
        PerpetuumError: as `hear` and `load_place`.
    """
    # Only the two that it lies between are asked for: a recording is not heard in vain.
    leg, share = leg_at(len(names), position)
    return between([named_place(network, name) for name in names[leg : leg + 2]], share)


def named_place(network: TimbreNetwork, name: int | Path) -> Doubles:
    """The place of a seed, of a recording or of a file that keeps one.

    Raises:
        PerpetuumError: as `hear` and `load_place`.
    """
    if isinstance(name, int):
        return drawn_place(name)
    return load_place(name) if name.name.endswith(".json") else hear(network, name).place


def hear(network: TimbreNetwork, path: Path, root: Root | None = None) -> HeardNote:
    """Where the network finds a recording of one note.

    Args:
        network: that hears.
        path: of a sound file.
        root: its pitch, where a hand says it.

    Raises:
        PerpetuumError: it cannot be read, or no pitch that the network knows is heard in it.
    """
    raw = read_recording(path, root, fold=True)
    sound = np.asarray(resampled(raw.sound, raw.rate), np.float32)
    mono = trimmed(sound - sound.mean(axis=0), 60.0)[:, 0]
    pitch, cents = raw.pitch, raw.cents
    if pitch is None or cents is None:
        heard = track_pitch(mono, RATE, pitch)
        if heard is not None and heard.clear:
            away = heard.pitch - (pitch if pitch is not None else round(heard.pitch))
            pitch = round(heard.pitch) if pitch is None else pitch
            cents = 100.0 * (away - 12.0 * round(away / 12.0))
        elif pitch is None:
            raise PerpetuumError(
                f"{path}: no pitch is heard in it",
                "say its pitch, as in `perpetuum timbre encode FILE --root C4`, and name the place that this writes",
            )
    if not LOWEST <= pitch <= HIGHEST:
        raise PerpetuumError(
            f"{path}: its pitch is {pitch}, and the network knows {LOWEST} to {HIGHEST} (C1 to C7)",
            "--root says another",
        )
    # Partials are looked for where a note in tune has them; the analysis finds those that are a little off.
    if cents is not None and _OFF < abs(cents) <= 100.0:
        mono = np.asarray(resampled(mono, RATE * 2.0 ** (-cents / 1200.0)), np.float32)
    try:
        analysis = analyse(np.ascontiguousarray(mono), pitch)
    except PerpetuumError as error:
        raise PerpetuumError(f"{path}: {error.message}", "name a recording of one note") from error
    place = network.encode([analysis.envelopes], [pitch])[0]
    return HeardNote(_bounded(place), pitch, analysis, mono)


def save_place(path: Path, place: Doubles, pitch: int | None, source: str) -> None:
    """Keep a place in a file.

    Raises:
        PerpetuumError: it cannot be written.
    """
    kept = {"perpetuum_timbre": _VERSION, "place": [round(float(one), 6) for one in place], "source": source}
    if pitch is not None:
        kept["pitch"] = pitch
    write_text(path, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def load_place(path: Path) -> Doubles:
    """A place of a file.

    Raises:
        PerpetuumError: it cannot be read, or holds none.
    """
    try:
        kept: object = json.loads(read_bytes(path, _LARGEST))
    except OSError as error:
        raise PerpetuumError(f"{path}: cannot be read ({reason(error)})") from error
    except (ValueError, RecursionError) as error:
        raise PerpetuumError(
            f"{path}: this is no place of a timbre", "`perpetuum timbre encode` writes one."
        ) from error
    fields = cast("dict[str, Any]", kept) if isinstance(kept, dict) else {}
    version, found = fields.get("perpetuum_timbre", _VERSION), fields.get("place")
    if type(version) is int and version > _VERSION:
        raise PerpetuumError(f"{path}: written by a newer perpetuum", "Update perpetuum.")
    numbers = cast("list[Any]", found) if isinstance(found, list) else []
    if len(numbers) not in (LATENT, PLACE) or not all(type(one) in (int, float) for one in numbers):
        raise PerpetuumError(
            f"{path}: this is no place of a timbre, which has {PLACE} numbers", "`perpetuum timbre encode` writes one."
        )
    if not all(abs(one) <= _LARGEST_NUMBER for one in numbers):  # whole numbers may be as large as they like
        raise PerpetuumError(
            f"{path}: its numbers are too large or not finite", "`perpetuum timbre encode` writes better ones."
        )
    place = np.array(numbers, np.float64)
    return _bounded(np.pad(place, (0, PLACE - len(place))))


def _bounded(place: Doubles) -> Doubles:
    """A place that is not too far from everything that was heard in training."""
    latent, tone = place[:LATENT], np.clip(place[LATENT:], -LOUDEST, LOUDEST)
    length = float(np.linalg.norm(latent))
    return np.concatenate([latent if length <= _FARTHEST else latent * (_FARTHEST / length), tone])
