"""What a musician sees of a training: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import click

Clock = Callable[[], float]
_SMOOTH = 0.95
"""Of the loss and speed that were shown, what stays with the next batch."""


class Progress:
    """A watcher that shows loss, held-out loss, accuracy, events per second and time left; see `Watcher`.

    On a terminal a bar moves, and an evaluation becomes a line when it is the best so far; elsewhere every evaluation
    is a line.

    Args:
        title: of the training.
        until: when it will be stopped; None for never.
        clock: seconds that only grow.
    """

    def __init__(self, title: str, until: float | None = None, clock: Clock = time.monotonic) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
        from rich.progress import Progress as Bar

        self.title, self.until, self.clock = title, until, clock
        self.console = Console(stderr=True)
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TextColumn("{task.fields[facts]}"),
        )
        self._bar = Bar(*columns, console=self.console, transient=True, disable=not self.console.is_terminal)
        self._task: Any = None
        self._total = self._first = 0
        self._begun = self._last = 0.0
        self._loss: float | None = None
        self._speed: float | None = None
        self._held_out = ""

    def begun(self, step: int, total: int) -> None:
        """See `Watcher.begun`."""
        self._total, self._first = total, step
        self._begun = self._last = self.clock()
        self._task = self._bar.add_task(self.title, total=total, completed=step, facts="preparing the first batch")
        self._bar.start()

    def trained(self, step: int, loss: float, events: float) -> None:
        """See `Watcher.trained`."""
        now = self.clock()
        speed = events / max(now - self._last, 1e-9)
        self._last = now
        if self._loss is None:
            # The first batch waits for the compiler, and says nothing of how long the others take.
            self._loss, self._begun, self._first = loss, now, step
        else:
            self._loss = _SMOOTH * self._loss + (1 - _SMOOTH) * loss
            self._speed = speed if self._speed is None else _SMOOTH * self._speed + (1 - _SMOOTH) * speed
        if self.console.is_terminal:
            facts = [f"loss {self._loss:.3f}", self._held_out, self._rate(), self._left(step)]
            self._bar.update(self._task, completed=step, facts=", ".join(filter(None, facts)))

    def judged(self, line: Mapping[str, Any]) -> None:
        """See `Watcher.judged`."""
        best = line["held_out_loss"] <= line["best"]
        accuracy = f", accuracy {100 * line['accuracy']:.1f} %" if "accuracy" in line else ""
        self._held_out = f"held out {line['held_out_loss']:.3f}{accuracy}"
        self._last = self.clock()
        if self.console.is_terminal and not best:
            return
        kl = f", KL {line['kl']:.1f} nats" if "kl" in line else ""
        facts = [f"loss {line['train_loss']:.3f}", f"{self._held_out}{kl}{' (best)' if best else ''}"]
        facts += [self._rate(), self._left(line["step"])]
        self._print(f"batch {line['step']} of {self._total}: {', '.join(filter(None, facts))}")

    def said(self, text: str) -> None:
        """See `Watcher.said`."""
        self._print(text)

    def ended(self) -> None:
        """See `Watcher.ended`."""
        self._bar.stop()

    def _rate(self) -> str:
        return f"{self._speed:,.0f} events/s" if self._speed else ""

    def _left(self, step: int) -> str:
        done = step - self._first
        if done < 2:
            return ""
        seconds = (self.clock() - self._begun) / done * (self._total - step)
        stop = None if self.until is None else max(0.0, self.until - self.clock())
        if stop is not None and stop < seconds:
            return f"{duration(stop)} until it stops"
        return f"{duration(seconds)} left"

    def _print(self, text: str) -> None:
        if self.console.is_terminal:
            self.console.print(text, highlight=False, markup=False, soft_wrap=True)
        else:
            click.echo(text, err=True)


def duration(seconds: float) -> str:
    """Seconds as "40 s", "12 min" or "3 h 05 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"
