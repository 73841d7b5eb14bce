# pyright: strict
"""Who listens in a recorder: what a guest is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.events import Bus, Event
from engine.installation.keeper.recording.messages import Watch
from engine.runtime.performance.commands import Command


@dataclass(frozen=True, slots=True)
class Host:
    """A recorder, as a guest sees it.

    Attributes:
        bus: tells what happens, in threads of its own.
        submit: asks the keeper for something.
        tell: has an event of the guest's own kept, and told to all.
        playing: path of the scene file that plays, and the seed of the performance; empty before there is one.
        expected: whether sound is meant to be heard, as the keeper said last.
        watch: what the installation file says; None before it was said.
    """

    bus: Bus
    submit: Callable[[Command], None]
    tell: Callable[[Event], None]
    playing: Callable[[], tuple[str, int]]
    expected: Callable[[], bool]
    watch: Callable[[], Watch | None]


Guest = Callable[[Host], object]
"""Whoever listens: called once, at the start."""
