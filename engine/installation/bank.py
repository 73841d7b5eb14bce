# pyright: strict
"""Renders the fallback bank: `python -m engine.installation.bank SCENE SEED SECONDS FILE`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile  # pyright: ignore[reportMissingTypeStubs]

from engine.installation.mind.process import playable
from engine.output_file import OutputFile
from engine.runtime.ending import Ending
from engine.runtime.render import render
from engine.score.time import SAMPLE_RATE

CROSS = 3 * SAMPLE_RATE
"""Frames over which its end fades into its beginning."""


def main(scene: str, seed: str, seconds: str, file: str) -> None:
    """Render it: the end fades into the beginning, so that it can be played over and over."""
    with tempfile.TemporaryDirectory(dir=Path(file).parent, prefix=".bank-") as folder:
        wav = Path(folder) / "bank.wav"
        length = float(seconds) + 2 * CROSS / SAMPLE_RATE
        render(playable(Path(scene)), int(seed), wav, lambda plan: Ending.after_seconds(plan, length))
        sound, _ = soundfile.read(wav, dtype="float32")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    sound = np.asarray(sound, np.float32)[:-CROSS]  # without the render's own fade
    rise = np.sin(np.linspace(0.0, np.pi / 2, CROSS, dtype=np.float32))[:, None]
    sound[:CROSS] = sound[:CROSS] * rise + sound[-CROSS:] * rise[::-1]
    with OutputFile(Path(file)) as growing:
        growing.file.write(sound[:-CROSS].tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
