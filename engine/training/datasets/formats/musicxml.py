"""What training reads out of MusicXML, through music21 (of the extra `models`)."""

from __future__ import annotations

import codecs
import io
import re
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engine.errors import PerpetuumError
from engine.score.harmony.chords import parse_chord, recognise
from engine.training.datasets.formats.musicxml_prepared import prepared
from engine.training.datasets.formats.score_sets import VELOCITY
from engine.training.datasets.score import Score, ScorePart, UnusableError, checked, note_array

LARGEST = 64 << 20
"""Bytes of the largest score, unpacked."""


def read_musicxml(data: bytes) -> Score:
    """Read MusicXML, plain or packed (.mxl).

    Raises:
        UnusableError: it is no MusicXML, broken, or without notes.
    """
    if not data:
        raise UnusableError("empty file")
    packed = _unpacked(data) if data.startswith(b"PK") else data
    if len(packed) > LARGEST:
        raise UnusableError(f"larger than {LARGEST >> 20} MB")
    text = _decoded(packed)
    if "<score-" not in text:
        raise UnusableError("not MusicXML")
    return _read(text)


def _decoded(data: bytes) -> str:
    """The text of XML: UTF-16 where it begins so, else as its first line says, else UTF-8."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        said = re.match(rb"<\?xml[^>]*encoding\s*=\s*[\"']([\w.-]+)", data)
        encoding = said[1].decode() if said else "utf-8-sig"
    try:
        return data.decode(encoding)
    except (LookupError, UnicodeDecodeError):
        return data.decode("utf-8", "replace")


def _unpacked(data: bytes) -> bytes:
    """The score in an .mxl file: what its container names, or the first .xml in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            names = packed.namelist()
            found = None
            if "META-INF/container.xml" in names and packed.getinfo("META-INF/container.xml").file_size < 1 << 20:
                match = re.search(rb'full-path\s*=\s*"([^"]+)"', packed.read("META-INF/container.xml"))
                found = match and match[1].decode("utf-8", "replace")
            if found not in names:
                scores = [name for name in names if name.endswith((".xml", ".musicxml")) and "META-INF" not in name]
                found = next(iter(scores), None)
            if found is None:
                raise UnusableError("no score in the .mxl file")
            # A few bytes may unpack to gigabytes: what the directory says is not trusted either.
            with packed.open(found) as file:
                return file.read(LARGEST + 1)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise UnusableError("broken .mxl file") from error


def _read(text: str) -> Score:
    try:
        from music21 import converter, stream
    except ImportError as error:
        raise PerpetuumError(
            "reading MusicXML needs music21, which is not installed", "pip install 'music21>=9.3,<11'"
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ready, left_out = prepared(text)
            found = converter.parseData(ready, format="musicxml")
            if isinstance(found, stream.Opus):
                found = found.scores[0]
            return checked(replace(_score(found), left_out=left_out))
    except UnusableError:
        raise
    # music21 tells what is wrong with a file by whatever error it runs into.
    except Exception as error:
        raise UnusableError("broken MusicXML") from error


def _score(found: Any) -> Score:
    from music21 import harmony, key, meter, tempo

    parts, chords, bars = [], [], []
    streams = list(found.parts) or [found]
    for part in streams:
        written = part.toSoundingPitch()
        bars = bars or [float(bar.offset) for bar in written.getElementsByClass("Measure")]
        flat = written.flatten()
        notes = [element for element in flat.notes if not isinstance(element, harmony.Harmony)]
        sung = any(element.lyrics for element in notes if element.quarterLength > 0)
        if rows := _tied(notes):
            instrument = part.getInstrument(returnDefault=False)
            drums = bool(instrument is not None and instrument.midiChannel == 9)
            program = instrument.midiProgram if instrument is not None else None
            parts.append(ScorePart((note_array(rows),), None if drums else program, drums, sung))
        chords += [(float(each.offset), _figure(each)) for each in flat.getElementsByClass(harmony.Harmony)]
    flat = streams[0].flatten()
    return Score(
        tuple(parts),
        meters=tuple(
            (float(each.offset), each.numerator, each.denominator)
            for each in flat.getElementsByClass(meter.TimeSignature)
        ),
        bars=tuple(bars),
        tempos=tuple(
            (float(each.offset), float(qpm))
            for each in flat.getElementsByClass(tempo.MetronomeMark)
            if (qpm := each.getQuarterBPM())
        ),
        chords=tuple(sorted(chords)),
        keys=tuple((float(each.offset), each.sharps) for each in flat.getElementsByClass(key.KeySignature)),
    )


def _tied(elements: Sequence[Any]) -> list[tuple[float, float, int, int]]:
    """Start, end, pitch and velocity of notes and chords of music21, without grace notes, ties joined pitch by pitch.

    Its own `stripTies` takes chords of which some notes are tied as a whole.
    """
    rows: list[list[Any]] = []
    open_ties: dict[int, list[list[Any]]] = {}  # by pitch: two voices may hold the same one
    for element in elements:
        start, length = float(element.offset), float(element.quarterLength)
        if length <= 0:
            continue  # a grace note
        for note in element.notes if element.isChord else [element]:
            if not note.isNote or not 0 <= note.pitch.midi <= 127:
                continue
            pitch, tie = note.pitch.midi, note.tie.type if note.tie is not None else ""
            held = open_ties.setdefault(pitch, [])
            row = next((each for each in held if tie in ("stop", "continue") and abs(each[1] - start) < 1e-6), None)
            if row is not None:
                held.remove(row)
                row[1] = start + length
            else:
                row = [start, start + length, pitch, _velocity(element)]
                rows.append(row)
            if tie in ("start", "continue"):
                held.append(row)
    return [(start, end, pitch, velocity) for start, end, pitch, velocity in rows]


def _velocity(element: Any) -> int:
    velocity = element.volume.velocity
    return VELOCITY if not velocity else min(max(int(velocity), 1), 127)


def _figure(symbol: Any) -> str:
    """The figure of a chord symbol of music21, as lead sheets spell it: its flats are "-" there.

    What it spells as nobody else does is named anew, after the chord's tones.
    """
    from music21 import harmony

    if isinstance(symbol, harmony.NoChord):
        return "N.C."
    root, bass = symbol.root(), symbol.bass()
    if root is None:
        return ""
    kind = symbol.figure.removeprefix(root.name).partition("/")[0]
    figure = root.name.replace("-", "b") + kind
    if bass is not None and bass.name != root.name:
        figure += "/" + bass.name.replace("-", "b")
    try:
        parse_chord(figure)
    except ValueError:
        pitches = np.array([pitch.midi for pitch in symbol.pitches])
        chord = recognise(pitches, np.ones(len(pitches)), root.midi)
        return chord.name if chord is not None else ""
    return figure
