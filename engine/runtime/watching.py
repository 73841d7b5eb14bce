# pyright: strict
"""`play --watch`: follows a scene file and those that it uses while they are edited, whatever happens to them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from engine.errors import PerpetuumError
from engine.files import SavedState, noting, saved_at
from engine.form.scene import Scene

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks at the files, whether anything tells of changes or not."""


class Watcher:
    """Looks at a scene file and the files that it uses, and loads it whenever one of them was saved. Nothing that lies
    there can end it.

    Args:
        path: of the scene file.
        load: gives the scene, or None where it is broken (and says so).
        take_over: takes a good scene.
        known: the files that the scene that plays was loaded from, as they were then (see `engine.files.noting`).
    """

    def __init__(
        self,
        path: Path,
        load: Callable[[Path], Scene | None],
        take_over: Callable[[Scene], None],
        known: Mapping[Path, SavedState | None] | None = None,
    ) -> None:
        self._path = path
        self._load = load
        self._take_over = take_over
        self._known = {path: None, **(known or {})}
        self._said = ""

    def look(self) -> None:
        """Load the scene if its files are others than before. Never raises."""
        try:
            found = {path: saved_at(path) for path in self._known}
            if found[self._path] is None:
                # What comes back in its place is taken for a new save, even if it is the same file.
                self._known[self._path] = None
                self._say(f"{self._path} is no file that can be read; what played plays on until it is one again")
            elif found != self._known:
                # Each save is loaded once, whatever comes of it; files that it used before may come back.
                self._known = found
                with noting() as used:
                    scene = self._load(self._path)
                self._known = found | used if scene is None else {self._path: found[self._path], **used}
                self._said = ""
                if scene is not None:
                    self._take_over(scene)
        except PerpetuumError as error:  # it vanished while it was looked at, or may not be read
            # Permission may come back without a new save.
            self._known[self._path] = None
            self._say(f"{error}; what played plays on")
        except Exception:
            if self._said != "failed":
                self._said = "failed"
                log.exception("%s could not be looked at; what played plays on", self._path)

    def follow(self, stopped: threading.Event) -> None:
        """Look until `stopped`: at each change that the system tells of, and every second."""
        changes = self._changes(stopped)
        while not stopped.is_set():
            self.look()
            try:
                next(changes)
            except Exception as error:  # no descriptors for notices are left, or the folder is gone
                log.debug("%s: changes are not told of: %r", self._path.parent, error)
                stopped.wait(LOOK)
                changes = self._changes(stopped)

    def _changes(self, stopped: threading.Event) -> Iterator[object]:
        """Something each time that the folder changes (editors replace files as often as they write them) or a second
        is over."""
        from watchfiles import watch

        yield from watch(
            self._path.parent,
            stop_event=stopped,
            recursive=False,
            debounce=200,
            rust_timeout=round(LOOK * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
        )

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            with suppress(Exception):
                log.warning("%s", text)


def watch(watcher: Watcher, stopped: threading.Event) -> None:
    """Follow a file in this thread until `stopped`. Never raises."""
    while not stopped.is_set():
        try:
            watcher.follow(stopped)
        except Exception:
            log.exception("the watch of the scene file begins again")
            stopped.wait(LOOK)
