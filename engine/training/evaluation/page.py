"""The page of model cards: one section for each weights file, written anew by each evaluation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import PerpetuumError
from engine.networks import CONFIGS
from engine.output_file import output_folder, write_text
from engine.training.datasets import SPLITS, Dataset
from engine.training.evaluation.evaluate import Music
from engine.training.evaluation.figures import figure, unit
from engine.training.evaluation.judged import Judged
from engine.training.evaluation.picture import draw
from engine.training.export import scene_lines

HEADING = """# Models

What each weights file is, what it was trained on, and what it is worth. `perpetuum evaluate ... --page` writes the
sections; what stands outside of their marks is left as it is.
"""
_REMARK = "**Known weaknesses.** "
_SOURCES = 8
"""Sources that are listed one by one."""


@dataclass(frozen=True, slots=True)
class Section:
    """What the page says of a weights file.

    Attributes:
        judged: the file.
        metrics: its figures, as its card says them.
        dataset: that it was judged on.
        music: what its music is like.
        remark: on its weaknesses; None leaves what stands there already.
        command: that made the section.
    """

    judged: Judged
    metrics: Mapping[str, Any]
    dataset: Dataset
    music: Music
    remark: str | None
    command: str

    @property
    def name(self) -> str:
        """Of the section: that of the file."""
        return self.judged.path.stem

    @property
    def caption(self) -> str:
        """What its picture shows."""
        if self.dataset.kind == "groove":
            return "Above what a drummer played, below the same as the network plays it"
        told = set(CONFIGS[self.judged.card.config].conditions)
        over = ", over held-out chords" if "chords" in told else ""
        over = ", as dense and of such pitch classes as held-out music" if "notes_per_second" in told else over
        return f"Held-out music above, the network's own below, from nothing at temperature 1{over}"


def write_page(page: Path, section: Section) -> None:
    """Write the section of a weights file, and its picture into a folder beside the page that is called like it.

    Raises:
        PerpetuumError: a file cannot be written.
    """
    music, kind = section.music, section.dataset.kind
    picture = None
    if music.samples and music.held_out:
        picture = page.parent / page.stem / f"{section.name}.png"
        rows = {"held out": music.held_out[0], "network": music.samples[0]}
        draw(rows, picture, kind in ("drums", "groove"), "second" if kind == "performance" else "beat")
    write_section(page, section, picture)


def write_section(page: Path, section: Section, picture: Path | None = None) -> None:
    """Put a section into a page, in the place of an earlier one of its name, else at the end.

    Raises:
        PerpetuumError: the page cannot be read or written.
    """
    begin, end = marks(section.name)
    try:
        text = page.read_text(encoding="utf-8") if page.exists() else HEADING
        before, _, rest = text.partition(begin)
        old, found, after = rest.partition(end)
        if rest and not found:
            raise PerpetuumError(f"{page}: the section of {section.name} has no end", f"Write {end} where it ends.")
        place = picture and picture.relative_to(page.parent)
        body = f"{begin}\n{section_text(section, place, _old_remark(old))}{end}"
        new = before + body + after if found else text.rstrip("\n") + "\n\n" + body + "\n"
        output_folder(page.parent)
        write_text(page, new)
    except (OSError, UnicodeDecodeError) as error:
        raise PerpetuumError(f"cannot write the page {page}: {error}", "Choose another --page.") from error


def marks(name: str) -> tuple[str, str]:
    """What stands before and behind a section."""
    return f"<!-- model {name} -->", f"<!-- end of {name} -->"


def section_text(section: Section, picture: Path | None = None, old_remark: str | None = None) -> str:
    """The Markdown of a section, without its marks; `picture` is relative to the page."""
    card = section.judged.card
    lines = [f"## {section.name}", "", _sentence(f"{card.name}. {card.description}"), "", *_facts(section), ""]
    if picture is not None:
        lines += [f"![{section.caption}]({picture.as_posix()})", "", f"*{section.caption}*", ""]
    config: Any = CONFIGS[card.config]
    groups: dict[str, list[str]] = {}
    for name, value in section.metrics.items():
        if isinstance(value, int | float):
            about = figure(name)
            row = f"| {name} | {written(value)} | {unit(name, config)} | {about.says} |"
            groups.setdefault(about.group, []).append(row)
    for group, rows in groups.items():
        lines += [f"**{group}**", "", "| figure | value | unit | what it is |", "|---|---:|---|---|", *rows, ""]
    if section.music.table:
        lines += ["**What its music is like**", "", *_table(section.music.table), ""]
    lines += ["In a scene:", "", "```yaml", *scene_lines(card, Path(section.name)), "```", ""]
    remark = section.remark or old_remark
    if remark:
        lines += [_REMARK + _sentence(remark), ""]
    lines += [f"Made by `{section.command}`.", ""]
    return "\n".join(lines)


def written(value: float) -> str:
    """A figure as the page writes it: counts whole, all else with four decimals."""
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) > 1 else f"{value:.4f}"


def _facts(section: Section) -> list[str]:
    card, pieces = section.judged.card, section.dataset.pieces
    sizes = ", ".join(f"{key} {_size(value)}" for key, value in card.sizes.items() if value)
    counts = Counter(piece.split for piece in pieces)
    sources = Counter(piece.source for piece in pieces)
    named = [f"{source} {count:,}" for source, count in sources.most_common(_SOURCES)]
    if len(sources) > _SOURCES:
        named.append(f"{len(sources) - _SOURCES} more {sources.total() - sum(sorted(sources.values())[-_SOURCES:]):,}")
    facts = [
        ("network", f"`{card.config}` ({card.family}): {sizes}"),
        ("size", f"{section.judged.numbers:,} numbers, {section.judged.path.stat().st_size / 1e6:.2f} MB"),
        ("licence", card.licence),
        ("trained on", "<br>".join(card.training_data)),
        ("credits", "<br>".join(card.credits)),
        ("pieces", ", ".join(f"{counts[split]:,} {split}" for split in SPLITS) + f" ({', '.join(named)})"),
        ("judged", str(section.metrics.get("unit", ""))),
    ]
    return ["| | |", "|---|---|", *(f"| {what} | {_cell(said)} |" for what, said in facts if said)]


def _table(table: Mapping[str, Mapping[str, float]]) -> list[str]:
    names = list(dict.fromkeys(name for row in table.values() for name in row))
    lines = ["| | " + " | ".join(table) + " |", "|---|" + "---:|" * len(table)]
    for name in names:
        cells = [f"{row[name]:.3f}" if name in row else "" for row in table.values()]
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return lines


def _size(value: Any) -> str:
    return " + ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _sentence(text: str) -> str:
    """A line of Markdown that ends with a full stop."""
    text = " ".join(text.split())
    return text if not text or text.endswith((".", "!", "?")) else text + "."


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _old_remark(section: str) -> str | None:
    found = re.search(rf"^{re.escape(_REMARK)}(.*)$", section, re.MULTILINE)
    return found.group(1) if found else None
