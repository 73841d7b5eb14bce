"""What is said to somebody who waits: a bar with the time left on a terminal, lines now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from engine.errors import StoppedError
from engine.progress import heard_by

PATIENCE = 2.0
"""Seconds that nothing is said."""
EVERY = 5.0
"""Seconds between two lines where there is no terminal."""


@contextmanager
def progress(title: str, total: int = 1) -> Iterator[Callable[[], None]]:
    """Say how far work is that makes several files, from two seconds on; Ctrl-C is no failure of ours.

    What is done inside tells of itself by `engine.progress.tell`; call what this gives after each file.

    Args:
        title: of the work.
        total: how many files.

    Raises:
        StoppedError: by Ctrl-C.
    """
    from rich.console import Console

    console = Console(stderr=True)
    with _bar(title, total, console) if console.is_terminal else lines(title) as show:
        done = 0

        def hear(share: float) -> None:
            show((done + min(max(share, 0.0), 1.0)) / total)

        def advance() -> None:
            nonlocal done
            done += 1
            show(done / total)

        try:
            with heard_by(hear):
                yield advance
        except KeyboardInterrupt:
            kept = f"{done} of {total} files are written, whole" if done else "no file was written"
            raise StoppedError(f"stopped; {kept}") from None


@contextmanager
def _bar(title: str, total: int, console: object) -> Iterator[Callable[[float], None]]:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:  # pyright: ignore[reportArgumentType]
        task = bar.add_task(title if total == 1 else f"{title}, {total} files", total=1.0)
        yield lambda share: bar.update(task, completed=share)


@contextmanager
def lines(title: str) -> Iterator[Callable[[float], None]]:
    """Say how far work is where there is no terminal: from two seconds on, now and then; tell it the share."""
    following = time.monotonic() + PATIENCE
    first: tuple[float, float] | None = None

    def show(share: float) -> None:
        nonlocal following, first
        now = time.monotonic()
        if first is None:
            first = now, share  # what was done before told nothing of its pace
        if now >= following and share < 1.0:
            done = share - first[1]
            left = f", about {_spoken((now - first[0]) * (1.0 - share) / done)} left" if done > 0.005 else ""
            click.echo(f"{title}: {share:.0%}{left}", err=True)
            following = now + EVERY

    yield show


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min"
