"""What training reads out of MIDI files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mido
import numpy as np


def midi_notes(path: Path, drums: bool) -> tuple[np.ndarray, list[tuple[float, int, int]]]:
    """Notes of a MIDI file on the 16th grid, unquantised.

    Args:
        path: a Standard MIDI File.
        drums: take channel 10, else all others.

    Returns:
        [N, 4] of start, end (both in 16ths), pitch, velocity, ordered by start; and the time signatures as
        (start in 16ths, numerator, denominator).

    Raises:
        OSError, ValueError, EOFError, KeyError, IndexError: mido's, for a broken file.
    """
    midi = mido.MidiFile(path, clip=True)
    per_step = midi.ticks_per_beat / 4
    time, notes, meters = 0, [], []
    sounding: dict[tuple[int, int], tuple[int, int]] = {}
    for message in mido.merge_tracks(midi.tracks):
        time += message.time
        if message.type == "time_signature":
            meters.append((time / per_step, message.numerator, message.denominator))
        elif message.type in ("note_on", "note_off") and (message.channel == 9) == drums:
            key = (message.channel, message.note)
            if key in sounding:
                start, velocity = sounding.pop(key)
                notes.append((start / per_step, time / per_step, message.note, velocity))
            if message.type == "note_on" and message.velocity:
                sounding[key] = (time, message.velocity)
    notes += [(s / per_step, time / per_step, note, v) for (_, note), (s, v) in sounding.items()]
    return np.array(sorted(notes), np.float64).reshape(-1, 4), meters


def off_grid(starts: np.ndarray) -> float:
    """Share of onsets farther than a third of a step from the 16th grid: triplets, swing, loose playing."""
    return float(np.mean(np.abs(starts - np.floor(starts + 0.5)) > 1 / 3)) if len(starts) else 1.0


def folder_name(folder: Path, path: Path) -> str:
    """Source of a file: the name of the data set's folder."""
    parts = path.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else folder.name


def midi_files(folder: Path, skip: Sequence[Path]) -> list[Path]:
    """All MIDI files below a folder, but for those below the folders to skip."""
    files = [path for path in sorted(folder.glob("**/*")) if path.suffix.lower() in (".mid", ".midi")]
    return [path for path in files if not any(root in path.parents for root in skip)]
