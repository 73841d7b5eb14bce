# pyright: strict
"""What one graph was told, in order and at which frames: its sound follows from that and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from engine.events.sounding import GraphBegan, SoundTold, ToldLate
from engine.runtime.audio.failover.memory import Memory
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import (
    BLOCK,
    DECISIVE,
    TO_SOUND,
    ChangeInstrument,
    Fade,
    Forget,
    Notes,
    Ramps,
    Setup,
    ToSound,
)

EARLIER = 30 * SAMPLE_RATE // BLOCK * BLOCK
"""Frames before what is wanted at which a graph is built anew: filters, echoes and reverb settle, unheard."""


@dataclass(frozen=True, slots=True)
class GraphCourse:
    """What a graph was told.

    Attributes:
        start: frame that its first block begins with (a multiple of BLOCK).
        frame: from which it alone is heard.
        blend: frames before that in which it comes in while the one before goes out.
        messages: in order; the first is its `Setup`.
        late: the frame at which a message was taken that came too late, by its place among these. A change of an
            instrument is none of them: it says itself when it came about.
        overlap: it comes in beside another scene, at equal power.
    """

    start: int
    frame: int
    blend: int
    messages: tuple[ToSound, ...]
    late: Mapping[int, int]
    overlap: bool = False

    def begun_at(self, frame: int) -> GraphCourse:
        """What a new graph is told that goes on from a frame, as after a take-over; itself if it began later.

        Its notes, frames and controls are the same ones; its waves stand elsewhere.

        Args:
            frame: from which its sound is wanted; the graph begins `EARLIER`.
        """
        start = max(0, frame - EARLIER) // BLOCK * BLOCK
        if start <= self.start:
            return self
        memory = Memory()
        known = len(self.messages)
        for place, message in enumerate(self.messages):
            taken = self.late.get(place)
            if taken is not None and taken > start:
                known = place
                break
            memory.add(message if taken is None else _as_taken(message, taken), start)
        begin = [message for message in memory.messages(start) if isinstance(message, DECISIVE)]
        late = {place - known + len(begin): taken for place, taken in self.late.items() if place >= known}
        return GraphCourse(start, max(frame, start), 0, (*begin, *self.messages[known:]), late, self.overlap)


def _as_taken(message: ToSound, frame: int) -> ToSound:
    """The message that would have done in time what a late one did when it was taken at a frame."""
    match message:
        case Notes(part=part, notes=notes):
            moved = notes.copy()
            moved["on"] = np.maximum(moved["on"], frame)
            return Notes(part, moved)
        case Forget(frame=start):
            return Forget(max(start, frame))
        case Fade(start=start):
            return replace(message, start=max(start, frame))
        case _:
            return message  # the line of a ramp does not depend on when it was taken


def first_frame(message: ToSound) -> int:
    """The first frame that a message is about; 0 where it is about what is known already."""
    match message:
        case Notes(notes=notes):
            return int(notes["on"].min()) if len(notes) else 0
        case Ramps(ramps=ramps):
            return min((ramp.start for ramp in ramps), default=0)
        case Forget(frame=start) | Fade(start=start) | ChangeInstrument(frame=start):
            return max(0, start)
        case _:
            return 0


class CourseReader:
    """Makes courses of the events that told of them, in order."""

    def __init__(self) -> None:
        self._began: GraphBegan | None = None
        self._messages: list[bytes] = []
        self._late: dict[int, int] = {}
        self._found: list[GraphCourse] = []
        self.complete = True
        """Whether nothing is missing of what graphs were told."""

    def take(self, event: GraphBegan | SoundTold | ToldLate) -> None:
        """Take the next event. Those of a graph whose beginning is not known are left alone."""
        began = self._began
        match event:
            case GraphBegan():
                self._finish()
                self._began, self._messages, self._late = event, list(event.told), {}
            case SoundTold() if began is not None and event.graph == began.graph:
                self.complete = self.complete and event.number == len(self._messages)
                self._messages += event.messages
            case ToldLate() if began is not None and event.graph == began.graph:
                self._late[event.number] = event.frame
            case _:
                self.complete = False

    def courses(self) -> list[GraphCourse]:
        """All graphs, in the order in which they were heard."""
        self._finish()
        return self._found

    def _finish(self) -> None:
        began, self._began = self._began, None
        if began is None:
            return
        messages = list(map(TO_SOUND.decode, self._messages))
        if not messages or not isinstance(messages[0], Setup):
            self.complete = False
            return
        late: dict[int, int] = {}
        for place, frame in self._late.items():
            match messages[place] if place < len(messages) else None:
                case ChangeInstrument() as change:
                    messages[place] = replace(change, frame=frame, wait=True)
                case _:
                    late[place] = frame
        self._found.append(GraphCourse(began.start, began.frame, began.blend, tuple(messages), late, began.overlap))


def courses_of(events: Iterable[object]) -> list[GraphCourse]:
    """The graphs that events tell of; other events among them are left alone."""
    reader = CourseReader()
    for event in events:
        if isinstance(event, GraphBegan | SoundTold | ToldLate):
            reader.take(event)
    return reader.courses()
