"""Scores of tunes in ABC."""

from __future__ import annotations

import re

from engine.score.harmony.chords import parse_chord
from engine.training.datasets.formats.abc.tune import Tune
from engine.training.datasets.formats.abc.voices import AbcVoice, Timed, timed
from engine.training.datasets.formats.score_sets import VELOCITY
from engine.training.datasets.music.melodies import plain_figure
from engine.training.datasets.score import LeftOut, Score, ScorePart, UnusableError, checked, counted, note_array


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
            left_out.append(LeftOut("a voice in a drum clef", place=tune.drum_clef))
        elif (part := _part(voice, times, left_out)) is not None:
            parts.append(part)
    if not parts:
        raise UnusableError("no notes")
    lead = next(times for _, times in found if any(times.layers))
    chords = sorted(
        (float(beat), figure)
        for _, times in found
        for beat, (text, semitones, place) in times.changes["chord"]
        if (figure := _figure(text, semitones, place, left_out))
    )
    return checked(
        Score(
            tuple(parts),
            meters=tuple((float(beat), *meter) for beat, meter in lead.changes["meter"] if meter is not None),
            bars=_bars(lead),
            tempos=tuple(sorted((float(beat), qpm) for _, times in found for beat, qpm in times.changes["tempo"])),
            chords=tuple(dict.fromkeys(chords)),
            keys=tuple((float(beat), fifths) for beat, fifths in lead.changes["key"] if fifths is not None),
            left_out=counted(left_out),
        )
    )


def _part(voice: AbcVoice, times: Timed, left_out: list[LeftOut]) -> ScorePart | None:
    """A voice as a part, without notes that MIDI has not, and those of no length; None without notes."""
    left_out += [
        LeftOut("an overlay that is not as long as its bar, left as it is", place=place) for place in times.uneven
    ]
    layers = []
    for layer in times.layers:
        rows = [row for row in layer if row[1] > row[0] and 0 <= row[2] <= 127]
        if rows:
            layers.append(note_array([(float(start), float(end), int(pitch), VELOCITY) for start, end, pitch in rows]))
    if not layers:
        return None
    return ScorePart(tuple(layers), None if voice.is_drum else voice.program, voice.is_drum, voice.is_sung)


def _bars(times: Timed) -> tuple[float, ...]:
    end = max(row[1] for layer in times.layers for row in layer)
    return tuple(float(bar) for bar in sorted(set(times.bars)) if bar < end)


def _figure(text: str, semitones: int, place: str, left_out: list[LeftOut]) -> str:
    """The figure of a chord symbol as it sounds; empty for a bass note, and for what is no chord."""
    text = plain_figure(text)
    if re.fullmatch(r"[a-g][#b+-]?", text):
        return ""
    if text[:1].islower():
        text = text[0].upper() + text[1:]
    try:
        chord = parse_chord(text)
    except ValueError:
        left_out.append(LeftOut("a text that is no chord symbol", place=place))
        return ""
    if chord is None:
        return "N.C."
    return chord.transposed(semitones).name if semitones % 12 else text
