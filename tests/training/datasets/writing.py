"""Small files of music for tests."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import mido
import numpy as np

KICK, SNARE, HAT = 36, 38, 42


def write_drums(path, hits, numerator=4, qpm=120):
    """Write (step, pitch, velocity) as a MIDI file at 96 ticks per quarter, channel 10."""
    track = mido.MidiTrack([
        mido.MetaMessage("time_signature", numerator=numerator, denominator=4),
        mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(qpm)),
    ])  # fmt: skip
    events = sorted(
        [(step * 24, 1, pitch, velocity) for step, pitch, velocity in hits]
        + [(step * 24 + 12, 0, pitch, 0) for step, pitch, _ in hits]
    )
    now = 0
    for tick, on, pitch, velocity in events:
        kind = "note_on" if on else "note_off"
        track.append(mido.Message(kind, channel=9, note=pitch, velocity=velocity, time=int(tick) - now))
        now = int(tick)
    path.parent.mkdir(parents=True, exist_ok=True)
    mido.MidiFile(ticks_per_beat=96, tracks=[track]).save(path)


def rock(bars, seed=0):
    """A backbeat with a random kick here and there."""
    rng = np.random.default_rng(seed)
    hits = []
    for bar in range(bars):
        at = bar * 16
        hits += [(at + step, HAT, 90) for step in range(0, 16, 2)]
        hits += [(at + step, SNARE, 100) for step in (4, 12)]
        hits += [(at + step, KICK, 100) for step in {0, int(rng.integers(16)), int(rng.integers(16))}]
    return hits


def write_notes(path, tracks, texts=(), numerator=4, qpm=120):
    """Write a MIDI file of type 1.

    Args:
        path: of the file.
        tracks: (program from 0, [(start, end, pitch)] in beats); each on a channel of its own.
        texts: (beat, text), as text events.
        numerator: of the meter in quarters.
        qpm: tempo.
    """
    first = [
        (0, mido.MetaMessage("time_signature", numerator=numerator, denominator=4)),
        (0, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(qpm))),
        *((round(beat * 96), mido.MetaMessage("text", text=text)) for beat, text in texts),
    ]
    written = [first]
    for channel, (program, notes) in enumerate(tracks):
        events = [(0, mido.Message("program_change", channel=channel, program=program))]
        for start, end, pitch in notes:
            events.append((round(start * 96), mido.Message("note_on", channel=channel, note=pitch, velocity=80)))
            events.append((round(end * 96), mido.Message("note_off", channel=channel, note=pitch)))
        written.append(sorted(events, key=lambda event: (event[0], event[1].type != "note_off")))
    file = mido.MidiFile(ticks_per_beat=96)
    for events in written:
        now, track = 0, mido.MidiTrack()
        for tick, message in events:
            track.append(message.copy(time=tick - now))
            now = tick
        file.tracks.append(track)
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save(path)


def scale(count, pitch=60, seed=0):
    """A melody in quarters, (start, end, pitch) in beats."""
    steps = np.random.default_rng(seed).integers(0, 12, count)
    return [(float(k), k + 1.0, int(pitch + step)) for k, step in enumerate(steps)]


def write_scores(path, scores):
    """Write score lines, gzipped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for score in scores:
            file.write(json.dumps(score) + "\n")


def tune(notes, bars=8, bar_ticks=384, ts=(4, 4), name="t"):
    """A score line of one part."""
    return {
        "id": name, "tpq": 96, "ts": [[0, *ts]], "notes": notes, "bars": [k * bar_ticks for k in range(bars)],
    }  # fmt: skip


def quarters(count, pitch=60, start=0):
    """Notes of a score line, in quarters."""
    return [[start + 96 * k, 96, pitch + k % 5] for k in range(count)]


def read(kind, *paths, **filters):
    """The pieces of a kind of music below some paths, by way of the builder; unsplit where no split is official."""
    from collections import Counter
    from dataclasses import replace

    from engine.training.datasets.filters import Filters
    from engine.training.datasets.music.kinds import take
    from engine.training.datasets.score import UnusableError
    from engine.training.datasets.sources import find_files

    found, reasons = [], Counter()
    for file in find_files([Path(path) for path in paths]):
        for work in file.works(file.path.read_bytes()):
            try:
                pieces, dropped = take(kind, work.read(), Filters(**filters))
            except UnusableError as reason:
                reasons[str(reason)] += 1
                continue
            reasons.update(dropped)
            found += [replace(p, name=work.name + p.name, source=work.source, split=work.split) for p in pieces]
    return found, dict(reasons)
