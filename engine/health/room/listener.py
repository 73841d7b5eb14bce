# pyright: strict
"""Whether the room hears what is sent, decided from block to block. Time is counted in frames of heard sound.

One block alone does not decide: what is heard has the same delay in each, what noise feigns has another each time. So
the answers of several blocks are added up at each delay.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum

import numpy as np

from engine.health.room.likeness import BLOCK, RATE, REACH, Likeness, Samples, Values, likeness

BLOCKS = 7
"""Blocks that are added up, 29 s: as few as still tell music from noise of the same level in a church."""

CERTAIN = 17.0
"""Mean of the added answers above which it is heard; noise alone stays below 15."""

BEYOND_DOUBT = 27.0
"""The same of blocks of which nobody would have expected it: an amplifier came back louder than it was."""

TWICE = 2
"""Looks in a row that must say so before it is heard again: now and then noise alone passes the bar in one."""

MOST = 40.0
"""What one block may say at most, so that one coincidence does not decide."""

LINES = 300.0
"""Fewer frequencies than these, of eight to each hertz, are no evidence for or against: something drones."""

EXPECTED = 5.0
"""Standard deviations that a block should give, by what the room gave before, so that it is evidence."""

SOFTEST = 10.0 ** (-60 / 20)
"""Level of what is sent, linear, below which nothing is expected."""

LEARNT = 15
"""Blocks from which is known how loud the room gives back what is sent."""

SLIP = RATE
"""Frames by which the two streams may arrive unevenly; where they part by more, they are lined up anew."""


class RoomVerdict(StrEnum):
    """What is known."""

    UNSURE = "unsure"
    """Too little was sent, or the room was too loud, to tell."""

    HEARD = "heard"
    UNHEARD = "unheard"
    """What was sent should have been heard, and was not."""


class RoomListener:
    """Takes what is sent and what is heard, both at `RATE` and of one channel, in pieces of any length.

    Attributes:
        verdict: as it is now.
        delay: seconds from what is sent to what is heard, buffers included; None unless it is heard.
    """

    def __init__(self) -> None:
        self.verdict = RoomVerdict.UNSURE
        self.delay: float | None = None
        # What is sent is looked at up to a second after what is heard, for that may arrive first.
        self._sent: Samples = np.zeros(REACH - SLIP, np.float32)
        self._heard: Samples = np.zeros(0, np.float32)
        self._answers: deque[Values] = deque(maxlen=BLOCKS)  # of blocks that are evidence, whatever they say
        self._latest: deque[Values] = deque(maxlen=BLOCKS)
        # How loud the room gives back what is sent: of those blocks that are evidence, and of those that were heard.
        self._told: deque[float] = deque(maxlen=BLOCKS)
        self._gains: deque[float] = deque(maxlen=LEARNT)
        self._again = 0

    def sent(self, samples: Samples) -> None:
        """Take what leaves for the output."""
        self._sent = np.concatenate((self._sent, samples))
        self._line_up()

    def heard(self, samples: Samples) -> None:
        """Take what the microphone hears, and judge."""
        self._heard = np.concatenate((self._heard, samples))
        self._line_up()
        while len(self._heard) >= BLOCK and len(self._sent) >= REACH + BLOCK:
            self._look(self._sent[: REACH + BLOCK], self._heard[:BLOCK])
            self._sent, self._heard = self._sent[BLOCK:], self._heard[BLOCK:]

    def _line_up(self) -> None:
        """Where one stream stood still, what came of the other meanwhile is left out, and nothing is known."""
        ahead = len(self._heard) - (len(self._sent) - REACH + SLIP)
        if ahead > SLIP:
            self._heard = self._heard[ahead:]
        elif ahead < -SLIP:
            self._sent = self._sent[-ahead:]
        else:
            return
        self._answers.clear()
        self._latest.clear()
        self._told.clear()
        self.verdict, self.delay = RoomVerdict.UNSURE, None

    def _look(self, sent: Samples, heard: Samples) -> None:
        found = likeness(sent, heard)
        loud, room = _power(sent), _power(heard)
        if loud < SOFTEST**2 or found.lines < LINES:
            return  # no evidence; what is known stays known
        answer: Values = np.minimum(found.echoes, MOST)
        evident = self._should_be_heard(found, loud, room)
        gain = found.share**2 * room / loud
        self._latest.append(answer)
        if evident:
            self._answers.append(answer)
            self._told.append(gain)
        if (evident and self._is_heard(self._answers, CERTAIN)) or self._is_heard(self._latest, BEYOND_DOUBT):
            self._again += 1
            if self.verdict is RoomVerdict.UNHEARD and self._again < TWICE:
                self.delay = None
                return
            self.verdict = RoomVerdict.HEARD
            # At first of all that decided: by one unlucky block nothing would be expected, and nothing learnt, ever.
            self._gains.extend([gain] if self._gains else self._told)
        elif evident and len(self._answers) == BLOCKS:
            self.verdict, self.delay, self._again = RoomVerdict.UNHEARD, None, 0

    def _should_be_heard(self, found: Likeness, loud: float, room: float) -> bool:
        """Whether a block is evidence, by how loud the room gave back what was sent before, and is now."""
        if not self._gains or room <= 0.0:
            return True
        share = min(1.0, float(np.sqrt(np.median(self._gains) * loud / room)))
        return share / found.spread >= EXPECTED

    def _is_heard(self, answers: deque[Values], bar: float) -> bool:
        """Whether these blocks, if they are enough, answer at one delay."""
        if len(answers) < BLOCKS:
            return False
        # Clocks part, so that an answer may move into the next stretch of delay.
        wide = [np.maximum(one, np.maximum(np.roll(one, 1), np.roll(one, -1))) for one in answers]
        total: Values = np.mean(wide, axis=0)
        best = int(total.argmax())
        if total[best] < bar:
            return False
        self.delay = ((best + 0.5) * (REACH / len(total)) - SLIP) / RATE
        return True


def _power(samples: Samples) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))
