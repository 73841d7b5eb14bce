"""The piano roll of a performance, drawn by matplotlib (the extra [plot])."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from engine.conductor.recorder import Recording
from engine.errors import PerpetuumError
from engine.output_file import OutputFile
from engine.score.drums import CLASS_OF_PITCH, CLASSES

ROW_HEIGHT = 1.5
"""Inches of picture for each part."""

MAX_WIDTH = 60.0

LABEL_WIDTH = 0.5
"""Inches that the number of a bar needs at least."""

PICTURES = (".png", ".svg", ".pdf")
"""What a picture that is written may be called."""


def ensure_plotting() -> None:
    """Raise if pictures cannot be drawn here.

    Raises:
        PerpetuumError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise PerpetuumError("--plot needs matplotlib, which is not installed", "pip install 'matplotlib>=3.9,<4'")


def save_picture(figure: Any, path: Path) -> None:
    """Write a matplotlib figure to a file, and close it.

    Raises:
        PerpetuumError: the picture cannot be written.
    """
    import matplotlib.pyplot as plt

    try:
        with OutputFile(path, PICTURES) as output:
            kind = path.suffix.lower().removeprefix(".") if output.target.place is not None else "png"
            figure.savefig(output.file, format=kind, dpi=90)
    finally:
        plt.close(figure)


def piano_roll(recording: Recording, path: Path) -> None:
    """Draw a performance into a file.

    Raises:
        PerpetuumError: the picture cannot be drawn or written.
    """
    ensure_plotting()
    save_picture(piano_roll_figure(recording), path)


def piano_roll_figure(recording: Recording) -> Any:
    """A matplotlib figure: a row for each part that plays, on a common axis of bars, with sections; colour is velocity.

    Bars are counted from 1; bar n begins at n - 1 on the axis.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.cm import ScalarMappable
    from matplotlib.collections import PatchCollection
    from matplotlib.colors import Normalize
    from matplotlib.patches import Rectangle

    scene = recording.scene
    beats = scene.meter.beats_per_bar
    names = [name for name in scene.parts if name in recording.notes] or list(scene.parts)[:1]
    width = min(MAX_WIDTH, max(10.0, recording.bars * 0.28))
    figure, rows = plt.subplots(
        len(names), 1, sharex=True, squeeze=False, figsize=(width, ROW_HEIGHT * len(names) + 1.2), layout="constrained"
    )
    for name, axes in zip(names, rows[:, 0], strict=True):
        notes = recording.part_notes(name)
        drums = scene.parts[name].role == "drums"
        heights = (
            np.array([CLASS_OF_PITCH.get(int(pitch), 0) for pitch in notes["pitch"]], float)
            if drums
            else notes["pitch"].astype(float)
        )
        lengths = np.full(len(notes), 0.22) if drums else notes["end"] - notes["start"]
        boxes = [
            Rectangle((start / beats, height - 0.4), max(length, 0.1) / beats, 0.8)
            for start, height, length in zip(notes["start"], heights, lengths, strict=True)
        ]
        collection = PatchCollection(boxes, cmap="viridis", edgecolor="none")
        collection.set_array(notes["velocity"].astype(float))
        collection.set_clim(1, 127)
        axes.add_collection(collection)
        if drums:
            axes.set_yticks(range(len(CLASSES)), [kind.replace("_", " ") for kind in CLASSES], fontsize=6)
            axes.set_ylim(-0.8, len(CLASSES) - 0.2)
        elif len(notes):
            low, high = float(heights.min()), float(heights.max())
            axes.set_ylim(low - 2, high + 2)
            octaves = range(12 * int(low // 12), int(high) + 12, 12)
            axes.set_yticks(list(octaves), [f"C{pitch // 12 - 1}" for pitch in octaves], fontsize=7)
        else:
            axes.set_yticks([])
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
        for visit in recording.passes:
            axes.axvline(visit.first_bar, color="0.35", linewidth=0.8)
        axes.set_xlim(0, recording.bars)
        axes.grid(axis="x", color="0.92", linewidth=0.4)
        axes.set_axisbelow(True)
    for visit in recording.passes:
        rows[0, 0].annotate(
            f"{visit.section.name}\n{visit.qpms[0]:g} qpm",
            (visit.first_bar, 1.02),
            xycoords=("data", "axes fraction"),
            fontsize=7,
            va="bottom",
        )
    step = 1
    while step * width / max(1, recording.bars) < LABEL_WIDTH:
        step *= 2
    ticks = range(0, recording.bars, step)
    rows[-1, 0].set_xticks(list(ticks), [str(bar + 1) for bar in ticks], fontsize=7)
    rows[-1, 0].set_xlabel("bar")
    legend = figure.colorbar(ScalarMappable(Normalize(1, 127), "viridis"), ax=rows[:, 0], aspect=30, pad=0.01)
    legend.set_label("velocity", fontsize=8)
    legend.set_ticks([1, 32, 64, 96, 127])
    legend.ax.tick_params(labelsize=7)
    figure.suptitle(scene.title, fontsize=11)
    return figure
