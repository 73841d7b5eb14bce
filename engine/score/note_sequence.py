"""Phrases as note_seq's NoteSequence, the currency of Magenta's tools, and back. Needs the extra [models].

Importing this module imports note_seq, which takes a second; nothing that plays does.
"""

from __future__ import annotations

import numpy as np
from note_seq.protobuf import music_pb2

from engine.score.phrase import NOTE


def to_note_sequence(notes: np.ndarray, qpm: float, is_drum: bool = False) -> music_pb2.NoteSequence:
    """Notes at one tempo as a NoteSequence.

    Args:
        notes: array [n] of `NOTE`, in beats.
        qpm: quarter notes per minute.
        is_drum: whether pitches are General MIDI drums.
    """
    sequence = music_pb2.NoteSequence(ticks_per_quarter=220)
    sequence.tempos.add(qpm=qpm)
    seconds = 60.0 / qpm
    for start, end, pitch, velocity in notes.tolist():
        sequence.notes.add(
            pitch=pitch, velocity=velocity, start_time=start * seconds, end_time=end * seconds, is_drum=is_drum
        )
    sequence.total_time = max((note.end_time for note in sequence.notes), default=0.0)
    return sequence


def from_note_sequence(sequence: music_pb2.NoteSequence) -> tuple[np.ndarray, np.ndarray]:
    """The notes of an unquantized NoteSequence, at its first tempo (120 qpm without one).

    Returns:
        (notes, is_drum): array [n] of `NOTE` in beats, sorted by start and pitch, and for each whether it is a drum.

    Raises:
        ValueError: the sequence changes its tempo, so seconds cannot be turned into beats at one rate.
    """
    if len({tempo.qpm for tempo in sequence.tempos}) > 1:
        raise ValueError("the sequence changes its tempo; split it at the changes first")
    beats = (sequence.tempos[0].qpm if sequence.tempos else 120.0) / 60.0
    rows = [
        (note.start_time * beats, note.end_time * beats, note.pitch, note.velocity, note.is_drum)
        for note in sequence.notes
        if note.end_time > note.start_time
    ]
    notes = np.array([row[:4] for row in rows], NOTE)
    drums = np.array([row[4] for row in rows], bool)
    order = np.lexsort((notes["pitch"], notes["start"]))
    return notes[order], drums[order]
