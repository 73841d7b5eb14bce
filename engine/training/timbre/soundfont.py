"""Which programs of a sound font share samples, and notes of it as FluidSynth plays them.

Programs that share samples sound alike: they are held out of a training together, or not at all.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import mido
import numpy as np
import soundfile

from engine.errors import PerpetuumError
from engine.files import read_bytes
from engine.timbres.neural.layout import RATE, SECONDS, Array

LARGEST = 1 << 30
"""Bytes of a sound font."""

_INSTRUMENT, _SAMPLE = 41, 53
"""Generators of the SoundFont 2 format that name what a zone plays."""

_SPACING = 6.0
"""Seconds between the beginnings of two notes: what rings on after a key is let go has died away."""

_MOST_RECORDS = 1_000_000
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Program:
    """A program of a sound font's first bank.

    Attributes:
        number: of General MIDI, from 0 on.
        name: in the font.
        samples: numbers of those that it plays.
    """

    number: int
    name: str
    samples: frozenset[int]


def read_programs(path: Path) -> list[Program]:
    """The programs of the first bank, by number.

    Raises:
        PerpetuumError: it cannot be read, or is no sound font.
    """
    try:
        data = read_bytes(path, LARGEST)
        chunks = dict(_chunks(data, 12, len(data)))
        presets = _records(data, chunks[b"phdr"], "<20sHHHIII")
        preset_zones, preset_generators = (_records(data, chunks[key], "<HH") for key in (b"pbag", b"pgen"))
        instruments = _records(data, chunks[b"inst"], "<20sH")
        zones, generators = (_records(data, chunks[key], "<HH") for key in (b"ibag", b"igen"))
        made: list[Program] = []
        for here, following in pairwise(presets):
            if here[2] == 0:
                used = _named(preset_zones, preset_generators, here[3], following[3], _INSTRUMENT)
                samples = [
                    _named(zones, generators, instruments[one][1], instruments[one + 1][1], _SAMPLE) for one in used
                ]
                name = here[0].split(b"\0")[0].decode("latin-1").strip()
                made.append(Program(here[1], name, frozenset[int]().union(*samples)))
    except OSError as error:
        raise PerpetuumError(
            f"{path}: cannot be read ({error.strerror})", "Debian's fluid-soundfont-gm has FluidR3_GM.sf2."
        ) from error
    except (KeyError, IndexError, struct.error, ValueError) as error:
        raise PerpetuumError(f"{path}: this is no sound font (SoundFont 2)") from error
    return sorted(made, key=lambda program: program.number)


def groups(programs: Sequence[Program]) -> list[list[int]]:
    """Numbers of programs that are tied together by samples, each group in order."""
    left = list(programs)
    made: list[list[int]] = []
    while left:
        members, samples = [left.pop(0)], set[int]()
        while True:
            samples = set[int]().union(*(one.samples for one in members))
            joining = [one for one in left if one.samples & samples]
            if not joining:
                break
            members += joining
            left = [one for one in left if one not in joining]
        made.append(sorted(one.number for one in members))
    return sorted(made)


def render_notes(font: Path, program: int, pitches: Sequence[int], velocity: int = 100) -> list[Array]:
    """Notes of a program, [frames] each of three seconds at 48 kHz, one channel, their keys held.

    Raises:
        PerpetuumError: FluidSynth is not here, or fails.
    """
    tool = shutil.which("fluidsynth")
    if tool is None:
        raise PerpetuumError("FluidSynth is not installed", "On Debian: apt install fluidsynth fluid-soundfont-gm")
    with tempfile.TemporaryDirectory(prefix="perpetuum-notes-") as folder:
        song, sound = Path(folder) / "notes.mid", Path(folder) / "notes.wav"
        _song(program, pitches, velocity).save(song)
        # One core, no effects: what a room adds is no timbre.
        command = [tool, "-niq", "-R", "0", "-C", "0", "-g", "0.5", "-r", str(RATE), "-F", str(sound), str(font)]
        ran = subprocess.run([*command, str(song)], capture_output=True, text=True, timeout=900, check=False)
        if ran.returncode or not sound.exists():
            raise PerpetuumError(f"FluidSynth failed: {ran.stderr.strip()[-400:]}")
        both, _ = soundfile.read(sound, dtype="float32", always_2d=True)
    mono = np.asarray(both, np.float32).mean(axis=1)
    length = round(SECONDS * RATE)
    made: list[Array] = []
    for number in range(len(pitches)):
        first = round(number * _SPACING * RATE)
        note = np.zeros(length, np.float32)
        part = mono[first : first + length]
        note[: len(part)] = part
        made.append(note)
    return made


_midi: Any = mido


def _song(program: int, pitches: Sequence[int], velocity: int) -> Any:
    song = _midi.MidiFile(ticks_per_beat=1000)
    track = _midi.MidiTrack()
    song.tracks.append(track)
    track.append(_midi.MetaMessage("set_tempo", tempo=1_000_000, time=0))
    track.append(_midi.Message("program_change", program=program, time=0))
    held = round(1000 * (SECONDS + 0.05))
    for number, pitch in enumerate(pitches):
        wait = 0 if number == 0 else round(1000 * _SPACING) - held
        track.append(_midi.Message("note_on", note=pitch, velocity=velocity, time=wait))
        track.append(_midi.Message("note_off", note=pitch, velocity=0, time=held))
    return song


def _chunks(data: bytes, start: int, end: int, depth: int = 0) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Names of RIFF chunks, where each begins and how many bytes it has; lists are looked into."""
    while start + 8 <= end and depth < _DEEPEST:
        name, size = data[start : start + 4], struct.unpack_from("<I", data, start + 4)[0]
        if name == b"LIST":
            yield from _chunks(data, start + 12, min(start + 8 + size, end), depth + 1)
        else:
            yield name, (start + 8, min(size, end - start - 8))
        start += 8 + size + size % 2


def _records(data: bytes, chunk: tuple[int, int], form: str) -> list[tuple[Any, ...]]:
    start, size = chunk
    step = struct.calcsize(form)
    if size // step > _MOST_RECORDS:
        raise ValueError("too many records")
    return list(struct.iter_unpack(form, data[start : start + size - size % step]))


def _named(
    zones: Sequence[tuple[int, ...]], generators: Sequence[tuple[int, ...]], first: int, last: int, what: int
) -> set[int]:
    """What the zones `first` to `last` name by a generator."""
    return {
        generators[place][1]
        for zone in range(first, last)
        for place in range(zones[zone][0], zones[zone + 1][0])
        if generators[place][0] == what
    }
