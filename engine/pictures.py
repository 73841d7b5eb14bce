"""What all pictures of music share: notes as bars on an axis of time, the names beside them, and the file.

matplotlib (the extra [plot]) draws; it is imported only when something is drawn.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import PerpetuumError
from engine.output_file import OutputFile
from engine.score.drums import CLASS_OF_PITCH, CLASSES

PICTURES = (".png", ".svg", ".pdf")
"""What a picture that is written may be called."""

COLOURS = "viridis"
"""Of velocities, 1..127: dark is soft."""

_DRUMS = (*(name.replace("_", " ") for name in CLASSES), "other")

_STROKE = 0.2
"""Beats that a drum stroke is wide: how long it rings is not written."""

_MANY = 20_000
"""Notes of one lane from which on a vector picture has them as an image."""


def ensure_plotting() -> None:
    """Raise if pictures cannot be drawn here.

    Raises:
        PerpetuumError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise PerpetuumError("matplotlib, which draws, is not installed", "pip install 'matplotlib>=3.9,<4'")


def new_figure(width: float, height: float) -> Any:
    """An empty matplotlib figure of so many inches, which no window shows."""
    ensure_plotting()
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def save_picture(pages: Any | Iterable[Any], path: Path, dpi: int = 90) -> None:
    """Write a matplotlib figure to a file, or several as the pages of a .pdf.

    Args:
        pages: a figure, or figures, which are asked for one after another; of a .png and .svg the first is taken.
        path: whose ending, one of `PICTURES`, says the kind; a device gets a .png.
        dpi: dots to each inch of a .png.

    Raises:
        PerpetuumError: the picture cannot be written.
    """
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    figures = iter([pages] if isinstance(pages, Figure) else pages)
    with OutputFile(path, PICTURES) as output:
        kind = path.suffix.lower().removeprefix(".") if output.target.place is not None else "png"
        if kind == "pdf":
            with PdfPages(output.file, metadata={"CreationDate": None}) as pdf:
                for page in figures:
                    pdf.savefig(page, dpi=dpi)
        else:
            # The same picture is the same bytes: no versions, no dates.
            unsaid = {"Software" if kind == "png" else "Date": None}
            next(figures).savefig(output.file, format=kind, dpi=dpi, metadata=unsaid)


def drum_name(pitch: int) -> str:
    """Of a pitch of General MIDI's drums: one of the nine classes, or "other"."""
    return _DRUMS[CLASS_OF_PITCH.get(pitch, -1)]


@dataclass(frozen=True, slots=True)
class Heights:
    """The vertical axis of some notes: their pitches in semitones, or a line for each drum that is struck.

    Attributes:
        pitches: all that occur, the lowest first.
        drums: they are drums of General MIDI.
    """

    pitches: tuple[int, ...]
    drums: bool

    @classmethod
    def of(cls, pitches: np.ndarray, drums: bool) -> Heights:
        """The axis that holds some pitches [n]."""
        return cls(tuple(np.unique(pitches).tolist()), drums)

    @property
    def struck(self) -> list[str]:
        """Names of the drums that are struck, the lowest first."""
        return sorted({drum_name(pitch) for pitch in self.pitches}, key=_DRUMS.index)

    @property
    def limits(self) -> tuple[float, float]:
        """Of the axis: a line for each drum, or the semitones with some room around them."""
        if self.drums or not self.pitches:
            return -0.6, max(1, len(self.struck)) - 0.4
        return self.pitches[0] - 2.0, self.pitches[-1] + 2.0

    @property
    def ticks(self) -> dict[float, str]:
        """What stands where: the names of the drums, or those of the Cs within the limits."""
        if self.drums:
            return {float(place): name for place, name in enumerate(self.struck)}
        if not self.pitches:
            return {}
        low, high = self.limits
        return {float(pitch): f"C{pitch // 12 - 1}" for pitch in range(-(-int(low) // 12) * 12, int(high) + 1, 12)}

    def __call__(self, pitches: np.ndarray) -> np.ndarray:
        """Where notes of some pitches [n] stand, [n]."""
        if not self.drums:
            return pitches.astype(float)
        lines = self.struck
        return np.array([lines.index(drum_name(pitch)) for pitch in pitches.tolist()], float)


def draw_notes(axes: Any, notes: np.ndarray, heights: Heights, unit: float = 1.0, shortest: float = 0.05) -> Any:
    """Draw notes as bars, whose colour is their velocity, and name the heights.

    Args:
        axes: of matplotlib.
        notes: array [n] of `NOTE`.
        heights: the vertical axis.
        unit: beats of the notes to one unit of the horizontal axis.
        shortest: beats that a note is drawn long at least.

    Returns:
        The matplotlib collection of them.
    """
    from matplotlib.collections import PolyCollection

    lengths = np.full(len(notes), _STROKE) if heights.drums else np.maximum(notes["end"] - notes["start"], shortest)
    left, right = notes["start"] / unit, (notes["start"] + lengths) / unit
    middle = heights(notes["pitch"])
    low, high = middle - 0.4, middle + 0.4
    corners = np.stack([left, low, left, high, right, high, right, low], axis=-1).reshape(len(notes), 4, 2)
    boxes = PolyCollection(list(corners), cmap=COLOURS, edgecolors="none", rasterized=len(notes) > _MANY)
    boxes.set_array(notes["velocity"].astype(float))
    boxes.set_clim(1, 127)
    axes.add_collection(boxes)
    axes.set_ylim(*heights.limits)
    axes.set_yticks(list(heights.ticks), list(heights.ticks.values()))
    axes.set_axisbelow(True)
    return boxes


def velocity_legend(figure: Any, place: Any, **more: Any) -> Any:
    """Say which colour is which velocity, in axes of their own.

    Args:
        figure: of matplotlib.
        place: axes for the legend.
        more: for matplotlib's `colorbar`.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    legend = figure.colorbar(ScalarMappable(Normalize(1, 127), COLOURS), cax=place, **more)
    legend.set_label("velocity", fontsize=7)
    legend.set_ticks([1, 32, 64, 96, 127])
    legend.ax.tick_params(labelsize=6)
    return legend
