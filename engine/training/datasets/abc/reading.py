"""Scores of tunes in ABC."""

from __future__ import annotations

import re
from collections import Counter

from engine.score.chords import parse_chord
from engine.training.datasets.abc.tune import Tune
from engine.training.datasets.abc.voices import Timed, Voice, timed
from engine.training.datasets.melodies import plain_figure
from engine.training.datasets.score import Part, Score, UnusableError, checked, note_array
from engine.training.datasets.score_sets import VELOCITY


def read_abc(data: bytes) -> Score:
    """Read one tune of ABC, as `split_tunes` gives it: behind the header of its file.

    Chords are read in the spelling of the Nottingham database, too: "D/f+" and "Gm/b-" have basses, and a small letter
    alone is no chord but a bass note, which leaves the chord as it is.

    Raises:
        UnusableError: something that would change notes is not understood, or there are no notes.
    """
    tune = Tune(data.decode("utf-8", "replace"))
    left_out = tune.left_out
    found = [(voice, timed(voice)) for voice in tune.voices.values()]
    parts = []
    for voice, times in found:
        if voice.is_left_out and not voice.is_drum:
            left_out["a voice in a drum clef"] += 1
        elif (part := _part(voice, times, left_out)) is not None:
            parts.append(part)
    if not parts:
        raise UnusableError("no notes")
    lead = next(times for _, times in found if any(times.layers))
    chords = sorted(
        (float(beat), figure)
        for _, times in found
        for beat, (text, semitones) in times.changes["chord"]
        if (figure := _figure(text, semitones, left_out))
    )
    return checked(
        Score(
            tuple(parts),
            meters=tuple((float(beat), *meter) for beat, meter in lead.changes["meter"] if meter is not None),
            bars=_bars(lead),
            tempos=tuple(sorted((float(beat), qpm) for _, times in found for beat, qpm in times.changes["tempo"])),
            chords=tuple(dict.fromkeys(chords)),
            keys=tuple((float(beat), fifths) for beat, fifths in lead.changes["key"] if fifths is not None),
            left_out=tuple(sorted(left_out.items())),
        )
    )


def _part(voice: Voice, times: Timed, left_out: Counter[str]) -> Part | None:
    """A voice as a part, without notes that MIDI has not, and those of no length; None without notes."""
    if times.uneven:
        left_out["an overlay that is not as long as its bar, left as it is"] += times.uneven
    layers = []
    for layer in times.layers:
        rows = [row for row in layer if row[1] > row[0] and 0 <= row[2] <= 127]
        if len(rows) < len(layer):
            left_out["a note of no length, or out of range"] += len(layer) - len(rows)
        if rows:
            layers.append(note_array([(float(start), float(end), int(pitch), VELOCITY) for start, end, pitch in rows]))
    if not layers:
        return None
    return Part(tuple(layers), None if voice.is_drum else voice.program, voice.is_drum, voice.is_sung)


def _bars(times: Timed) -> tuple[float, ...]:
    end = max(row[1] for layer in times.layers for row in layer)
    return tuple(float(bar) for bar in sorted(set(times.bars)) if bar < end)


def _figure(text: str, semitones: int, left_out: Counter[str]) -> str:
    """The figure of a chord symbol as it sounds; empty for a bass note, and for what is no chord."""
    text = plain_figure(text)
    if re.fullmatch(r"[a-g][#b+-]?", text):
        return ""
    if text[:1].islower():
        text = text[0].upper() + text[1:]
    try:
        chord = parse_chord(text)
    except ValueError:
        left_out["a text that is no chord symbol"] += 1
        return ""
    if chord is None:
        return "N.C."
    return chord.transposed(semitones).name if semitones % 12 else text
