"""Primers and chords as a command line gives them."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine import assets
from engine.cli.music.sampling import read_file, say
from engine.errors import PerpetuumError
from engine.files import is_standard_input
from engine.generators.harmony import heard
from engine.networks import CONFIGS
from engine.networks.contract import Conditions, Config
from engine.score.harmony.chords import parse_chord
from engine.score.notation import NotationError
from engine.score.patterns import is_grid, parse_pattern
from engine.score.phrase import NOTE, ChordSpan, Origin, Phrase, Provenance, check_notes
from engine.score.piece import Piece, Track
from engine.score.time import STEPS_PER_BEAT, Meter
from engine.score.voices import MelodyVoice, reduce

PRIMER_HELP = (
    "What to go on from: a MIDI file, notes with lengths in beats like 'C4:1 D4:1/2 ~:1/2', or drums like "
    "'bd: x...x... | sn: ....x...'. Without it: from nothing."
)

_VELOCITY = 90
_EVENTS = re.compile(r"\s*\[[\d\s,()\-]*\]\s*")


def read_primer(text: str | None, meter: Meter) -> tuple[Piece, float | None]:
    """The primer that a command line gives.

    Args:
        text: path of a MIDI file, a pattern as in scenes, or a list of events as Magenta's commands take it; None for
            no primer.
        meter: of a primer that says none.

    Returns:
        The piece, and its length in beats where that is written, rests at the end included; else None.

    Raises:
        PerpetuumError: it is none of these, or wrong.
    """
    if text is None:
        return Piece((), meter=meter), 0.0
    if Path(text).suffix.lower() in (".mid", ".midi") or is_standard_input(text) or _is_file(text):
        return read_file(Path(text)), None
    if _EVENTS.fullmatch(text):
        notes, length, drums = _from_events(text)
    else:
        phrase = _from_pattern(text, meter)
        notes, length, drums = phrase.notes, phrase.length, is_grid(text)
    return Piece((Track(notes, "primer", is_drum=drums),), meter=meter), length


def _is_file(text: str) -> bool:
    """Whether a text is the path of a file or a pipe rather than music that happens to be called like a folder."""
    return assets.exists(text) and not assets.is_folder(text)


def read_chords(text: str, meter: Meter) -> tuple[ChordSpan, ...]:
    """Chord symbols, a bar each, or as many beats as stand behind a colon: "C G:2 Am:2 F".

    Raises:
        PerpetuumError: one of them is no chord or no length.
    """
    spans, now = [], 0.0
    for word in text.replace("|", " ").split():
        symbol, _, length = word.partition(":")
        try:
            beats = float(length) if length else meter.beats_per_bar
            if not 1 / STEPS_PER_BEAT <= beats < 1000:
                raise ValueError(f"{length} is no length in beats from 0.25 up")
            chord = parse_chord(symbol)
        except ValueError as error:
            raise PerpetuumError(
                f"--chords: {error}", "write chords like 'C G Am7:2 F:2', each a bar long or with its length in beats"
            ) from error
        if chord is not None:
            spans.append(ChordSpan(now, now + beats, chord))
        now += beats
    if not spans:
        raise PerpetuumError("--chords: there are no chords", "write them like 'C G Am F'")
    return tuple(spans)


def conditions_of(
    config: Config,
    piece: Piece,
    beats: float,
    chords: str | None = None,
    notes_per_second: float | None = None,
    pitch_classes: str | None = None,
) -> Conditions:
    """What a command line asks a network for.

    Args:
        config: of the network.
        piece: the primer, all its tracks; its chords count where none are given, and are told if they are read off
            its notes.
        beats: length of the music, the primer included.
        chords, notes_per_second, pitch_classes: as the options of these names give them.

    Raises:
        PerpetuumError: the network does not know what is asked for, it needs chords and has none, or they are wrong.
    """
    check_asked(config, chords=chords, notes_per_second=notes_per_second, pitch_classes=pitch_classes)
    spans: tuple[ChordSpan, ...] = ()
    if "chords" in config.conditions:
        spans = read_chords(chords, piece.meter) if chords else piece.chords or _heard_chords(piece)
        if not spans:
            raise PerpetuumError(
                f"{config.name} plays over chords, and there are none",
                "give --chords 'C G Am F' (a bar each), or a MIDI file with chords, as notes or as texts",
            )
    return Conditions(
        chords=repeated(spans, beats) if spans else (),
        notes_per_second=notes_per_second,
        pitch_classes=_weights(pitch_classes) if pitch_classes else None,
    )


def _heard_chords(piece: Piece) -> tuple[ChordSpan, ...]:
    """The chords that the notes of a piece make, bar by bar; none where it is one voice."""
    notes = piece.notes(is_drum=False)
    if not reduce(notes, MelodyVoice.SKYLINE)[1]:
        return ()
    phrase = Phrase.of(notes, piece.bars_end, Provenance("primer", Origin.RULES))
    spans = tuple(heard(phrase, piece.meter, piece.bars_end))
    say([f"chords are read off the notes: {' '.join(span.chord.name for span in spans)}; --chords gives others"])
    return spans


def check_asked(config: Config, **asked: object) -> None:
    """Refuse what a network does not listen to.

    Args:
        config: of the network.
        asked: conditions by their names; None for what is not asked for.

    Raises:
        PerpetuumError: says which networks do.
    """
    for name, value in asked.items():
        if value is not None and name not in config.conditions:
            known = [other for other, one in CONFIGS.items() if name in one.conditions]
            raise PerpetuumError(
                f"{config.name} does not listen to --{name.replace('_', '-')}", f"these do: {', '.join(known)}"
            )


def _weights(text: str) -> tuple[float, ...]:
    try:
        weights = tuple(float(word) for word in text.replace(",", " ").split())
    except ValueError:
        weights = ()
    if len(weights) != 12 or not all(0 <= weight < float("inf") for weight in weights):
        raise PerpetuumError(
            f"--pitch-classes {text!r} are not twelve weights", "write twelve numbers, C first: 2,0,1,0,1,1,0,1,0,1,0,1"
        )
    return weights


def repeated(spans: Sequence[ChordSpan], beats: float) -> tuple[ChordSpan, ...]:
    """Chords again and again, until some beats are filled."""
    length = spans[-1].end
    found = []
    for turn in range(math.ceil(beats / length)):
        for span in spans:
            start, end = span.start + turn * length, min(span.end + turn * length, beats)
            if start < end:
                found.append(ChordSpan(start, end, span.chord))
    return tuple(found)


def meter_of(text: str) -> Meter:
    """The meter of a command line.

    Raises:
        PerpetuumError: it is none.
    """
    try:
        return Meter.parse(text)
    except ValueError as error:
        raise PerpetuumError(f"--meter: {error}") from error


def _from_pattern(text: str, meter: Meter) -> Phrase:
    try:
        return parse_pattern(text, meter).phrase()
    except NotationError as error:
        pointer = " " * (error.start + 4) + "^" * max(1, min(error.end, len(text)) - error.start)
        expected = f"expected {error.expected}" if error.expected else "or give the path of a MIDI file"
        raise PerpetuumError(f"--primer: {error.message}\n    {text}\n{pointer}", expected) from error


def _from_events(text: str) -> tuple[np.ndarray, float, bool]:
    """Magenta's lists of sixteenths: pitches, -2 nothing new, -1 note off; or a tuple of drum pitches for each.

    Returns:
        Array of `NOTE`, length in beats, whether they are drums.
    """
    rows: list[tuple[float, float, int, int]] = []
    try:
        events = ast.literal_eval(text.strip())
        drums = any(isinstance(event, tuple) for event in events)
        sounds = False
        for step, event in enumerate(events):
            start, end = step / STEPS_PER_BEAT, (step + 1) / STEPS_PER_BEAT
            if drums:
                rows += [(start, end, pitch, _VELOCITY) for pitch in event]
            elif event >= 0:
                rows.append((start, end, event, _VELOCITY))
                sounds = True
            elif event == -2 and sounds:
                rows[-1] = (rows[-1][0], end, rows[-1][2], _VELOCITY)
            else:
                sounds = False
        notes = np.array(rows, NOTE)
        if events:
            check_notes(notes, len(events) / STEPS_PER_BEAT)
    except (ValueError, SyntaxError, TypeError, OverflowError) as error:
        raise PerpetuumError(
            f"--primer: this list of events cannot be read: {error}",
            "a melody is like '[60, -2, 62, -1]', drums are like '[(36,), (), (38, 42)]', an entry for each sixteenth",
        ) from error
    return notes, len(events) / STEPS_PER_BEAT, drums
