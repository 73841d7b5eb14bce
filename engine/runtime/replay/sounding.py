# pyright: strict
"""Lets graphs sound again, one after the other, joined where they were joined."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.processes.overlap import crossfaded
from engine.processes.pipe import blended
from engine.runtime.audio import Audio
from engine.runtime.offline import OfflineReader
from engine.runtime.replay.course import GraphCourse, first_frame
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK, NEVER, ChangeInstrument, Release, Setup

Sink = Callable[[NDArray[np.float32]], object]
"""Takes arrays [n, channels]."""

AHEAD = 60 * SAMPLE_RATE
"""Frames before its first one at which a message is told, so that hours of music need little memory."""

LOOK = 0.002
"""Seconds between two looks at how far a graph is."""


@dataclass(frozen=True, slots=True)
class Audible:
    """What is to be heard of a graph.

    Attributes:
        course: what it was told.
        first, end: frames of it that are wanted, the second excluded.
        comes_in: of these, the first so many come in while the graph before goes out.
    """

    course: GraphCourse
    first: int
    end: int
    comes_in: int

    @property
    def rendered(self) -> int:
        """Frames that are to be made for it."""
        return self.end - self.course.start


def audible(courses: Sequence[GraphCourse], first: int, end: int, exact: bool) -> list[Audible]:
    """What of which graphs makes the sound between two frames.

    Where one comes in while another goes out, all of that is among it.

    Args:
        courses: the graphs of a performance, in the order in which they were heard.
        first: frame.
        end: first frame after it.
        exact: each is to sound from its first frame on; otherwise from a little before it is heard.
    """
    found: list[Audible] = []
    followed = zip(courses, [*courses[1:], None], strict=True)
    courses = [_as_far_as_it_came(course, following) for course, following in followed]
    for course in courses:
        heard = course.frame - course.blend
        first = heard if heard < first < course.frame else first
        end = course.frame if heard < end < course.frame else end
    for place, course in enumerate(courses):
        ends = courses[place + 1].frame if place + 1 < len(courses) else NEVER
        heard = course.frame - course.blend
        if ends <= first or heard >= end:
            continue
        begins = max(heard, first)
        played = course if exact else course.begun_at(begins)
        comes_in = max(0, course.frame - begins) if found else 0
        found.append(Audible(played, begins, min(ends, end), comes_in))
    return found


def _as_far_as_it_came(course: GraphCourse, following: GraphCourse | None) -> GraphCourse:
    """A graph that was lost while it came in beside another scene has come in when the one after it does."""
    begins, lost = course.frame - course.blend, following.frame - following.blend if following is not None else NEVER
    return replace(course, frame=lost, blend=lost - begins) if begins < lost < course.frame else course


def replay(
    wanted: Sequence[Audible], first: int, end: int, sink: Sink, progress: Callable[[int], None] = lambda frames: None
) -> None:
    """Make the sound of graphs once more.

    Args:
        wanted: as `audible` gives it for two frames.
        first, end: these.
        sink: takes the sound, in order; called in other threads, one after the other.
        progress: told how many frames have been rendered, some times a second.

    Raises:
        PerpetuumError: a graph cannot be built any more, or broke.
    """
    clipped = _Clipped(wanted[0].first if wanted else first, first, end, sink)
    done = 0
    going_out: NDArray[np.float32] | None = None
    for place, one in enumerate(wanted):
        following = wanted[place + 1] if place + 1 < len(wanted) else None
        joint = _Joint(one, going_out, following.comes_in if following is not None else 0, clipped.take)
        render_course(one.course, one.end, joint.take, lambda count, before=done: progress(before + count))
        done += one.rendered
        going_out = joint.kept


class _Clipped:
    """Passes on what lies between two frames.

    Args:
        frame: that the sound begins with.
        first, end: these frames.
        sink: takes it.
    """

    def __init__(self, frame: int, first: int, end: int, sink: Sink) -> None:
        self._frame = frame
        self._first = first
        self._end = end
        self._sink = sink

    def take(self, chunk: NDArray[np.float32]) -> None:
        frame, self._frame = self._frame, self._frame + len(chunk)
        inside = chunk[max(0, self._first - frame) : max(0, self._end - frame)]
        if len(inside):
            self._sink(inside)


class _Joint:
    """Passes on what is to be heard of a graph: comes in with the end of the one before, and keeps its own end.

    Args:
        wanted: what is to be heard.
        going_out: the last frames of the graph before.
        keep: frames of its own end that are kept for the next one.
        sink: takes the rest.
    """

    def __init__(self, wanted: Audible, going_out: NDArray[np.float32] | None, keep: int, sink: Sink) -> None:
        self._wanted = wanted
        self._going_out = going_out if wanted.comes_in else None
        self._overlap = wanted.course.overlap
        self._keep = keep
        self._sink = sink
        self._frame = wanted.course.start
        self._held: list[NDArray[np.float32]] = []
        self._count = 0

    @property
    def kept(self) -> NDArray[np.float32] | None:
        """The end that was kept."""
        return np.concatenate(self._held) if self._held else None

    def take(self, chunk: NDArray[np.float32]) -> None:
        """Take the next frames of the graph."""
        skipped = min(max(0, self._wanted.first - self._frame), len(chunk))
        self._frame += len(chunk)
        if skipped < len(chunk):
            self._held.append(chunk[skipped:].copy())
            self._count += len(chunk) - skipped
            self._pass_on()

    def _pass_on(self) -> None:
        coming = self._wanted.comes_in if self._going_out is not None else 0
        if self._count < max(coming, self._keep + 1):
            return
        held = np.concatenate(self._held)
        if self._going_out is not None:
            going, come = self._going_out, held[:coming]
            held[:coming] = crossfaded(going, come, 0, coming) if self._overlap else blended(going, come)
            self._going_out = None
        passed, self._held = held[: len(held) - self._keep], [held[len(held) - self._keep :]]
        self._count = self._keep
        self._sink(passed)


def render_course(
    course: GraphCourse, end: int, sink: Sink, progress: Callable[[int], None] = lambda frames: None
) -> None:
    """Make the sound of one graph from its first frame on.

    Args:
        course: what it was told.
        end: first frame that is not wanted.
        sink: takes its frames, in another thread.
        progress: told how many frames have been rendered.

    Raises:
        PerpetuumError: the graph cannot be built, or broke.
    """
    setup = course.messages[0]
    assert isinstance(setup, Setup)
    with Audio(live=False) as audio, OfflineReader(audio, end - course.start, sink) as reader:

        def wait_until(done: Callable[[], bool]) -> bool:
            while not (done() or reader.failed):
                progress(reader.frames)
                time.sleep(LOOK)
            return not reader.failed

        audio.send(replace(setup, free_running=False))
        known = _known_before(course)
        superseded = _superseded(course, known)
        for place, message in enumerate(course.messages[1:], 1):
            if place in superseded:
                continue
            # A late one waits for its very frame.
            taken = course.late.get(place)
            until, ahead = (known[place], AHEAD) if taken is None else (taken, 0)
            if until >= end:
                break
            audio.send(Release(until))
            if not wait_until(lambda frame=until - ahead: audio.frame >= frame):
                break
            # So fast an instrument would not be built in time; who is not heard can wait for it.
            audio.send(replace(message, wait=True) if isinstance(message, ChangeInstrument) else message)
        audio.send(Release(-(-end // BLOCK) * BLOCK))
        while not reader.finish(0.1):
            progress(reader.frames)
        progress(reader.frames)


def _superseded(course: GraphCourse, known: Sequence[int]) -> set[int]:
    """Changes of instruments that never came, for before their line the sound was told of others in their place."""
    found: set[int] = set()
    last: dict[str, tuple[int, int]] = {}
    for place, message in enumerate(course.messages):
        if isinstance(message, ChangeInstrument):
            before = last.get(message.part)
            if before is not None and known[place] <= before[1]:
                found.add(before[0])
            last[message.part] = place, message.frame
    return found


def _known_before(course: GraphCourse) -> list[int]:
    """For each message the frame up to which all is known before it is told."""
    known, least = [0] * len(course.messages), NEVER
    for place in range(len(course.messages) - 1, 0, -1):
        taken = course.late.get(place)
        least = min(least, first_frame(course.messages[place]) if taken is None else taken)
        known[place] = least
    return known
