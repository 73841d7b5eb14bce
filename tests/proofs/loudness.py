"""Every shipped scene as loud as its target.

`python -m tests.proofs.loudness [SCENE...] [--minutes 10] [--target -20]`

Each is rendered, goes through the gain stage and the meter of an installation second by second, and the ear moves the
trim as it does there. How loud what leaves is, is measured by pyloudnorm, from the fourth minute on: a correction goes
by 1 dB a minute at most. Exit code 1 if one is more than 2 dB off.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyloudnorm
import soundfile

from engine import assets
from engine.ear.leveling import Leveling
from engine.events import SoundMeasured
from engine.form.hearing import SoundHearing
from engine.outputs.gain import Gain
from engine.outputs.measuring.second import SecondMeter
from engine.sound.format import AudioFormat

NEAR = 2.0
"""dB that a scene may be off."""

SETTLED = 180
"""Seconds after which it is measured."""

HEAD = "| scene | as it is, LUFS | trim at the end, dB | as heard, LUFS | off, dB |\n|---|---|---|---|---|"


def leveled(sound: np.ndarray, target: float, ceiling: float = -1.0) -> tuple[np.ndarray, float]:
    """(sound as it leaves, trim at the end in dB) of sound [n, 2] as an installation lets it pass."""
    format = AudioFormat()
    gain, meter, leveling = Gain(format), SecondMeter(format), Leveling(target, ceiling, SoundHearing())
    left: list[np.ndarray] = []
    for start in range(0, len(sound) - format.rate + 1, format.rate):
        second = np.ascontiguousarray(sound[start : start + format.rate], np.float32)
        heard = np.frombuffer(gain.apply(second.tobytes()), np.float32).reshape(-1, 2)
        left.append(heard)
        steady = gain.steady
        level = None if steady is None else 20 * np.log10(steady)
        trim = 20 * np.log10(gain.trim)
        command = leveling.hear(SoundMeasured(start, *meter(heard), level, trim))
        if command is not None:
            gain.set_trim(command.decibels, command.seconds)
    return np.concatenate(left), 20 * np.log10(gain.trim)


def row(scene: str, minutes: float, target: float) -> tuple[str, bool]:
    """A row of the table of a scene, and whether it is as loud as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.wav"
        command = [sys.executable, "-m", "engine", "render", scene, "--minutes", f"{minutes:g}", "-o", str(path)]
        subprocess.run(command, check=True, capture_output=True)
        sound, rate = soundfile.read(path, dtype="float32")
    heard, trim = leveled(sound, target)
    meter = pyloudnorm.Meter(rate)
    before, after = (
        meter.integrated_loudness(one[SETTLED * rate :].astype(np.float64)) for one in (sound[: len(heard)], heard)
    )
    off = after - target
    return f"| {scene} | {before:.1f} | {trim:+.1f} | {after:.1f} | {off:+.1f} |", abs(off) <= NEAR


def main() -> int:
    """Print the table; gives the exit code."""
    parser = argparse.ArgumentParser(description="How loud the shipped scenes are, as an installation plays them.")
    parser.add_argument(
        "scenes", nargs="*", default=sorted(one.stem for one in assets.shipped("scenes").glob("*.yaml"))
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--target", type=float, default=-20.0)
    options = parser.parse_args()
    print(HEAD, flush=True)
    good = True
    for scene in options.scenes:
        text, near = row(scene, options.minutes, options.target)
        good = good and near
        print(text, flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
