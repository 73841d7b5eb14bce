# pyright: strict
"""Music that an ear can take down without a doubt: one sine after another, each bar unlike every other of its cycle."""

from __future__ import annotations

from pathlib import Path

LOWEST = 60
PITCHES = 32
"""Of each section, one after the other: four bars of eight."""

INSTRUMENT = """
perpetuum: 1
kind: fm
title: A sine that is struck
operators:
  - {harmonic: 1, ratio: 1, index: 0, envelope: {attack: 2 ms, decay: 350 ms, sustain: 0 %, release: 60 ms}}
"""

SCENE = """
perpetuum: 1
title: Sines
seed: 3
tempo: 75 qpm
key: C
parts:
  one:
    generator: {kind: pattern, notes: "ONE"}
    phrase: 4 bars
    instrument: struck_sine
    level: -6 dB
    sends: {reverb: off, delay: off}
  two:
    generator: {kind: pattern, notes: "TWO"}
    phrase: 4 bars
    instrument: struck_sine
    level: -6 dB
    sends: {reverb: off, delay: off}
sections:
  first: {bars: 4 bars, parts: [one]}
  second: {bars: 4 bars, parts: [two]}
"""

INSTALLATION = """
perpetuum: 1
title: Proof
scenes: {sines: {file: sines.yaml, length: 20 h}}
output: {kind: "null"}
state: STATE
fallback_bank: off
"""

_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")


def _notes(step: int) -> str:
    """All pitches once, every so many semitones, in the words of a pattern."""
    pitches = [LOWEST + number * step % PITCHES for number in range(PITCHES)]
    words = [f"{_NAMES[pitch % 12]}{pitch // 12 - 1}:.5" for pitch in pitches]
    return " | ".join(" ".join(words[start : start + 8]) for start in range(0, PITCHES, 8))


def write_music(folder: Path, state: Path) -> Path:
    """Write an installation, its scene and its instrument; the installation's file.

    Args:
        folder: for these files.
        state: the state folder.
    """
    (folder / "struck_sine.yaml").write_text(INSTRUMENT)
    (folder / "sines.yaml").write_text(SCENE.replace("ONE", _notes(7)).replace("TWO", _notes(11)))
    file = folder / "installation.yaml"
    file.write_text(INSTALLATION.replace("STATE", str(state)))
    return file
