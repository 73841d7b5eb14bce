# pyright: strict
"""A part whose instrument may change while it plays: two places in the graph, and the way from one to the other.

Where a change begins, notes that sound go on in the old instrument, and new ones begin in both while the old one fades
out and the new one in; after that the old one is let go. Free of pyo.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.sound.contract import Instrument
from engine.sound.messages import BLOCK, CROSSFADE, NEVER, ChangeInstrument

Build = Callable[[str], Instrument]
"""Builds the instrument of a file. Raises whatever keeps it from that."""

Route = Callable[[Instrument, int], object]
"""Leads an instrument to one of the two places, 0 or 1; as long as what it gives is kept."""


@dataclass(slots=True)
class _Next:
    """An instrument that is to come.

    Attributes:
        path: of its file.
        frame: at which it is to.
        number: of the message that said so last.
        instrument: once it is built.
        problem: why it cannot be.
        awaited: the frame is met, since nothing is rendered before it is built.
        late: that it is not there at its frame was told.
    """

    path: str
    frame: int
    number: int
    instrument: Instrument | None = None
    problem: str = ""
    awaited: bool = False
    late: bool = False


class Exchange:
    """What plays a part whose instrument may change (see `engine.sound.contract.Instrument`).

    Args:
        path: of the file of its first instrument.
        instrument: that one.
        build: builds others, perhaps in a thread of its own.
        route: leads them to a place.
        frame: that the first block begins with.

    Attributes:
        problem: why the last change did not come about; empty if it did.
        stolen: notes, since the start, that took a sounding voice or found none.
        late: (number of a message, frame) of what did not come in at the frame that it said: the one at which it did,
            `NEVER` as long as it does not. Whoever tells of them takes them out.
    """

    def __init__(self, path: str, instrument: Instrument, build: Build, route: Route, frame: int) -> None:
        self.problem = ""
        self.stolen = 0
        self.late: list[tuple[int, int]] = []
        self.outputs = instrument.outputs
        self._path = path
        self._now = instrument
        self._build = build
        self._route = route
        self._frame = frame
        self._place = 0
        self._kept = route(instrument, 0)
        self._next: _Next | None = None
        self._later: deque[tuple[ChangeInstrument, int]] = deque()
        self._old: Instrument | None = None
        self._old_kept: object = None
        self._began = -CROSSFADE
        self._let_go = 0

    def change(self, message: ChangeInstrument, number: int = 0) -> None:
        """Let another instrument play from a frame on.

        It takes the place of a change that is still to come. Only where nobody hears and all waits, where those who
        decide may be far ahead, changes that leave each other time come one after the other.

        Args:
            message: that says so.
            number: of the message, by which `late` names it.
        """
        self.problem = ""
        coming = self._later[-1][0] if self._later else self._next
        after = message.wait and coming is not None and message.frame >= coming.frame + CROSSFADE
        if after and self._later and message.instrument == self._later[-1][0].instrument:
            self._later[-1] = message, number  # its line was moved
            return
        if after and coming is not None and message.instrument != _path(coming):
            self._later.append((message, number))
            return
        self._later.clear()
        self._expect(message, number)
        self._look(self._frame)

    def _expect(self, message: ChangeInstrument, number: int) -> None:
        """Have the instrument of the next change built; one that plays already is none."""
        if self._next is None or self._next.path != message.instrument:
            self._next = None
            if message.instrument == self._path:
                return
            self._next = _Next(message.instrument, message.frame, number)
            if not message.wait:
                threading.Thread(target=self._make, args=(self._next,), name="instrument", daemon=True).start()
        self._next.frame, self._next.number, self._next.late = message.frame, number, False
        if message.wait:
            self._next.awaited = True
            if self._next.instrument is None:
                self._make(self._next)

    def _make(self, coming: _Next) -> None:
        try:
            coming.instrument = self._build(coming.path)
        except Exception as error:  # a file that is gone, a full memory: what plays goes on playing
            coming.problem = getattr(error, "message", "") or repr(error)

    def note(self, offset: int, pitch: int, velocity: int, off: int) -> None:
        """Begin a note in the coming block."""
        on = self._frame + offset
        if self._old is None or on >= self._began:
            self._now.note(offset, pitch, velocity, off)
        if self._old is not None and on < self._began + CROSSFADE:
            self._old.note(offset, pitch, velocity, off)

    def prepare(self, frame: int) -> None:
        """Make ready for the block that begins at an absolute frame."""
        self._now.prepare(frame)
        if self._old is not None:
            self._old.prepare(frame)

    def sleep(self) -> None:
        """Stop what costs time and gives only silence."""
        self._now.sleep()
        if self._old is not None:
            self._old.sleep()

    def mix(self, places: tuple[np.ndarray, np.ndarray], frame: int) -> None:
        """Add up what both places gave, in the first one, and look whether a change begins with the next block.

        Args:
            places: arrays [BLOCK, 2] of float32.
            frame: of the block's beginning.
        """
        first, second = places
        if self._old is not None:
            # A quarter of a sine and of a cosine: two sounds that have nothing in common stay as loud as one.
            share = np.clip((np.arange(frame, frame + BLOCK) - self._began) / CROSSFADE, 0.0, 1.0) * (math.pi / 2.0)
            rising, falling = np.sin(share).astype(np.float32), np.cos(share).astype(np.float32)
            first *= (rising if self._place == 0 else falling)[:, None]
            second *= (falling if self._place == 0 else rising)[:, None]
        first += second
        self._frame = frame + BLOCK
        if self._old is not None and self._frame >= self._began + CROSSFADE:
            self._let_go += self._old.stolen
            self._old = self._old_kept = None
        self.stolen = self._let_go + self._now.stolen + (self._old.stolen if self._old is not None else 0)
        self._look(self._frame)

    def _look(self, frame: int) -> None:
        """Begin the change that is to begin in the block at a frame; note it where it cannot."""
        self._begin_what_is_due(frame)
        coming = self._next
        if coming is not None and coming.frame < frame + BLOCK and not coming.late:
            coming.late = True
            self.late.append((coming.number, NEVER))

    def _begin_what_is_due(self, frame: int) -> None:
        while self._old is None:
            if self._next is None and self._later:
                self._expect(*self._later.popleft())
            coming = self._next
            if coming is None:
                if not self._later:
                    return
            elif coming.problem:
                self.problem, self._next = coming.problem, None
                self.late.append((coming.number, NEVER))
            elif coming.instrument is None or coming.frame >= frame + BLOCK:
                return
            else:
                self._begin(coming.instrument, coming, frame)

    def _begin(self, instrument: Instrument, coming: _Next, frame: int) -> None:
        self._next = None
        self._old, self._old_kept = self._now, self._kept
        self._place = 1 - self._place
        self._now, self._kept = instrument, self._route(instrument, self._place)
        self._path = coming.path
        # A change that is repeated to whoever takes over goes on in its middle, but none begins in that of another.
        began = coming.frame if coming.awaited else max(coming.frame, frame)
        self._began = max(began, self._began + CROSSFADE)
        if self._began != coming.frame:
            self.late.append((coming.number, self._began))


def _path(coming: _Next | ChangeInstrument) -> str:
    return coming.path if isinstance(coming, _Next) else coming.instrument
