"""The piano roll of a performance, on a page like a score: rows of bars, in each a lane for every part."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from engine.conductor.recorder import Recording
from engine.events import SectionBegan
from engine.pictures import Heights, draw_notes, ensure_plotting, new_figure, save_picture, velocity_legend
from engine.score.dynamics import written_levels
from engine.score.phrase import Origin

PAGE = (16.5, 23.4)
"""Inches of a whole page, that of A2; a short performance takes less of its height."""

ROWS = (16, 32, 48, 64, 80, 96)
"""Bars that a row may have, where a page is to be read as notes."""

MADE = {
    Origin.NETWORK: ("#c2185b", "made by a network"),
    Origin.FALLBACK: ("black", "made by rules, where a generator failed or was late"),
}
"""Colour and meaning of the strip under a lane."""

_COMFORT, _LEAST, _MOST = 0.5, 0.3, 0.9
"""Inches of a lane: from which on no denser row is tried, at least, and at most."""
_TITLE, _MARGIN, _LANE_GAP, _NUMBERS = 0.75, 0.3, 0.07, 0.22
"""Inches above the rows, around them, between lanes, and for the numbers of bars."""
_TICKS = 0.55
"""Inches for what stands at the vertical axes, and again for what a number of a bar takes."""
_SECTION, _CHORD = 10.0, 8.0
"""Points of a line of sections, and of one of chords."""
_NAME = 24
"""Characters of the name of a part, at most."""
_DRUM = 5
"""Semitones that a drum takes as much room as."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are on a page, in inches.

    Attributes:
        bars: in each row.
        rows: on each page, at most.
        lanes: height of each.
        left: of the rows, from the left edge.
        standing: chords are written upwards, for they are too close for a line.
        head: above each row, for sections and chords.
    """

    bars: int
    rows: int
    lanes: tuple[float, ...]
    left: float
    standing: bool
    head: float

    @property
    def row(self) -> float:
        """Height of a row, with what stands above and below."""
        return self.head + sum(self.lanes) + _LANE_GAP * len(self.lanes) + _NUMBERS

    @property
    def bar(self) -> float:
        """Width of a bar."""
        return (PAGE[0] - self.left - _MARGIN) / self.bars


def piano_roll(recording: Recording, path: Path) -> None:
    """Draw a performance into a file; a .pdf has as many pages as it needs.

    Raises:
        PerpetuumError: the picture cannot be drawn or written.
    """
    ensure_plotting()
    save_picture(piano_roll_pages(recording, several=path.suffix.lower() == ".pdf"), path, dpi=100)


def piano_roll_pages(recording: Recording, several: bool = False) -> Iterator[Any]:
    """Matplotlib figures: rows of bars, in each a lane for every part that plays; colour is velocity.

    Above each row stand the sections, their tempo and key (where it changes), and the chords; a strip under a lane says
    which bars networks made. Bars are counted from 1; bar n begins at n - 1 on the axis.

    Args:
        recording: what was played.
        several: as many pages as are needed for notes to be read; else one page, the denser the longer it is.
    """
    names = [name for name in recording.scene.parts if name in recording.notes] or list(recording.scene.parts)[:1]
    heights = [
        Heights.of(recording.part_notes(name)["pitch"], recording.scene.parts[name].role == "drums") for name in names
    ]
    layout = layout_of(recording, names, heights, several)
    starts = range(0, max(1, recording.bars), layout.bars)
    for first in range(0, len(starts), layout.rows):
        yield _page(recording, layout, dict(zip(names, heights, strict=True)), starts[first : first + layout.rows])


def layout_of(recording: Recording, names: Sequence[str], heights: Sequence[Heights], several: bool) -> Layout:
    """How a performance is laid out: with the shortest rows of `ROWS` that leave the lanes room enough.

    Args:
        recording: what was played.
        names, heights: of the lanes.
        several: pages; else one, whose rows may be longer than any of `ROWS`.
    """
    total = max(1, recording.bars)
    left = _MARGIN / 2 + max(_width(_short(name), 8) for name in names) / 72 + 0.1 + _TICKS
    lines = [_DRUM * len(one.struck) if one.drums else one.limits[1] - one.limits[0] for one in heights]
    weights = [max(line, 0.6 * sum(lines) / len(lines), 1.0) for line in lines]
    shares = [weight / sum(weights) * len(weights) for weight in weights]

    longest = max((_width(name, 5.5) for name in {span.chord.name for span in recording.chords}), default=0.0)

    def laid_out(bars: int, rows: int) -> Layout:
        """With lanes as high as a whole page leaves."""
        standing = _standing(recording, (PAGE[0] - left - _MARGIN) / bars)
        chords = longest if standing else _CHORD if recording.chords else 0.0
        head = (_SECTION + chords + 4) / 72
        room = (PAGE[1] - _TITLE - _MARGIN) / rows - head - _NUMBERS - _LANE_GAP * len(names)
        lane = min(_MOST, room / len(names))
        return Layout(bars, rows, tuple(lane * share for share in shares), left, standing, head)

    for enough in (_COMFORT, _LEAST):
        for bars in (total,) if total <= ROWS[0] else ROWS:
            layout = laid_out(bars, -(-total // bars))
            if sum(layout.lanes) >= enough * len(names):
                return layout
    # More than a page has room for: many pages, or rows as long as they must be. With very many parts the page grows.
    least = tuple(_LEAST * share for share in shares)
    row = replace(laid_out(ROWS[-1], 1), lanes=least).row
    rows = max(1, int((PAGE[1] - _TITLE - _MARGIN) / row))
    bars = min(total, ROWS[-1]) if several else -(-total // (rows * ROWS[0])) * ROWS[0]
    return replace(laid_out(bars, rows), lanes=least)


def _page(recording: Recording, layout: Layout, lanes: Mapping[str, Heights], starts: Sequence[int]) -> Any:
    """A figure of the rows that begin at some bars."""
    tall = _TITLE + layout.row * len(starts) + _MARGIN
    figure = new_figure(PAGE[0], tall)
    for place, start in enumerate(starts):
        end = min(start + layout.bars, max(1, recording.bars))
        top = tall - _TITLE - layout.row * place - layout.head
        width = layout.bar * (end - start)
        panels = []
        for (name, heights), lane in zip(lanes.items(), layout.lanes, strict=True):
            box = (layout.left / PAGE[0], (top - lane) / tall, width / PAGE[0], lane / tall)
            panels.append(figure.add_axes(box))
            _draw_lane(panels[-1], recording, name, heights, (start, end), (width, lane))
            top -= lane + _LANE_GAP
        step = 1
        while step * layout.bar < _TICKS * 0.7:
            step *= 2
        ticks = range(start, end, step)
        for panel in panels:
            panel.set_xticks(list(ticks), [""] * len(ticks))
            panel.tick_params(axis="x", length=0)
            panel.grid(axis="x", color="0.9", linewidth=0.4)
        panels[-1].set_xticks(list(ticks), [str(bar + 1) for bar in ticks], fontsize=6)
        panels[-1].tick_params(axis="x", pad=4)
        _write_sections(panels[0], recording, layout, start, end)
        _write_chords(panels[0], recording, layout, start, end)
    _write_heading(figure, recording, lanes, tall)
    return figure


def _draw_lane(
    axes: Any, recording: Recording, name: str, heights: Heights, bars: tuple[int, int], size: tuple[float, float]
) -> None:
    """Draw the notes of a part in some bars, with the strip that says who made them.

    Args:
        axes, recording, name, heights: of the part.
        bars: the first, and the first after them.
        size: of the axes, in inches.
    """
    (start, end), beats = bars, recording.scene.meter.beats_per_bar
    notes = recording.part_notes(name)
    here = notes[(notes["start"] < end * beats) & (notes["end"] > start * beats)]
    draw_notes(axes, here, heights, unit=beats, shortest=0.1)
    axes.set_xlim(start, end)
    lines = heights.limits[1] - heights.limits[0]
    points = min(6.0, 0.9 * 72 * size[1] / lines) if heights.drums else 6.0
    axes.tick_params(axis="y", labelsize=points, length=2, pad=1.5)
    axes.set_ylabel(_short(name), rotation=0, ha="right", va="center", fontsize=8)
    axes.yaxis.set_label_coords(-_TICKS / size[0], 0.5)
    for edge in axes.spines.values():
        edge.set(color="0.6", linewidth=0.6)
    for visit in recording.passes:
        if start < visit.first_bar < end:
            axes.axvline(visit.first_bar, color="0.35", linewidth=0.8)
    strip = 0.035 / size[1]
    for origin, (colour, meaning) in MADE.items():
        made = [bar for bar, who in recording.origins.get(name, {}).items() if who is origin and start <= bar < end]
        if made:
            axes.broken_barh(
                [(bar, 1) for bar in made],
                (-strip, strip),
                transform=axes.get_xaxis_transform(),
                color=colour,
                linewidth=0,
                clip_on=False,
                label=meaning,
            )
            axes.set_xlim(start, end)


def _write_sections(axes: Any, recording: Recording, layout: Layout, start: int, end: int) -> None:
    """Name the sections above a row, each as far as there is room until the next; one that goes on is named again."""
    for visit, before in zip(recording.passes, (None, *recording.passes), strict=False):
        first, last = max(start, visit.first_bar), min(end, visit.end_bar)
        if first >= last:
            continue
        goes_on = visit.first_bar < start
        room = (last - first) * layout.bar * 72 - 5
        key_too = before is None or visit.key != before.key
        says = next((text for text in _said(visit, key_too, goes_on) if _width(text, 7) <= room), "")
        if says:
            place, above = (first, 1.0), (1.5, layout.head * 72 - _SECTION)
            axes.annotate(
                says,
                place,
                above,
                xycoords=axes.get_xaxis_transform(),
                textcoords="offset points",
                fontsize=7,
                color="0.5" if goes_on else "black",
                parse_math=False,
                gid="section",
            )


def _said(visit: SectionBegan, key_too: bool, goes_on: bool) -> Iterator[str]:
    """What can be said of a pass, the most first."""
    name = visit.section
    if goes_on:
        yield f"({name})"
        return
    first, last = visit.qpms[0], visit.qpms[-1]
    tempo = f"{first:g} qpm" if first == last else f"{first:g} to {last:g} qpm"
    key = f", {visit.key}" if key_too else ""
    if visit.dynamics:
        yield f"{name}: {tempo}{key}, {written_levels(visit.dynamics)}"
    yield f"{name}: {tempo}{key}"
    if visit.dynamics:
        yield f"{name}: {written_levels(visit.dynamics)}{key}"
    if key:
        yield f"{name}{key}"
    yield name
    yield from (f"{name[:size]}…" for size in range(len(name) - 1, 1, -1))


def _write_chords(axes: Any, recording: Recording, layout: Layout, start: int, end: int) -> None:
    """Write the chords above a row where they begin, but those that would run into the one before."""
    beats = recording.scene.meter.beats_per_bar
    free = -math.inf
    for span in recording.chords:
        first = max(start, span.start / beats)
        if span.end / beats <= first + 1e-9 or first >= end:
            continue
        left = first * layout.bar * 72
        if left < free:
            continue
        name = span.chord.name
        free = left + (6.0 if layout.standing else _width(name, 6) + 2)
        axes.annotate(
            name,
            (first, 1.0),
            (0.5, 2.0),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            fontsize=5.5 if layout.standing else 6,
            rotation=90 if layout.standing else 0,
            color="0.25",
            gid="chord",
        )


def _standing(recording: Recording, bar: float) -> bool:
    """Whether a tenth of the chords has no room for its name in a line, if a bar is so many inches wide."""
    beats = recording.scene.meter.beats_per_bar
    tight = [_width(span.chord.name, 6) + 2 > (span.end - span.start) / beats * bar * 72 for span in recording.chords]
    return sum(tight) > len(tight) / 10


def _write_heading(figure: Any, recording: Recording, lanes: Mapping[str, Heights], tall: float) -> None:
    """Write the title, and what the colours mean."""
    from matplotlib.patches import Patch

    figure.text(_MARGIN / PAGE[0], 1 - 0.4 / tall, recording.scene.title, fontsize=13, parse_math=False)
    place = figure.add_axes(((PAGE[0] - _MARGIN - 2.0) / PAGE[0], 1 - 0.27 / tall, 2.0 / PAGE[0], 0.1 / tall))
    velocity_legend(figure, place, orientation="horizontal")
    seen = {who for name in lanes for who in recording.origins.get(name, {}).values()}
    strips = [Patch(color=colour, label=meaning) for who, (colour, meaning) in MADE.items() if who in seen]
    if strips:
        figure.legend(
            handles=strips,
            loc="upper right",
            bbox_to_anchor=((PAGE[0] - _MARGIN - 2.2) / PAGE[0], 1 - 0.1 / tall),
            ncols=len(strips),
            fontsize=7,
            frameon=False,
            handleheight=0.4,
        )


def _short(name: str) -> str:
    """The name of a part, as much as there is room for."""
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"


@cache
def _width(text: str, size: float) -> float:
    """Points that a text of a size in points is wide."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    return text_to_path.get_text_width_height_descent(text, FontProperties(size=size), ismath=False)[0]
