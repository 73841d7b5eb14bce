"""The page of model cards: one section for each weights file, written anew by each evaluation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
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
from engine.training.evaluation.picture import EXCERPTS, draw_deviations, draw_excerpts
from engine.training.evaluation.samples import Sample, heard_as
from engine.training.evaluation.statistics import typical
from engine.training.export import scene_lines

HEADING = """# Models

What each weights file is, what it was trained on, and what it is worth. `perpetuum evaluate ... --page` writes the
sections; what stands outside of their marks is left as it is.

Pictures show typical excerpts: of all that was made or held out to be judged, the three whose figures are nearest to
the medians of all (each figure in units of its median deviation), of one piece only the nearest.
"""
_REMARK = "**Known weaknesses.** "
_PICTURE = re.compile(r"^!\[.*\]\(.*\)\n\n\*.*\*$", re.MULTILINE)
_SOURCES = 8
"""Sources that are listed one by one."""


@dataclass(frozen=True, slots=True)
class PageSection:
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
            return (
                "How many milliseconds behind the grid (or before it) each stroke is, in three typical excerpts: rings "
                "are what drummers played, dots what the network plays in their place"
            )
        told = set(CONFIGS[self.judged.card.config].conditions)
        over = ", over held-out chords" if "chords" in told else ""
        over = ", as dense and of such pitch classes as held-out music" if "notes_per_second" in told else over
        over = ", beside the other parts of held-out music" if self.dataset.kind == "ensemble" else over
        return (
            f"Three typical excerpts of held-out music on the left, of the network's own on the right, from nothing at "
            f"temperature 1{over}"
        )


def write_page(page: Path, section: PageSection) -> None:
    """Write the section of a weights file, and its picture into a folder beside the page that is called like it.

    Raises:
        PerpetuumError: a file cannot be written.
    """
    write_section(page, section, _draw(page, section))


def redraw(page: Path, section: PageSection) -> Path | None:
    """Draw the picture of a section of a page anew, and write what it shows; all else stays. None: there is no music.

    Raises:
        PerpetuumError: there is no such section, or a file cannot be written.
    """
    begin, end = marks(section.name)
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PerpetuumError(f"cannot read the page {page}: {error}", "Choose another --page.") from error
    before, found, rest = text.partition(begin)
    old, ends, after = rest.partition(end)
    if not found or not ends or not _PICTURE.search(old):
        raise PerpetuumError(f"{page} shows no picture of {section.name}", "Without --redraw its section is written.")
    picture = _draw(page, section)
    if picture is not None:
        lines = "\n".join(_shown(section, picture.relative_to(page.parent)))
        write_text(page, before + begin + _PICTURE.sub(lambda _: lines, old, count=1) + end + after)
    return picture


def _draw(page: Path, section: PageSection) -> Path | None:
    """Draw typical excerpts into the folder beside the page; None where there is no music."""
    music, kind = section.music, heard_as(section.judged.card.config)
    if not music.samples or not music.held_out:
        return None
    picture = page.parent / page.stem / f"{section.name}.png"
    played = _typical(kind, music.held_out)
    if kind == "groove":
        places = [next(k for k, one in enumerate(music.held_out) if one is sample) for sample in played]
        draw_deviations(played, [music.samples[place] for place in places], picture)
    else:
        draw_excerpts(
            played,
            _typical(kind, music.samples),
            picture,
            kind == "drums",
            "second" if kind == "performance" else "beat",
        )
    return picture


def _typical(kind: str, samples: Sequence[Sample]) -> list[Sample]:
    """The most typical excerpts, of each piece one at most."""
    told: dict[str, Sample] = {}
    for place, sample in enumerate(typical(kind, samples, len(samples))):
        told.setdefault(sample.source or str(place), sample)
    return list(told.values())[:EXCERPTS]


def write_section(page: Path, section: PageSection, picture: Path | None = None) -> None:
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


def section_text(section: PageSection, picture: Path | None = None, old_remark: str | None = None) -> str:
    """The Markdown of a section, without its marks; `picture` is relative to the page."""
    card = section.judged.card
    lines = [f"## {section.name}", "", _sentence(f"{card.name}. {card.description}"), "", *_facts(section), ""]
    if picture is not None:
        lines += [*_shown(section, picture), ""]
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


def _shown(section: PageSection, picture: Path) -> list[str]:
    """The lines of a picture, whose path is relative to the page."""
    return [f"![{section.caption}]({picture.as_posix()})", "", f"*{section.caption}*"]


def written(value: float) -> str:
    """A figure as the page writes it: counts whole, all else with four decimals."""
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) > 1 else f"{value:.4f}"


def _facts(section: PageSection) -> list[str]:
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
