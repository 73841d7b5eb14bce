"""What is told of a training while it goes on; the trainer knows nothing of screens and files of curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class TrainingWatcher(Protocol):
    """Somebody who is told how a training goes."""

    def begun(self, step: int, total: int) -> None:
        """It begins, or goes on, after so many of so many batches."""
        ...

    def trained(self, step: int, loss: float, events: float) -> None:
        """A batch was learnt from.

        Args:
            step: how many so far.
            loss: its loss.
            events: how many were predicted in it.
        """
        ...

    def judged(self, line: Mapping[str, Any]) -> None:
        """The network was judged on what was held out; see `Trainer.evaluate`."""
        ...

    def said(self, text: str) -> None:
        """Something that the musician should know, in a sentence or two."""
        ...

    def ended(self) -> None:
        """It ends here, for whatever reason."""
        ...


class Watchers:
    """Several of them as one.

    Args:
        watchers: are told in this order.
    """

    def __init__(self, watchers: Sequence[TrainingWatcher] = ()) -> None:
        self.watchers = watchers

    def begun(self, step: int, total: int) -> None:
        """See `TrainingWatcher.begun`."""
        for watcher in self.watchers:
            watcher.begun(step, total)

    def trained(self, step: int, loss: float, events: float) -> None:
        """See `TrainingWatcher.trained`."""
        for watcher in self.watchers:
            watcher.trained(step, loss, events)

    def judged(self, line: Mapping[str, Any]) -> None:
        """See `TrainingWatcher.judged`."""
        for watcher in self.watchers:
            watcher.judged(line)

    def said(self, text: str) -> None:
        """See `TrainingWatcher.said`."""
        for watcher in self.watchers:
            watcher.said(text)

    def ended(self) -> None:
        """See `TrainingWatcher.ended`."""
        for watcher in self.watchers:
            watcher.ended()
