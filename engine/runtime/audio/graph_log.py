# pyright: strict
"""What each audio process that is heard was told, as events: with these its sound can be made again, to the sample."""

from __future__ import annotations

from engine.events.sounding import GraphBegan, SoundTold, ToldLate
from engine.runtime.audio.reports import AudioReporter
from engine.sound.messages import DECISIVE, TO_SOUND, TakenLate, ToSound


class GraphLog:
    """Keeps what a process is told until it is heard; from then on that is reported, as often as `flush` is called."""

    def __init__(self) -> None:
        self._told: list[bytes] = []
        self._late: list[TakenLate] = []
        self._number = 0  # of the first of these messages
        self._graph = 0
        self._report: AudioReporter | None = None

    def tell(self, message: ToSound) -> None:
        """The process is told something."""
        if isinstance(message, DECISIVE):
            self._told.append(TO_SOUND.encode(message))

    def late(self, taken: TakenLate) -> None:
        """The process took something late."""
        self._late.append(taken)
        self.flush()

    def heard(
        self, graph: int, start: int, frame: int, blend: int, report: AudioReporter, overlap: bool = False
    ) -> None:
        """The process is heard from now on (see `GraphBegan`).

        Args:
            graph: its number.
            start: frame that its first block begins with.
            frame: from which it alone is heard.
            blend: frames before that in which it comes in.
            report: told events from now on.
            overlap: it comes in beside another scene.
        """
        self._graph, self._report = graph, report
        report(GraphBegan(graph, start, frame, blend, self._taken()[1], overlap))
        self.flush()

    def flush(self) -> None:
        """Report what has come, if the process is heard."""
        if self._report is None:
            return
        if self._told:
            self._report(SoundTold(self._graph, *self._taken()))
        for taken in self._late:
            self._report(ToldLate(self._graph, taken.number, taken.frame))
        self._late.clear()

    def _taken(self) -> tuple[int, tuple[bytes, ...]]:
        number, told = self._number, tuple(self._told)
        self._number += len(told)
        self._told.clear()
        return number, told


class HeardGraphs:
    """Numbers the graphs that are heard, one after another.

    Args:
        report: told events of each.

    Attributes:
        overlap_until: frame up to which the next one is heard beside the one before; None: it takes its place at once.
    """

    def __init__(self, report: AudioReporter) -> None:
        self.overlap_until: int | None = None
        self._report = report
        self._next = 0

    def begin(self, log: GraphLog, start: int, frame: int, blend: int) -> None:
        """The next graph is heard.

        Args:
            log: of what its process is told.
            start: frame that its first block begins with.
            frame: from which it is heard.
            blend: frames before that in which it comes in.
        """
        graph, self._next = self._next, self._next + 1
        until, self.overlap_until = self.overlap_until, None
        if until is None or until <= frame:
            log.heard(graph, start, frame, blend, self._report)
        else:
            log.heard(graph, start, until, until - frame, self._report, overlap=True)
