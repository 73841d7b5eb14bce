"""What was measured, as a table, as JSON and as a page of the documentation."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.measure import Result, Side
from benchmarks.subjects import BEATS_PER_BAR, QPM

_COLUMNS = (
    "network",
    "steps/s",
    "Magenta steps/s",
    "ratio",
    "of the best",
    "call ms",
    "Magenta call ms",
    "roof ms",
    "share of roof",
    "aim",
)
_MEMORY_COLUMNS = (
    "network",
    "import s",
    "load s",
    "load Magenta's file s",
    "peak MB",
    "Magenta import s",
    "Magenta load s",
    "Magenta peak MB",
)


def processor() -> str:
    """The processor's name, as the kernel tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """The table of speeds, as text."""
    return [
        (
            result.subject.name,
            _rate(result.ours, result.subject.batch),
            "" if result.original is None else _rate(result.original, result.original_batch),
            _times(result.ratio("median")),
            _times(result.ratio("best")),
            f"{result.ours.median * 1000:.2f}",
            "" if result.original is None else f"{result.original.median * 1000:.2f}",
            f"{result.roof * 1000:.2f}, {result.bound}",
            f"{result.share:.0%}",
            _aim(result),
        )
        for result in results
    ]


def memory_rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """The table of what loading costs, as text; one row a network."""
    table, seen = [], set()
    for result in results:
        key = (result.subject.network, result.subject.batch if result.subject.family == "music_vae" else 1)
        if key in seen:
            continue
        seen.add(key)
        ours, original = result.ours, result.original
        table.append(
            (
                result.subject.name,
                f"{ours.imported:.2f}",
                f"{ours.load:.3f}",
                "" if ours.load_imported is None else f"{ours.load_imported:.3f}",
                f"{ours.peak / 1e6:.0f}",
                *(("", "", "") if original is None else _loading(original)),
            )
        )
    return table


def _loading(side: Side) -> tuple[str, str, str]:
    return f"{side.imported:.2f}", f"{side.load:.2f}", f"{side.peak / 1e6:.0f}"


def _rate(side: Side, batch: int) -> str:
    return f"{side.steps * batch / side.median:,.0f}"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.1f}"


def _aim(result: Result) -> str:
    if result.aim_met is None:
        return ""
    wanted = f"{result.subject.aim:g}x" + (" or 60 %" if result.subject.or_roof else "")
    return f"{'met' if result.aim_met else 'missed'} ({wanted})"


def bars(results: Sequence[Result]) -> list[str]:
    """Sentences on the candidates: do they come in time."""
    said = []
    for result in results:
        if result.subject.family != "music_vae" and result.subject.batch > 1:
            bar = BEATS_PER_BAR * 60 / QPM * result.subject.bars
            said.append(
                f"{result.subject.name}: {result.ours.median:.3f} s for {result.subject.batch} sequences of a bar, "
                f"which lasts {bar:g} s at {QPM:g} qpm: {result.ours.median / bar:.1%} of it."
            )
    return said


def filled(titles: Sequence[str], lines: Sequence[tuple[str, ...]]) -> tuple[list[str], list[tuple[str, ...]]]:
    """The columns in which something stands: without an original, many are empty."""
    kept = [column for column in range(len(titles)) if any(line[column] for line in lines)]
    return [titles[column] for column in kept], [tuple(line[column] for column in kept) for line in lines]


def tables(results: Sequence[Result]) -> list[Table]:
    """Both tables, for the terminal."""
    made = []
    for titles, lines in ((_COLUMNS, rows(results)), (_MEMORY_COLUMNS, memory_rows(results))):
        titles, lines = filled(titles, lines)
        table = Table()
        for number, title in enumerate(titles):
            table.add_column(title, justify="left" if number == 0 else "right")
        for line in lines:
            table.add_row(*line)
        made.append(table)
    return made


def as_json(results: Sequence[Result], settings: dict[str, Any]) -> dict[str, Any]:
    """Everything, for other programs."""
    return {
        "settings": settings,
        "processor": processor(),
        "results": [
            {
                "name": result.subject.name,
                "network": result.subject.network,
                "batch": result.subject.batch,
                "ours": asdict(result.ours),
                "original": None if result.original is None else asdict(result.original),
                "ratio": result.ratio(),
                "roof_seconds": result.roof,
                "roof_share": result.share,
                "bandwidth": result.bandwidth,
                "weights_per_step": result.bytes,
                "aim_met": result.aim_met,
            }
            for result in results
        ],
    }


def as_markdown(results: Sequence[Result], settings: dict[str, Any]) -> str:
    """The tables for docs/benchmarks.md."""
    lines = [f"Measured on {settings['date']}: {processor()}, {settings['cores']} cores for either process;"]
    lines += [_runs("ours", results[0].ours)]
    if results[0].original is not None:
        lines += [_runs("the original", results[0].original)]
    lines += [f"{settings['rounds']} rounds in alternation; medians unless said otherwise.", ""]
    lines += [*_markdown(_COLUMNS, rows(results)), ""]
    lines += [f"- {sentence}" for sentence in bars(results)] + [""] * bool(bars(results))
    lines += _markdown(_MEMORY_COLUMNS, memory_rows(results))
    return "\n".join(lines) + "\n"


def _runs(who: str, side: Side) -> str:
    return f"{who}: {', '.join(f'{name} {version}' for name, version in side.versions.items())};"


def _markdown(titles: Sequence[str], lines: Sequence[tuple[str, ...]]) -> list[str]:
    titles, lines = filled(titles, lines)
    ruler = ["---", *["---:"] * (len(titles) - 1)]
    return ["| " + " | ".join(line) + " |" for line in (titles, ruler, *lines)]
