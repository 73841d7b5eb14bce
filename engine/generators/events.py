"""Phrases to and from the event sequences of networks, on the grid of sixteenths.

Exact for notes on the grid: a phrase of drums, or of one melody note after another, comes back the same but for
velocities (which events have not) and the lengths of drum strokes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.score.drums import CLASS_OF_PITCH, PITCHES
from engine.score.phrase import NOTE, Phrase
from engine.score.time import STEPS_PER_BEAT

NO_EVENT = -2
NOTE_OFF = -1


def drum_events(phrase: Phrase) -> list[int]:
    """One bit mask 0..511 per step: bit k says that drum class k is struck. Other pitches are left out."""
    steps = round(phrase.length * STEPS_PER_BEAT)
    events = [0] * steps
    for note in phrase.notes:
        drum = CLASS_OF_PITCH.get(int(note["pitch"]))
        step = round(float(note["start"]) * STEPS_PER_BEAT)
        if drum is not None and step < steps:
            events[step] |= 1 << drum
    return events


def drum_notes(events: Sequence[int]) -> np.ndarray:
    """Notes of a sixteenth each, array of `NOTE`, velocity 80."""
    struck = (np.asarray(events, int)[:, None] >> np.arange(len(PITCHES))) & 1
    steps, drums = np.nonzero(struck)
    notes = np.zeros(len(steps), NOTE)
    notes["start"], notes["end"] = steps / STEPS_PER_BEAT, (steps + 1) / STEPS_PER_BEAT
    notes["pitch"], notes["velocity"] = np.array(PITCHES)[drums], 80
    return notes


def melody_events(phrase: Phrase) -> list[int]:
    """One event per step: a MIDI pitch where a note begins, `NOTE_OFF` where it ends and none follows, else `NO_EVENT`.

    Of notes that begin together the highest counts; a note ends where the next one begins.
    """
    steps = round(phrase.length * STEPS_PER_BEAT)
    tops: dict[int, tuple[int, int]] = {}
    for note in phrase.notes:
        start = round(float(note["start"]) * STEPS_PER_BEAT)
        end = max(start + 1, round(float(note["end"]) * STEPS_PER_BEAT))
        if start < steps and (start not in tops or int(note["pitch"]) > tops[start][0]):
            tops[start] = (int(note["pitch"]), end)
    events = [NO_EVENT] * steps
    starts = sorted(tops)
    for start, following in zip(starts, [*starts[1:], steps], strict=True):
        pitch, end = tops[start]
        events[start] = pitch
        if end < following:
            events[end] = NOTE_OFF
    return events


def melody_notes(events: Sequence[int]) -> np.ndarray:
    """Notes one after another, array of `NOTE`, velocity 80; one that is held to the end ends there."""
    rows: list[tuple[int, int, int]] = []
    sounding: tuple[int, int] | None = None
    for step, event in enumerate([*events, NOTE_OFF]):
        if event == NO_EVENT:
            continue
        if sounding is not None:
            rows.append((sounding[0], step, sounding[1]))
        sounding = (step, event) if event >= 0 else None
    notes = np.zeros(len(rows), NOTE)
    for place, (start, end, pitch) in enumerate(rows):
        notes[place] = (start / STEPS_PER_BEAT, end / STEPS_PER_BEAT, pitch, 80)
    return notes
