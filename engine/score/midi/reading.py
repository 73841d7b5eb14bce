# pyright: strict
"""MIDI files as pieces of music: the one reader of commands, scenes and data sets, with one set of limits."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from engine.errors import PerpetuumError
from engine.files import read_bytes, reason
from engine.score.harmony.chords import Chord, parse_chord
from engine.score.midi.channels import ChannelPlace, FileNote, notes_of, program_changes
from engine.score.midi.smf import KEY, LARGEST, META, METER, TEMPO, TRACK_NAME, Smf, SmfError, read_smf
from engine.score.midi.texts import decoded, encoding_of
from engine.score.phrase import NOTE, ChordSpan, in_order
from engine.score.piece import Piece, Track
from engine.score.time import Meter

MAX_BEATS = 100_000.0
"""Quarter notes of the longest piece that is read, in bars of 4/4 25,000."""
MAX_SECONDS = 24 * 3600.0

TEXTS = {0x01: "text", 0x06: "marker", 0x05: "lyrics", 0x07: "cue_marker"}
"""Kinds of texts that may be chord symbols, by the type of their meta event."""
MARKER = 0x06
_QPM = (4.0, 960.0)
"""What a MIDI file can say is 3.6 and more; nobody plays outside these."""
_FILM_QPM = 120.0
_Value = TypeVar("_Value")


def read_piece(path: Path, pipes: bool = False) -> Piece:
    """Read a MIDI file: see `parse_piece`.

    Args:
        path: of the file.
        pipes: it may also be a pipe, or `-` for standard input (see `engine.files.read_bytes`).

    Raises:
        PerpetuumError: not a readable MIDI file.
    """
    try:
        return parse_piece(read_bytes(path, LARGEST, pipes))
    except FileNotFoundError as error:
        raise PerpetuumError(f"there is no file {path}", "give the path of a MIDI file (.mid)") from error
    except OSError as error:
        raise PerpetuumError(f"cannot read {path}: {reason(error)}", "give the path of a MIDI file (.mid)") from error
    except ValueError as error:
        raise PerpetuumError(
            f"{path} is not a readable MIDI file: {reason(error)}", "export it again as a Standard MIDI File (.mid)"
        ) from error


def parse_piece(data: bytes) -> Piece:
    """Read a MIDI file of type 0 or 1: a `Track` for each channel of each of its tracks that has notes.

    Notes that are never ended end with their track. Texts, markers or lyrics are chord symbols where nearly all texts
    of their kind in the file are.

    Raises:
        SmfError: no MIDI file, or not of music's size; there may be no notes in it.
    """
    smf = read_smf(data)
    tempos, meters = tempos_of(smf), meters_of(smf)
    tracks = _tracks(smf, encoding_of([text for _, _, text in _texts(smf, (TRACK_NAME, *TEXTS))]))
    length = max((track.end for track in tracks), default=0.0)
    _check_size(tracks, length, tempos)
    odd = dict.fromkeys(f"{one}/{other}" for _, one, other in signatures_of(smf) if _meter(one, other) is None)
    remarks = [f"no bars are counted in {', '.join([*odd][:5])}{', ...' if len(odd) > 5 else ''}"] if odd else []
    return Piece(
        tuple(tracks),
        tempos[0][1],
        meters[0][1],
        spans_of(smf, length),
        tempos if len(tempos) > 1 else (),
        meters if len(meters) > 1 else (),
        markers_of(smf),
        smf,
        (*smf.remarks, *remarks),
    )


def tempos_of(smf: Smf) -> tuple[tuple[float, float], ...]:
    """(beat, qpm) in order, from beat 0 on; one of frames of film has but one, whatever its tempi say."""
    if smf.is_film:
        return ((0.0, _FILM_QPM),)
    found: dict[float, float] = {}
    for tick, qpm in spoken_tempos(smf):
        found[tick / smf.per_beat] = min(max(qpm, _QPM[0]), _QPM[1])
    return _changes(found, _FILM_QPM)


def spoken_tempos(smf: Smf) -> list[tuple[int, float]]:
    """(tick, qpm) as a file says them."""
    found = [(tick, 60e6 / int.from_bytes(held[:3], "big")) for tick, _, held in _texts(smf, (TEMPO,))]
    return sorted(found, key=lambda change: change[0])


def meters_of(smf: Smf) -> tuple[tuple[float, Meter], ...]:
    """(beat, meter) in order, from beat 0 on; those that a `Meter` can be."""
    found: dict[float, Meter] = {}
    for beat, numerator, denominator in signatures_of(smf):
        if (meter := _meter(numerator, denominator)) is not None:
            found[beat] = meter
    return _changes(found, Meter())


def signatures_of(smf: Smf) -> list[tuple[float, int, int]]:
    """(beat, numerator, denominator) as a file says them."""
    found = [(tick / smf.per_beat, held[0], 2 ** held[1]) for tick, _, held in _texts(smf, (METER,))]
    return sorted(found, key=lambda change: change[0])


def keys_of(smf: Smf) -> list[tuple[float, int]]:
    """(beat, sharps, or flats below 0) as a file says them."""
    found = [(tick / smf.per_beat, int.from_bytes(held[:1], signed=True)) for tick, _, held in _texts(smf, (KEY,))]
    return sorted(found, key=lambda change: change[0])


def markers_of(smf: Smf) -> tuple[tuple[float, str], ...]:
    """(beat, text) of the markers that are no chord symbols."""
    found = [(tick / smf.per_beat, decoded(held).strip()) for tick, _, held in _texts(smf, (MARKER,))]
    return tuple(sorted(found)) if not are_chords("marker", [text for _, text in found]) else ()


def chord_symbols(smf: Smf) -> list[tuple[int, str]]:
    """(tick, text) of the texts that are chord symbols, "N.C." too, in order."""
    found: list[tuple[int, str]] = []
    for kind, name in TEXTS.items():
        texts = [(tick, decoded(held).strip()) for tick, _, held in _texts(smf, (kind,))]
        if are_chords(name, [text for _, text in texts]):
            found += [(tick, text) for tick, text in texts if _is_chord(text)]
    return sorted(found)


def spans_of(smf: Smf, length: float) -> tuple[ChordSpan, ...]:
    """Chords, each until the next symbol, the last to the end of the piece, in beats."""
    found = [(tick / smf.per_beat, _chord(text)) for tick, text in chord_symbols(smf)]
    ends = [beat for beat, _ in found[1:]] + [length]
    return tuple(
        ChordSpan(beat, end, chord)
        for (beat, chord), end in zip(found, ends, strict=False)
        if chord is not None and end > beat
    )


def is_chord_symbol(data: bytes, kinds: Sequence[int]) -> bool:
    """Whether an event is one of the chord symbols of a file whose texts of some kinds are such."""
    return data[0] == META and data[1] in kinds and _is_chord(decoded(data[2:]))


def chord_kinds(smf: Smf) -> list[int]:
    """The kinds of texts that are chord symbols in a file."""
    texts = {kind: [decoded(held) for _, _, held in _texts(smf, (kind,))] for kind in TEXTS}
    return [kind for kind, found in texts.items() if found and are_chords(TEXTS[kind], found)]


def are_chords(kind: str, texts: Sequence[str]) -> bool:
    """Whether texts of a kind are chord symbols.

    A lyric may well be "A", so nearly all of them have to be; and markers "A", "B" and "C" are parts of a song.
    """
    texts = [text.strip() for text in texts if text.strip()]
    if kind == "marker" and all(len(text) == 1 for text in texts):
        return False
    others = (text for text in texts if not _is_chord(text))
    # The first tenth of others decides: the words of an opera are not all asked whether they are chords.
    return bool(texts) and sum(1 for _ in islice(others, len(texts) // 10 + 1)) * 10 < len(texts)


def _texts(smf: Smf, kinds: Sequence[int]) -> Iterator[tuple[int, int, bytes]]:
    """What meta events of some kinds hold: (tick, track, bytes), track by track."""
    for number, track in enumerate(smf.tracks):
        for tick, data in track.events:
            if data[0] == META and data[1] in kinds:
                yield tick, number, data[2:]


def _tracks(smf: Smf, encoding: str) -> list[Track]:
    programs = program_changes(smf)
    found: list[Track] = []
    for number, track in enumerate(smf.tracks):
        named = (data[2:] for _, data in track.events if data[0] == META and data[1] == TRACK_NAME)
        name = decoded(next((raw for raw in named if raw.strip()), b""), encoding).strip()
        for (port, channel), (rows, _) in sorted(notes_of(track).items()):
            if rows:
                first = min(rows, key=lambda row: row.on)
                changes = programs.get((port, channel), [])
                before = bisect.bisect_left(changes, (first.start, number, first.on, 0))
                program = changes[before - 1][-1] if before else 0
                place = ChannelPlace(number, port, channel)
                found.append(Track(note_array(rows, smf.per_beat), name, program, place.is_drum, place))
    return found


def note_array(rows: Sequence[FileNote], per_beat: float) -> np.ndarray:
    """Array of `NOTE` in beats, sorted by (start, pitch)."""
    notes = np.array([row[:4] for row in rows], NOTE)
    notes["start"] /= per_beat
    notes["end"] /= per_beat
    return in_order(notes)


def _check_size(tracks: Sequence[Track], length: float, tempos: Sequence[tuple[float, float]]) -> None:
    if length > MAX_BEATS:
        raise SmfError(f"longer than {MAX_BEATS:.0f} beats")
    ends = [*(beat for beat, _ in tempos[1:]), length]
    seconds = sum(max(min(end, length) - beat, 0.0) * 60 / qpm for (beat, qpm), end in zip(tempos, ends, strict=True))
    if seconds > MAX_SECONDS:
        raise SmfError(f"longer than {MAX_SECONDS / 3600:.0f} hours")


@lru_cache
def _meter(numerator: int, denominator: int) -> Meter | None:
    try:
        return Meter.parse(f"{numerator}/{denominator}")
    except ValueError:
        return None


def _changes(found: dict[float, _Value], first: _Value) -> tuple[tuple[float, _Value], ...]:
    """Values by beat, from beat 0 on, without those that change nothing."""
    kept: list[tuple[float, _Value]] = []
    for beat, value in sorted(found.items(), key=lambda item: item[0]):
        if not kept and beat > 0:
            kept.append((0.0, first))
        if not kept or kept[-1][1] != value:
            kept.append((beat, value))
    return tuple(kept) or ((0.0, first),)


_OTHER = object()
"""In place of a chord: a text that is none."""


@lru_cache(1 << 14)
def _symbol(text: str) -> object:
    try:
        return parse_chord(text)
    except ValueError:
        return _OTHER


def _is_chord(text: str) -> bool:
    return _symbol(text.strip()) is not _OTHER


def _chord(text: str) -> Chord | None:
    """The chord of a text that is a symbol; None for "N.C."."""
    chord = _symbol(text.strip())
    return chord if isinstance(chord, Chord) else None
