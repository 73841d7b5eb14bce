"""Velocities that breathe: accents by the meter, an arc over the phrase, ghost notes."""

from __future__ import annotations

import numpy as np

from engine.generators.pulse import accent_at
from engine.score.drums import CLASS_OF_PITCH
from engine.score.phrase import NOTE
from engine.score.time import Meter


def arc(starts: np.ndarray, beats: float) -> np.ndarray:
    """A phrase's breath, [n] in 0..1: rises to a point past the middle, then falls."""
    position = np.clip(np.asarray(starts, float) / beats, 0.0, 1.0)
    return np.sin(np.pi * position**0.8) ** 0.7


def clip_velocity(value: float) -> int:
    """A MIDI velocity 1..127."""
    return int(min(127, max(1, round(value))))


def clip_velocities(values: np.ndarray) -> np.ndarray:
    """MIDI velocities 1..127, [n] uint8."""
    return np.clip(np.rint(values), 1, 127).astype(np.uint8)


_KNEE = 100
"""Velocity above which `soft_velocities` compresses."""


def soft_velocities(values: np.ndarray) -> np.ndarray:
    """MIDI velocities [n] uint8 of any values: those above 100 come ever closer to 127, in their order.

    Clipping would make one and the same stroke of all loud ones.
    """
    over = np.maximum(np.asarray(values, float) - _KNEE, 0.0)
    return clip_velocities(np.minimum(values, _KNEE) + (127 - _KNEE) * (1 - np.exp(-over / (127 - _KNEE))))


def sung(notes: np.ndarray, meter: Meter, beats: float, rng: np.random.Generator) -> np.ndarray:
    """Velocities for a melody, [n]: strong beats, high and long notes are louder, within the arc of the phrase."""
    if not len(notes):
        return notes["velocity"]
    weight = accent_at(meter, notes["start"])
    pitch = notes["pitch"].astype(float)
    height = (pitch - pitch.mean()) / max(6.0, pitch.std() * 2)
    length = np.minimum(notes["end"] - notes["start"], 2.0)
    values = 66 + 12 * weight + 6 * height + 4 * length + 12 * arc(notes["start"], beats) + rng.normal(0, 3, len(notes))
    return clip_velocities(values)


DRUM_LEVELS = np.array([102, 96, 74, 80, 88, 88, 88, 92, 76], float)
"""Velocity of a full stroke on a strong beat, by drum class."""


def drum_classes(notes: np.ndarray) -> np.ndarray:
    """Drum class [n] of each stroke; of what is no drum, the closed hat's."""
    return np.array([CLASS_OF_PITCH.get(int(pitch), 2) for pitch in notes["pitch"]], int)


def drummed(notes: np.ndarray, meter: Meter, beats: float, rng: np.random.Generator) -> np.ndarray:
    """Velocities for drums, [n]: by drum and metrical weight; snares off the eighths are ghosts, hats sway."""
    if not len(notes):
        return notes["velocity"]
    drum = drum_classes(notes)
    weight = accent_at(meter, notes["start"])
    values = DRUM_LEVELS[drum] - 34 * (1 - weight) * np.isin(drum, (2, 3, 8))
    values -= 20 * (1 - weight) * (drum == 0)
    # The backbeat is the loudest snare though it is no strong beat; between the eighths it whispers.
    values -= np.where(drum == 1, np.where(weight < 0.2, 46, np.where(weight < 0.5, 22, 0)), 0)
    values += 5 * arc(notes["start"], beats) + rng.normal(0, 3.5, len(notes))
    return clip_velocities(values)


def with_velocities(notes: np.ndarray, velocities: np.ndarray) -> np.ndarray:
    """A copy of some notes with other velocities."""
    changed = notes.astype(NOTE, copy=True)
    changed["velocity"] = velocities
    return changed
