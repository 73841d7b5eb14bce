# pyright: strict
"""What each audio process that is heard was told, as events: with these its sound can be made again, to the sample."""

from __future__ import annotations

from engine.events.vocabulary import GraphBegan, SoundTold, ToldLate
from engine.runtime.audio.reports import AudioReporter
from engine.sound.messages import DECISIVE, TO_SOUND, TakenLate, ToSound


class GraphLog:
    """Keeps what a process is told until it is heard; from then on each message is an event of its own."""

    def __init__(self) -> None:
        self._told: list[bytes] = []
        self._late: list[TakenLate] = []
        self._count = 0
        self._graph = 0
        self._report: AudioReporter | None = None

    def tell(self, message: ToSound) -> None:
        """The process is told something."""
        if not isinstance(message, DECISIVE):
            return
        number, self._count = self._count, self._count + 1
        data = TO_SOUND.encode(message)
        if self._report is None:
            self._told.append(data)
        else:
            self._report(SoundTold(self._graph, number, data))

    def late(self, taken: TakenLate) -> None:
        """The process took something late."""
        if self._report is None:
            self._late.append(taken)
        else:
            self._report(ToldLate(self._graph, taken.number, taken.frame))

    def heard(self, graph: int, start: int, frame: int, blend: int, report: AudioReporter) -> None:
        """The process is heard from now on (see `GraphBegan`).

        Args:
            graph: its number.
            start: frame that its first block begins with.
            frame: from which it alone is heard.
            blend: frames before that in which it comes in.
            report: told events from now on.
        """
        self._graph, self._report = graph, report
        told, self._told = tuple(self._told), []
        report(GraphBegan(graph, start, frame, blend, told))
        late, self._late = self._late, []
        for taken in late:
            self.late(taken)
