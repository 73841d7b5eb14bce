"""A picture of what a network makes, beside held-out music: two piano rolls, drawn by matplotlib (the extra [plot])."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.errors import PerpetuumError
from engine.output_file import OutputFile, output_folder
from engine.score.drums import CLASS_OF_PITCH, CLASSES
from engine.training.evaluation.samples import Sample

_SIZE, _DPI = (9.0, 3.6), 80
"""Inches, and dots to each: the file stays below 40 kB."""


def draw(rows: dict[str, Sample], path: Path, drums: bool, unit: str = "beat") -> None:
    """Draw samples below each other on one axis of time; colour is velocity.

    Args:
        rows: samples by what is written beside them.
        path: of the .png; its folder is made.
        drums: pitches are drums.
        unit: of time, by which the axis is labelled.

    Raises:
        PerpetuumError: the picture cannot be drawn or written.
    """
    try:
        import matplotlib
    except ImportError:
        raise PerpetuumError("matplotlib, which draws, is not installed", "pip install 'matplotlib>=3.9,<4'") from None
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    figure, axes = plt.subplots(len(rows), 1, sharex=True, sharey=True, squeeze=False, figsize=_SIZE, layout="tight")
    heights = {name: _heights(sample, drums) for name, sample in rows.items()}
    heard = np.concatenate(list(heights.values()))
    for (name, sample), panel in zip(rows.items(), axes[:, 0], strict=True):
        notes = sample.notes
        lengths = np.full(len(notes), 0.2) if drums else np.maximum(notes["end"] - notes["start"], 0.05)
        boxes = [
            Rectangle((start, height - 0.4), length, 0.8)
            for start, length, height in zip(notes["start"], lengths, heights[name], strict=True)
        ]
        collection = PatchCollection(boxes, cmap="viridis", edgecolor="none")
        collection.set_array(notes["velocity"].astype(float))
        collection.set_clim(0, 127)
        panel.add_collection(collection)
        panel.set_ylabel(name, fontsize=8)
        panel.set_xlim(0, sample.length)
        panel.set_xticks(np.arange(0, sample.length + 1e-6, 4.0))
        panel.grid(axis="x", color="0.85", linewidth=0.5)
        panel.set_axisbelow(True)
        panel.tick_params(labelsize=7)
    if drums:
        axes[0, 0].set_yticks(range(len(CLASSES)), [name.replace("_", " ") for name in CLASSES])
        axes[0, 0].set_ylim(-0.8, len(CLASSES) - 0.2)
    elif len(heard):
        low, high = int(heard.min()), int(heard.max())
        octaves = range(-(-low // 12) * 12, high + 1, 12)
        axes[0, 0].set_yticks(list(octaves), [f"C{pitch // 12 - 1}" for pitch in octaves])
        axes[0, 0].set_ylim(low - 2, high + 2)
    axes[-1, 0].set_xlabel(unit, fontsize=8)
    try:
        output_folder(path.parent)
        with OutputFile(path, (".png",)) as output:
            figure.savefig(output.file, format="png", dpi=_DPI, metadata={"Software": None})
    finally:
        plt.close(figure)


def _heights(sample: Sample, drums: bool) -> np.ndarray:
    """Where each note stands: its pitch, or its drum."""
    pitches = sample.notes["pitch"].tolist()
    return np.array([CLASS_OF_PITCH.get(pitch, 0) if drums else pitch for pitch in pitches], float)
