"""Whether a melody takes up what it has said: cells of five notes, whole bars, and sections that recall others."""

# pyright: strict

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.proofs.hours.notes import PartInBar

SPAN = 32 * 4.0
"""Beats in which a cell counts as still remembered: 32 bars of four."""

FAR = 2000.0
"""Beats to the foreign window that tells chance: more than twenty minutes."""

SIZE, LONGEST_GAP = 5, 8.0
"""Notes of a cell; beats between two of them that part a melody."""

Melody = Sequence[tuple[float, int]]
"""Beat and pitch of each note, ascending."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Some notes that follow one another: `start` in beats, and what makes two of them alike."""

    start: float
    shape: tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Recall:
    """Shares of cells that were heard before.

    Attributes:
        near: within `SPAN`.
        chance: in as long a window `FAR` beats earlier.
        cells: how many.
    """

    near: float
    chance: float
    cells: int


def melody_of(rows: Iterable[PartInBar], part: str) -> list[tuple[float, int]]:
    """The highest note on each sixteenth of a part; beats from the start, so that what comes early for a bar line
    stands where it sounds in any meter."""
    found: list[tuple[float, int]] = []
    for row in rows:
        if row.part == part and row.heard:
            top: dict[int, int] = {}
            for start, _, pitch, _ in row.notes:
                step = round(start * 4)
                top[step] = max(pitch, top.get(step, 0))
            found += [(row.bar * row.beats + step / 4, pitch) for step, pitch in sorted(top.items())]
    return found


def cells(melody: Melody, size: int = SIZE) -> list[Cell]:
    """Every run of `size` notes without a long gap; what is transposed is alike."""
    found: list[Cell] = []
    for first in range(len(melody) - size + 1):
        run = melody[first : first + size]
        pairs = list(itertools.pairwise(run))
        if all(after[0] - before[0] <= LONGEST_GAP for before, after in pairs):
            intervals = tuple(after[1] - before[1] for before, after in pairs)
            steps = tuple(round((after[0] - before[0]) * 4) for before, after in pairs)
            found.append(Cell(run[0][0], (intervals, steps)))
    return found


def by_contour(cell: Cell) -> Cell:
    """The cell with its intervals as directions and rough sizes: up to a semitone, a fourth, and more."""
    intervals, steps = cell.shape
    rough = tuple((i > 0) - (i < 0) if abs(i) < 4 else 2 * ((i > 0) - (i < 0)) for i in intervals)
    return Cell(cell.start, (rough, steps))


def recall(found: Sequence[Cell], span: float = SPAN, far: float = FAR) -> Recall:
    """How many cells were heard within `span` beats before, and how many by chance."""
    times: dict[object, list[float]] = defaultdict(list)
    near = foreign = judged = 0
    first = found[0].start if found else 0.0
    for cell in found:
        heard = times[cell.shape]
        near += any(cell.start - span <= at < cell.start - 2 for at in reversed(heard[-200:]))
        if cell.start - far - span > first:
            judged += 1
            foreign += any(cell.start - far - span <= at < cell.start - far for at in heard)
        heard.append(cell.start)
    return Recall(near / max(1, len(found)), foreign / max(1, judged), len(found))


def whole_bars_again(rows: Iterable[PartInBar], part: str) -> float:
    """Share of a part's bars with two notes or more that are copies, note for note, of one in the 32 before."""
    last: dict[object, int] = {}
    again = counted = 0
    for row in rows:
        key = tuple(sorted((round(start * 4), pitch) for start, _, pitch, _ in row.notes))
        if row.part != part or not row.heard or len(key) < 2:
            continue
        counted += 1
        again += key in last and row.bar - last[key] <= 32
        last[key] = row.bar
    return again / max(1, counted)


def passes_that_recall(
    rows: Sequence[PartInBar],
    part: str,
    of: Sequence[PartInBar] | None = None,
    earliest: float = 3600.0,
    latest: float = 300.0,
    share: float = 0.5,
) -> float:
    """Share of passes of sections in which at least a `share` of the cells was heard 5 to 60 minutes before.

    Args:
        rows: of some hours.
        part: whose melody.
        of: foreign hours, in which the cells are looked for instead: that is chance.
        earliest, latest: seconds before a cell in which another counts.
        share: of the cells of a pass.
    """
    beats = rows[0].beats if rows else 4.0
    seconds = {row.bar: row.t for row in rows}
    passes = {row.bar: row.ps for row in rows}
    heard = _times(rows if of is None else of, part)
    of_pass: dict[int, list[bool]] = defaultdict(list)
    for cell in cells(melody_of(rows, part)):
        bar = int(cell.start // beats)
        now = seconds.get(bar, 0.0)
        of_pass[passes.get(bar, -1)].append(any(latest <= now - at <= earliest for at in heard[cell.shape]))
    judged = [found for found in of_pass.values() if len(found) >= 8]
    return sum(sum(found) >= share * len(found) for found in judged) / max(1, len(judged))


def _times(rows: Sequence[PartInBar], part: str) -> dict[object, list[float]]:
    """Seconds at which each shape of a part's melody is heard."""
    beats = rows[0].beats if rows else 4.0
    seconds = {row.bar: row.t for row in rows}
    found: dict[object, list[float]] = defaultdict(list)
    for cell in cells(melody_of(rows, part)):
        found[cell.shape].append(seconds.get(int(cell.start // beats), 0.0))
    return found


def known_by_contour(rows: Sequence[PartInBar], part: str) -> tuple[float, float]:
    """(share, chance): cells, by contour and rhythm, of the phrases that say which theme they vary, that
    the first such phrase has, too; and the same looked up in those of the other themes.
    """
    heard: dict[str, set[object]] = defaultdict(set)
    own: list[bool] = []
    others: list[float] = []
    for (theme, _), bars in itertools.groupby(
        (row for row in rows if row.part == part and row.heard), lambda row: (row.theme, row.ps)
    ):
        found = {by_contour(cell).shape for cell in cells(melody_of(list(bars), part))}
        if not theme or not found:
            continue
        foreign = [len(found & shapes) / len(found) for name, shapes in heard.items() if name != theme]
        if heard[theme] and foreign:
            own += [shape in heard[theme] for shape in found]
            others += [sum(foreign) / len(foreign)] * len(found)
        if not heard[theme]:
            heard[theme] = {*found}
    return sum(own) / max(1, len(own)), sum(others) / max(1, len(others))
