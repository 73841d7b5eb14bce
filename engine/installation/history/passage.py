# pyright: strict
"""A passage that was heard: found in a journal by when it was, and made to sound again."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import __version__
from engine.errors import PerpetuumError
from engine.events.processes import SoundStarved
from engine.events.sounding import GainMoved, GraphBegan, SoundTold, ToldLate
from engine.events.vocabulary import BankPlayed
from engine.installation.history.banks import banks_played
from engine.installation.history.files import is_mono
from engine.journal.entries import RecordsLost
from engine.journal.reader import Journal
from engine.journal.records import Happening, Sitting
from engine.outputs.files.sound_file import SoundFileOutput
from engine.runtime.replay.as_heard import AsHeard
from engine.runtime.replay.course import CourseReader, GraphCourse
from engine.runtime.replay.sounding import audible, render_course, replay
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK, Setup

AFTERWARDS = 30.0
"""Seconds after a passage in which something may still be told of it."""

TRIAL = 5 * SAMPLE_RATE
"""Frames that are rendered to find out how long all of it will take."""


@dataclass(frozen=True, slots=True)
class JournalPassage:
    """A stretch of a sitting.

    Attributes:
        sitting: in which it was heard.
        first, end: its frames, the second excluded.
        courses: all graphs that were told of until it ends and can be needed, in order.
        moves: what the gain did until then, in order.
        mono: every channel was the mean of all.
        complete: nothing is missing of what was told.
        banks: of notes that graphs were told of, by the file that they were told.
        notes: what one should know about it, in sentences.
    """

    sitting: Sitting
    first: int
    end: int
    courses: tuple[GraphCourse, ...]
    moves: tuple[GainMoved, ...]
    mono: bool
    complete: bool
    banks: Mapping[str, BankPlayed]
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end - self.first) / SAMPLE_RATE

    def begins(self, exact: bool) -> int:
        """The frame from which on its sound is rendered."""
        return audible(self.courses, self.first, self.end, exact)[0].course.start

    def frames(self, exact: bool) -> int:
        """Frames that are rendered for it; more than it has."""
        return sum(one.rendered for one in audible(self.courses, self.first, self.end, exact))


def find_passage(journal: Journal, moment: datetime, seconds: float, zone: tzinfo) -> JournalPassage:
    """What was heard from a moment on.

    Args:
        journal: of the installation.
        moment: in UTC.
        seconds: of sound that are wanted; the end of the sitting ends it.
        zone: in which moments are told.

    Raises:
        PerpetuumError: nothing was heard then, or nobody knows what.
    """
    wall = moment.timestamp()
    sitting, first = heard_at(journal, moment, zone)
    end = min(first + round(seconds * SAMPLE_RATE), sitting.end_frame)
    if end <= first:
        end = min(first + BLOCK, first + round(seconds * SAMPLE_RATE))
    notes: list[str] = []
    if sitting.end_frame < first + round(seconds * SAMPLE_RATE) - SAMPLE_RATE:
        why = sitting.ending or "it was cut off, or goes on"
        notes.append(f"only {_clock(end - first)} were heard from then on ({why})")
    until = wall + (end - first) / SAMPLE_RATE + AFTERWARDS
    courses, complete = _courses(journal, sitting, first, until)
    if not any(course.frame - course.blend <= first for course in courses):
        raise PerpetuumError(
            f"how the sound of {_told(moment, zone)} began is not kept any more",
            f"the journal {journal.path} reaches back to {_told(_reaches(journal), zone)}",
        )
    moves = tuple(
        one.value
        for one in journal.happenings(kinds=[GainMoved.__name__], sitting=sitting.number, until=until)
        if isinstance(one.value, GainMoved)
    )
    lost = _records_lost(journal, sitting, until)
    banks = banks_played(journal, courses, until)
    notes += [*lost, *_starved(journal, sitting, first, end, zone), *_changed(journal, sitting, courses, banks, zone)]
    return JournalPassage(
        sitting=sitting,
        first=first,
        end=end,
        courses=tuple(courses),
        moves=moves,
        mono=is_mono(journal, sitting),
        complete=complete and not lost,
        banks=banks,
        notes=tuple(notes),
    )


def heard_at(journal: Journal, moment: datetime, zone: tzinfo) -> tuple[Sitting, int]:
    """The sitting, and its frame that was heard at a moment.

    Raises:
        PerpetuumError: nothing was heard then; says what was before and after.
    """
    wall = moment.timestamp()
    place = journal.place_at(wall)
    sitting = journal.sitting(place.sitting) if place is not None else None
    if place is not None and sitting is not None:
        return sitting, max(place.frame, sitting.first_frame)
    sittings = [one for one in journal.sittings() if one.end_frame > one.first_frame]
    if not sittings:
        raise PerpetuumError(f"nothing has been heard yet, as far as the journal {journal.path} knows")
    if wall > max(one.ended for one in sittings):
        last = max(one.ended for one in sittings)
        raise PerpetuumError(
            f"nothing was heard at {_told(moment, zone)}", f"the last sound was that of {_told(last, zone)}"
        )
    reaches = _reaches(journal)
    if wall < reaches:
        raise PerpetuumError(
            f"the journal {journal.path} does not reach back to {_told(moment, zone)}",
            f"it begins at {_told(reaches, zone)}; how long it is kept is the installation's `journal`",
        )
    before = [one for one in sittings if one.ended < wall]
    after = [one for one in sittings if one.began > wall]
    parts = [f"it ended at {_told(before[-1].ended, zone)} ({before[-1].ending or 'cut off'})"] if before else []
    parts += [f"it went on at {_told(after[0].began, zone)}"] if after else []
    raise PerpetuumError(f"nothing was heard at {_told(moment, zone)}", "; ".join(parts) or None)


def render_passage(
    passage: JournalPassage,
    path: Path,
    exact: bool,
    as_heard: bool,
    progress: Callable[[int], None] = lambda frames: None,
) -> None:
    """Write a passage to a sound file.

    Args:
        passage: which.
        path: of the file; it appears when it is complete.
        exact: from the first frame of its graph on.
        as_heard: with the gain as it was.
        progress: told how many frames have been rendered.

    Raises:
        PerpetuumError: a graph cannot be built any more, or the file cannot be written.
    """
    wanted = audible(passage.courses, passage.first, passage.end, exact)
    with SoundFileOutput(path, passage.end - passage.first) as file:
        sink: Callable[[NDArray[np.float32]], object] = file.write
        if as_heard:
            sink = AsHeard(passage.moves, passage.first, file.write, mono=passage.mono).take
        replay(wanted, passage.first, passage.end, sink, progress)


def seconds_needed(passage: JournalPassage, exact: bool) -> float:
    """How long it will take to render a passage on this machine; tries for a moment."""
    first = audible(passage.courses, passage.first, passage.end, exact)[0].course
    frames = min(TRIAL, max(passage.end - first.start, BLOCK)) // BLOCK * BLOCK
    began = time.monotonic()
    building = [began]

    def seen(chunk: NDArray[np.float32]) -> None:
        if building[0] == began:
            building[0] = time.monotonic()

    render_course(first, first.start + frames, seen)
    ended = time.monotonic()
    return (building[0] - began) + (ended - building[0]) * passage.frames(exact) / frames


def _courses(journal: Journal, sitting: Sitting, first: int, until: float) -> tuple[list[GraphCourse], bool]:
    """The graphs that sound from a frame on, as far as was told by a moment; and whether nothing is missing."""
    began = [
        one
        for one in journal.happenings(kinds=[GraphBegan.__name__], sitting=sitting.number, until=until)
        if isinstance(one.value, GraphBegan)
    ]
    # The last one that is heard alone before the frame, and all after it.
    places = [place for place, one in enumerate(began) if _frame(one) <= first]
    kept = began[places[-1] if places else 0 :]
    reader = CourseReader()
    if kept:
        told = journal.told(sitting.number, kept[0].number, until)
        for one in heapq.merge(kept, told, key=lambda one: one.number):
            reader.take(_value(one))
    return reader.courses(), reader.complete


def _value(one: Happening) -> GraphBegan | SoundTold | ToldLate:
    assert isinstance(one.value, GraphBegan | SoundTold | ToldLate)
    return one.value


def _frame(one: Happening) -> int:
    return one.value.frame if isinstance(one.value, GraphBegan) else 0


def _records_lost(journal: Journal, sitting: Sitting, until: float) -> list[str]:
    found = journal.happenings(kinds=[RecordsLost.__name__], sitting=sitting.number, until=until)
    return [
        f"{one.value.count} records are missing in the journal ({one.value.reason}); something may sound otherwise"
        for one in found
        if isinstance(one.value, RecordsLost)
    ]


def _starved(journal: Journal, sitting: Sitting, first: int, end: int, zone: tzinfo) -> list[str]:
    found = journal.happenings(kinds=[SoundStarved.__name__], sitting=sitting.number)
    return [
        f"at {_told(one.wall, zone)} no sound could be made for a while; here it goes on at once"
        for one in found
        if isinstance(one.value, SoundStarved) and first < one.value.frame < end
    ]


def _changed(
    journal: Journal, sitting: Sitting, courses: Iterable[GraphCourse], banks: Collection[str], zone: tzinfo
) -> list[str]:
    """What on this machine is not as it was; banks are made again where they are not there."""
    notes: list[str] = []
    if sitting.told.version != __version__:
        notes.append(f"version {sitting.told.version} played it, and this is {__version__}; it may sound otherwise")
    setups = [course.messages[0] for course in courses]
    for name in dict.fromkeys(part.instrument for one in setups if isinstance(one, Setup) for part in one.parts):
        if name in banks:
            continue
        saved = None
        with suppress(OSError):
            saved = Path(name).stat().st_mtime
        if saved is None:
            notes.append(f"the instrument {name} is not there any more; its part is silent")
        elif saved > sitting.began:
            notes.append(f"the instrument {name} was saved at {_told(saved, zone)}; it may sound otherwise")
    return notes


def _reaches(journal: Journal) -> float:
    """How far back a journal reaches."""
    first = next(journal.marks(0.0, float("inf")), None)
    return first.wall if first is not None else 0.0


def _told(moment: datetime | float, zone: tzinfo) -> str:
    at = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment, UTC)
    local = at.astimezone(zone)
    twice = (local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset())
    return local.strftime("%Y-%m-%d %H:%M:%S" + (" %Z" if twice[0] != twice[1] else ""))


def _clock(frames: int) -> str:
    return str(timedelta(seconds=round(frames / SAMPLE_RATE)))
