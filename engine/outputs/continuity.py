# pyright: strict
"""Keeps musical time on its course when one output gives way to another.

A player takes sound ahead of time; what it holds is lost with it, and the next one would fill its own buffer with what
comes after that: the music would leap ahead by a buffer at each loss. So what the last one held is given to the next
one, from the place at which the music would be by then.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from engine.outputs.contract import Sink
from engine.sound.format import AudioFormat

SETTLED = 1.5
"""Seconds after its opening at which an output has filled its buffer, and takes sound as it plays it."""

WINDOW = 1.0
"""Seconds over which an output's pace is looked at: servers ask for some tenths of a second at once."""

STALL = 0.01
"""Seconds for which a chunk is not taken where what was there before has filled a buffer."""

SLIGHT = 0.02
"""Seconds by which an output may begin late without a word: about a chunk."""

MOST = 1.0
"""Seconds that an output may be ahead; one that is further ahead keeps no time."""

LATEST = 2.5
"""Seconds by which it may be late and is caught up with; later than that, as after a suspension, time begins anew."""


class Continuity:
    """Counts the frames that outputs take, and how far ahead of time that is. One thread calls all of it but `forget`.

    Args:
        clock: gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._format = AudioFormat()
        self._frames = 0
        self._held: deque[bytes] = deque()
        self._held_bytes = 0
        self._course: float | None = None
        self._leads: dict[Sink, float] = {}
        self._output: Sink | None = None
        self._opened_at = self._opened_with = 0.0
        self._peak: float | None = None
        self._window_ends = 0.0
        self._measured = False
        self._took_at = self._longest_gap = 0.0
        self._stall: tuple[float, float] | None = None

    def begin(self, format: AudioFormat) -> None:
        """Sound of a form begins."""
        self._format = format

    def opened(self, output: Sink) -> bytes:
        """An output takes sound from now on: what it is to be given first; the last one took it, and nobody heard it.

        Args:
            output: to which the next chunk goes.
        """
        now = self._clock()
        lead = self._leads.get(output)
        given = b""
        if lead is not None and self._course is not None:
            wanted = round(lead - self._late(now))
            given = b"".join(self._held)[-wanted * self._format.frame_bytes :] if wanted > 0 else b""
        self._output = output
        self._opened_at, self._opened_with = now, self._frames - self._format.frames(given)
        self._measured = False
        self._took_at, self._stall = now, None
        self._begin_window(now + SETTLED)
        return given

    def on_floor(self) -> None:
        """No output is open; time goes on."""
        self._output = None

    @property
    def behind(self) -> bool:
        """Whether fewer frames were taken than time would have taken, so that a chunk may go unheard without delay."""
        if self._course is None:
            return False
        late = self._late(self._clock())
        if late > LATEST * self._format.rate:
            self._course = None
        return self._course is not None and late > 0

    def took(self, chunk: bytes) -> None:
        """A chunk was taken by whoever is open."""
        self._frames += self._format.frames(chunk)
        self._held.append(chunk)
        self._held_bytes += len(chunk)
        while (
            self._held and self._held_bytes - len(self._held[0]) >= MOST * self._format.rate * self._format.frame_bytes
        ):
            self._held_bytes -= len(self._held.popleft())
        if self._output is not None:
            self._look_at_stalls(self._format.frames(chunk))
            self._look_at_pace(self._output)

    def forget(self) -> None:
        """What was taken is not to be heard any more. From any thread."""
        self._held = deque()
        self._held_bytes = 0

    def _look_at_pace(self, output: Sink) -> None:
        now = self._clock()
        ahead = self._frames - now * self._format.rate
        settled = now >= self._opened_at + SETTLED
        if settled:
            self._peak = ahead if self._peak is None else max(self._peak, ahead)
        if now < self._window_ends or self._peak is None:
            return
        if not self._measured:  # later the card's clock has drifted, or sound was missing
            self._measured = True
            lead = self._peak + self._opened_at * self._format.rate - self._opened_with
            # An output holds what it holds: one that began late seems to hold less. The first time that shows in how
            # it takes sound; later it was given what the last one held.
            before = self._leads.get(output)
            lead = lead + self._cold_start(lead) if before is None else max(lead, before)
            if 0 <= lead <= MOST * self._format.rate:
                self._leads[output] = lead
            else:
                self._leads.pop(output, None)
        self._course = self._peak if output in self._leads else None
        self._begin_window(now)

    def _look_at_stalls(self, frames: int) -> None:
        now = self._clock()
        gap, self._took_at = now - self._took_at, now
        if self._stall is None and gap > STALL:
            self._stall = now - self._opened_at, self._frames - frames - self._opened_with
        if now >= self._opened_at + SETTLED:
            self._longest_gap = max(self._longest_gap, gap)

    def _cold_start(self, lead: float) -> float:
        """Frames that would have sounded while an output had its buffer full and did not play yet, as a server does
        whose card slept: the next one begins at once, and wants all that this one holds.

        Whose buffer is full at once asks for more by and by; whose first request comes late either asks for little, or
        plays late. Which of both it was shows by what it holds then: as much as it took at once, or a request more.

        Args:
            lead: frames that it is ahead.
        """
        if self._stall is None:
            return 0.0
        (late, burst), request = self._stall, self._longest_gap * self._format.rate
        missed = late * self._format.rate
        if missed <= request + SLIGHT * self._format.rate:
            return 0.0
        began_late = abs(lead + missed - burst - request) < abs(lead - burst - request / 4)
        return missed if began_late else 0.0

    def _begin_window(self, now: float) -> None:
        self._peak, self._window_ends = None, now + WINDOW
        self._longest_gap = 0.0

    def _late(self, now: float) -> float:
        """Frames that should have been taken by now, and were not."""
        assert self._course is not None
        return self._course + now * self._format.rate - self._frames
