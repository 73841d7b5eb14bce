"""An hour of a scene in one picture: notes by part and theme, density, loudness of playing, key and sections.

    python -m tests.proofs.hours.roll KEPT.jsonl.gz -o docs/ground.png [--title "Variations on a Ground"]

KEPT is what `python -m tests.proofs.hours SCENE --keep FOLDER` leaves.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.collections import LineCollection

from engine.pictures import new_figure, save_picture
from tests.proofs.hours import notes
from tests.proofs.hours.notes import PartInBar

WINDOW = 30.0
"""Seconds over which the curves are means."""


def picture(rows: Sequence[PartInBar], title: str):
    """Piano rolls of the parts that sing, then drums as density, then the curves."""
    heard = [row for row in rows if row.heard]
    parts = list(dict.fromkeys(row.part for row in heard))
    themes = sorted({row.theme for row in heard if row.theme})
    colours = {theme: f"C{place % 10}" for place, theme in enumerate(themes)}
    figure = new_figure(18, 1.2 * len(parts) + 6.0)
    figure.suptitle(title)
    axes = figure.subplots(
        len(parts) + 4, 1, sharex=True, gridspec_kw={"height_ratios": [2.0] * len(parts) + [1.0, 1.0, 2.0, 2.0]}
    )
    for place, part in zip(axes, parts, strict=False):
        _roll(place, [row for row in heard if row.part == part], colours)
        place.set_ylabel(part, rotation=0, ha="right")
    _curves(axes[len(parts) : -1], heard)
    for theme, colour in colours.items():
        axes[0].plot([], [], color=colour, linewidth=3, label=theme)
    axes[0].plot([], [], color="0.75", linewidth=3, label="free")
    axes[0].legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=8, frameon=False, fontsize=8)
    _sections(axes[-1], heard)
    axes[-1].set_xlabel("minutes")
    figure.tight_layout()
    return figure


def _roll(place, rows: Sequence[PartInBar], colours: dict[str, str]) -> None:
    lines, shades = [], []
    for row in rows:
        second = 60.0 / row.qpm
        for start, end, pitch, _ in row.notes:
            left = (row.t + start * second) / 60
            lines.append([(left, pitch), (left + max(end - start, 0.5) * second / 60, pitch)])
            shades.append(colours.get(row.theme, "0.75"))
    place.add_collection(LineCollection(lines, colors=shades, linewidths=2.0, rasterized=True))
    place.autoscale()
    place.set_yticks([])


def _curves(places, rows: Sequence[PartInBar]) -> None:
    last = max(row.t for row in rows)
    times = np.arange(0.0, last, WINDOW)
    onsets = np.array([row.t + start * 60 / row.qpm for row in rows for start, *_ in row.notes])
    loud = np.array([velocity for row in rows for *_, velocity in row.notes], float)
    counts = np.array([((onsets >= time) & (onsets < time + WINDOW)).sum() for time in times])
    places[0].plot(times / 60, counts / WINDOW, color="0.2")
    places[0].set_ylabel("notes/s", rotation=0, ha="right")
    means = [
        loud[(onsets >= time) & (onsets < time + WINDOW)].mean() if count else np.nan
        for time, count in zip(times, counts, strict=True)
    ]
    places[1].plot(times / 60, means, color="0.2")
    places[1].set_ylabel("velocity", rotation=0, ha="right")
    keys = sorted({row.key for row in rows})
    bars = {row.bar: row for row in rows}
    seconds = [bars[bar].t / 60 for bar in sorted(bars)]
    places[2].step(seconds, [keys.index(bars[bar].key) for bar in sorted(bars)], where="post", color="0.2")
    places[2].set_yticks(range(len(keys)), keys, fontsize=7)
    places[2].set_ylim(-0.5, len(keys) - 0.5)


def _sections(place, rows: Sequence[PartInBar]) -> None:
    """When each section plays, one line each, in the order in which they came."""
    bars = {row.bar: row for row in rows}
    names = list(dict.fromkeys(bars[bar].sec for bar in sorted(bars)))
    spans = [(row.t / 60, row.beats / row.qpm, names.index(row.sec)) for row in (bars[bar] for bar in sorted(bars))]
    for line in range(len(names)):
        place.broken_barh([(left, width) for left, width, one in spans if one == line], (line - 0.4, 0.8), color="0.4")
    place.set_yticks(range(len(names)), names, fontsize=7)
    place.set_ylim(len(names) - 0.5, -0.5)


def main() -> None:
    """Draw what was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kept", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--title", default="")
    parser.add_argument("--hours", type=float, default=1.0, help="so much of them, from the start")
    asked = parser.parse_args()
    rows = [row for row in notes.load(asked.kept) if row.t < asked.hours * 3600]
    save_picture(picture(rows, asked.title), asked.output, dpi=60)


if __name__ == "__main__":
    main()
