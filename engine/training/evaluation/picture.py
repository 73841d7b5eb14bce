"""Pictures of what a network makes, beside held-out music, drawn by matplotlib (the extra [plot])."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.output_file import output_folder
from engine.pictures import Heights, draw_notes, drum_name, new_figure, save_picture, velocity_legend
from engine.training.evaluation.samples import Sample
from engine.training.evaluation.statistics import late

EXCERPTS = 3
"""Of each kind of music in a picture."""

_WIDTH, _PANEL, _DPI = 10.0, 1.5, 80
"""Inches of a picture, and of each panel's height; dots to each inch: the file stays below 60 kB."""
_TITLE = 72
"""Characters of a title, at most."""
_AT_LEAST = 25.0
"""Milliseconds that the axis of deviations reaches to, at least."""


def draw_excerpts(
    held_out: Sequence[Sample], made: Sequence[Sample], path: Path, drums: bool, unit: str = "beat"
) -> None:
    """Draw held-out music on the left and a network's on the right, below each other; colour is velocity.

    Args:
        held_out, made: of each, as many as there are to be rows.
        path: of the .png; its folder is made.
        drums: pitches are drums.
        unit: of time, by which the axis is labelled.

    Raises:
        PerpetuumError: the picture cannot be drawn or written.
    """
    output_folder(path.parent)
    save_picture(excerpts_figure(held_out, made, drums, unit), path, _DPI)


def draw_deviations(played: Sequence[Sample], made: Sequence[Sample], path: Path) -> None:
    """Draw how early and late drummers and a network are at the same strokes; see `deviations_figure`.

    Raises:
        PerpetuumError: the picture cannot be drawn or written.
    """
    output_folder(path.parent)
    save_picture(deviations_figure(played, made), path, _DPI)


def excerpts_figure(held_out: Sequence[Sample], made: Sequence[Sample], drums: bool, unit: str = "beat") -> Any:
    """The matplotlib figure of `draw_excerpts`; each panel is titled by where its music is from."""
    rows = max(len(held_out), len(made))
    figure = new_figure(_WIDTH, _PANEL * rows + 0.6)
    figure.set_layout_engine("constrained")
    panels = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
    heard = [sample.notes["pitch"] for sample in (*held_out, *made)]
    heights = Heights.of(np.concatenate(heard), drums)
    for column, samples in enumerate((held_out, made)):
        for panel, sample in zip(panels[:, column], samples, strict=False):
            draw_notes(panel, sample.notes, heights)
            whose = "held out" if column == 0 else "network, told of" if sample.source else "network"
            panel.set_title(_title(whose, sample.source), fontsize=7, loc="left", pad=3, parse_math=False)
            panel.set_xlim(0, sample.length)
            panel.set_xticks(np.arange(0, sample.length + 1e-6, 4.0))
            panel.grid(axis="x", color="0.85", linewidth=0.5)
            panel.tick_params(labelsize=6)
        panels[-1, column].set_xlabel(unit, fontsize=7)
    place = figure.colorbar(
        panels[0, 0].collections[0], ax=panels, orientation="vertical", aspect=40, pad=0.01, fraction=0.03
    ).ax
    place.clear()
    velocity_legend(figure, place)
    return figure


def deviations_figure(played: Sequence[Sample], made: Sequence[Sample]) -> Any:
    """A matplotlib figure of strokes by their place on the grid, and milliseconds behind it (before it: negative).

    Rings are what drummers played, dots of the same colour what the network plays; a line joins the two where both
    strike the same drum at the same sixteenth.

    Args:
        played, made: the same windows, as many as there are to be panels.
    """
    figure = new_figure(_WIDTH, _PANEL * len(played) + 0.6)
    figure.set_layout_engine("constrained")
    panels = figure.subplots(len(played), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    drums = Heights.of(np.concatenate([sample.notes["pitch"] for sample in (*played, *made)]), drums=True).struck
    colours = {name: f"C{place}" for place, name in enumerate(drums)}
    furthest = _AT_LEAST
    for panel, theirs, ours in zip(panels, played, made, strict=True):
        strokes = []
        for sample, filled in ((theirs, False), (ours, True)):
            steps, milliseconds = late(sample)
            names = [drum_name(pitch) for pitch in sample.notes["pitch"].tolist()]
            shades = [colours[name] for name in names]
            panel.scatter(
                steps / 4,
                milliseconds,
                s=16 if filled else 34,
                facecolors=shades if filled else "none",
                edgecolors="none" if filled else shades,
                linewidths=1.0,
                zorder=3,
                label="network" if filled else "drummer",
            )
            strokes.append(dict(zip(zip(names, steps.tolist(), strict=True), milliseconds.tolist(), strict=True)))
            furthest = max(furthest, float(np.abs(milliseconds).max(initial=0.0)))
        both = [stroke for stroke in strokes[0] if stroke in strokes[1]]
        for name, step in both:
            ends = strokes[0][name, step], strokes[1][name, step]
            panel.plot([step / 4] * 2, ends, color=colours[name], linewidth=0.6, alpha=0.6)
        panel.axhline(0.0, color="0.3", linewidth=0.7)
        panel.set_title(
            _title("held out", f"{theirs.source}, {theirs.qpm:.0f} qpm"),
            fontsize=7,
            loc="left",
            pad=3,
            parse_math=False,
        )
        panel.set_xlim(-0.2, theirs.length)
        panel.set_xticks(np.arange(0, theirs.length + 1e-6, 1.0))
        panel.grid(axis="x", color="0.9", linewidth=0.5)
        panel.tick_params(labelsize=6)
        panel.set_ylabel("ms late", fontsize=7)
    panels[0].set_ylim(-1.1 * furthest, 1.1 * furthest)
    panels[-1].set_xlabel("beat", fontsize=7)
    _explain(figure, colours)
    return figure


def _explain(figure: Any, colours: dict[str, str]) -> None:
    """The legend of a figure of deviations."""
    from matplotlib.lines import Line2D

    def mark(colour: str, filled: bool, label: str) -> Any:
        inside = colour if filled else "none"
        return Line2D([], [], marker="o", linestyle="", markerfacecolor=inside, markeredgecolor=colour, label=label)

    marks = [mark("0.3", False, "drummer"), mark("0.3", True, "network")]
    marks += [mark(colour, True, name) for name, colour in colours.items()]
    figure.legend(handles=marks, loc="outside right upper", fontsize=7, frameon=False)


def _title(whose: str, source: str) -> str:
    """What stands above a panel."""
    title = f"{whose}: {source}" if source else whose
    return title if len(title) <= _TITLE else title[: _TITLE - 1] + "…"
