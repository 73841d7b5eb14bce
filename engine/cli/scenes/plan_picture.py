"""The picture of a plan: what the form does with hours of a scene. It is plan data, and needs no notes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from engine.cli.common import clock_time
from engine.form.passes import Pass
from engine.form.plan import Plan
from engine.form.themes import theme_of, themes_in
from engine.pictures import new_figure, save_picture
from engine.score.dynamics import LEVELS, LOUDEST, SOFTEST
from engine.score.time import SAMPLE_RATE

_WIDTH, _MARGINS = 18.0, 1.6
"""Inches of the page, and of its height what title and axis of time take."""
_LINE, _CURVE = 0.2, 0.9
"""Inches of a line that has a name, and of a curve."""
_CALLED = {"tutti": "#c2185b", "quiet": "#2166ac"}
"""Colours of the passes that the form has called for as nothing else."""
_PLAIN = "0.45"

Span = tuple[float, float]
"""Begin and length, minutes."""


def plan_figure(plan: Plan, passes: Sequence[Pass]) -> Any:
    """A matplotlib figure of some passes, over minutes: movements and how full they are, sections, themes, parts that
    are heard, levels of playing, keys and tempo.

    Args:
        plan: whose they are.
        passes: one after another, at least one.
    """
    scene = plan.scene
    spans = [_span(plan, visit) for visit in passes]
    sections = _lines([(visit.section.name, span, _colour(visit)) for visit, span in zip(passes, spans, strict=True)])
    parts = {
        name: [span for visit, span in zip(passes, spans, strict=True) if name in plan.sounding(visit)]
        for name in scene.parts
    }
    keys = sorted({str(visit.key) for visit in passes})
    heights = [
        _CURVE,
        *(_LINE * lines for lines in (len(sections), len(scene.themes), len(parts))),
        _CURVE,
        max(_CURVE, _LINE * len(keys)),
        _CURVE,
    ]
    figure = new_figure(_WIDTH, sum(heights) + 0.12 * len(heights) + _MARGINS)
    last = sum(spans[-1])
    figure.suptitle(
        f"{scene.title}: {clock_time(60 * (last - spans[0][0]))}, {len(passes)} passes of sections, seed {plan.seed}",
        parse_math=False,
    )
    places = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    full, of_sections, of_themes, of_parts, levels, of_keys, tempo = places
    _draw_movements(full, passes, spans)
    _draw_lines(of_sections, "sections", sections)
    _draw_lines(of_themes, "themes", _themes(plan, passes, spans))
    _draw_lines(of_parts, "parts", {name: [(span, _PLAIN) for span in mine] for name, mine in parts.items()})
    _draw_levels(levels, passes, spans)
    of_keys.step(
        [*(begin for begin, _ in spans), last],
        [keys.index(str(visit.key)) for visit in (*passes, passes[-1])],
        where="post",
        color="0.2",
    )
    _name_lines(of_keys, "keys", keys)
    times = [
        plan.bar(bar).start / SAMPLE_RATE / 60 for visit in passes for bar in range(visit.first_bar, visit.end_bar)
    ]
    tempo.step(times, [qpm for visit in passes for qpm in visit.qpms], where="post", color="0.2")
    _label(tempo, "qpm")
    tempo.set_xlim(spans[0][0], last)
    tempo.set_xlabel("minutes")
    figure.align_ylabels(places)
    figure.tight_layout()
    return figure


def draw_plan(plan: Plan, passes: Sequence[Pass], path: Path) -> None:
    """Draw some passes of a plan into a file; see `plan_figure`.

    Raises:
        PerpetuumError: matplotlib is missing, or the file cannot be written.
    """
    save_picture(plan_figure(plan, passes), path)


def _span(plan: Plan, visit: Pass) -> Span:
    begin, end = (plan.bar(bar).start / SAMPLE_RATE / 60 for bar in (visit.first_bar, visit.end_bar))
    return begin, end - begin


def _colour(visit: Pass) -> str:
    return _CALLED.get(visit.called, _PLAIN)


def _lines(found: Sequence[tuple[str, Span, str]]) -> dict[str, list[tuple[Span, str]]]:
    """Coloured spans by the line that they lie in, in the order in which the lines first occur."""
    lines: dict[str, list[tuple[Span, str]]] = {}
    for name, span, colour in found:
        lines.setdefault(name, []).append((span, colour))
    return lines


def _themes(plan: Plan, passes: Sequence[Pass], spans: Sequence[Span]) -> dict[str, list[tuple[Span, str]]]:
    """A line for each theme; one that gives way to a new one goes on in another colour."""
    lines: dict[str, list[tuple[Span, str]]] = {theme.name: [] for theme in plan.scene.themes}
    turns: dict[str, list[str]] = {name: [] for name in lines}
    for visit, span in zip(passes, spans, strict=True):
        called = theme_of(plan.scene, plan.seed, visit)
        name = themes_in(plan.scene, visit)[called].name
        if called not in turns[name]:
            turns[name].append(called)
        lines[name].append((span, f"C{turns[name].index(called) % 10}"))
    return lines


def _draw_movements(axes: Any, passes: Sequence[Pass], spans: Sequence[Span]) -> None:
    """How full the form wants each pass, the names of its movements, and where it called for a tutti or a quiet."""
    from matplotlib.patches import Patch

    for visit, (begin, length) in zip(passes, spans, strict=True):
        axes.bar(begin, visit.intensity, length, align="edge", color=_CALLED.get(visit.called, "0.75"))
    places = zip(passes, spans, strict=True)
    for movement, some in groupby(places, lambda one: one[0].course.movement and one[0].course.movement.index):
        first, (begin, _) = next(some)
        if movement is not None and first.course.movement is not None:
            axes.axvline(begin, color="0.2", linewidth=0.8)
            axes.annotate(
                f"{movement + 1}, {first.course.movement.shape}",
                (begin, 1.0),
                (3, 3),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                fontsize=8,
                gid="movement",
            )
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 1], ["0 %", "100 %"], fontsize=7)
    _label(axes, "full")
    handles = [
        Patch(color=colour, label={"quiet": "planned quiet"}.get(called, called))
        for called, colour in _CALLED.items()
        if any(visit.called == called for visit in passes)
    ]
    if handles:
        axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, fontsize=8)


def _draw_lines(axes: Any, title: str, lines: dict[str, list[tuple[Span, str]]]) -> None:
    """Spans of time, in a line for each name."""
    for place, spans in enumerate(lines.values()):
        axes.broken_barh(
            [span for span, _ in spans],
            (place - 0.4, 0.8),
            facecolors=[colour for _, colour in spans],
            edgecolors="white",
            linewidths=0.3,
        )
    _name_lines(axes, title, list(lines))


def _name_lines(axes: Any, title: str, names: Sequence[str]) -> None:
    """Lines that have names, the first above."""
    axes.set_yticks(range(len(names)), names, fontsize=7)
    for tick in axes.get_yticklabels():
        tick.set_parse_math(False)
    axes.set_ylim(len(names) - 0.5, -0.5)
    _label(axes, title)


def _draw_levels(axes: Any, passes: Sequence[Pass], spans: Sequence[Span]) -> None:
    """Levels of playing at each bar line; mf where nothing is said."""
    for visit, (begin, length) in zip(passes, spans, strict=True):
        levels = visit.dynamics or (0.0, 0.0)
        axes.plot([begin + length * place / (len(levels) - 1) for place in range(len(levels))], levels, color="0.2")
    axes.set_ylim(SOFTEST - 0.5, LOUDEST + 0.5)
    axes.set_yticks(list(LEVELS.values()), list(LEVELS), fontsize=7)
    _label(axes, "levels")


def _label(axes: Any, title: str) -> None:
    axes.set_ylabel(title, rotation=0, ha="right", va="center", fontsize=9)
