# pyright: strict
"""From one scene to the next: another process builds the new graph, the old one fades out, the new one's turn comes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from engine.runtime.audio.failover.memory import Memory
from engine.runtime.audio.failover.spare import Spare
from engine.runtime.audio.failover.takeover import Takeover
from engine.runtime.audio.inbox import Inbox
from engine.runtime.audio.primary import REFUSED, Primary
from engine.runtime.audio.processes import AudioChild, AudioProcesses
from engine.runtime.audio.states import End
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK, Fade, Forget, Setup

HAND_OVER = 8 * BLOCK
"""Frames (43 ms) over which the sound of an old scene fades out before the new one's graph begins."""

SHORTEST = SAMPLE_RATE // 2
"""Frames for which two scenes sound together at least; where fewer are left, the old one just fades out."""


class ChangePhase(StrEnum):
    """How far a change of scene is."""

    WAITING = "waiting for the graph"
    JOINING = "the new scene is about to begin beside the old one"
    FADING = "the old scene fades out"


@dataclass
class SceneChange:
    """A change of scene that has not come yet.

    Attributes:
        setup: of the new scene.
        candidates: processes that build its graph, and what they are told.
        phase: how far it is.
        fade_before: the fade that the old scene had before this change.
    """

    setup: Setup
    candidates: Takeover
    phase: ChangePhase = ChangePhase.WAITING
    fade_before: Fade | None = None

    @property
    def end(self) -> int:
        """Frame at which the old scene is over."""
        return self.candidates.start + self.setup.overlap // BLOCK * BLOCK


class SceneChanges:
    """At most one change of scene at a time.

    It waits until a process has built the new graph; then the old scene fades out just before the new one's first
    frame; with its end the change is over, and the new scene's turn has come. Where the setup asks for an overlap, that
    turn comes at the new scene's first frame, and the process of the old one plays on beneath it until it is over; one
    that is lost there is not replaced. A change ends otherwise where another setup comes (what it brought up to the new
    one's boundary still holds), where nobody can build the graph (it is refused, and the old scene plays on), and where
    the old scene can be made to sound no more (the new one begins at once).

    Not thread-safe; whoever owns it holds a lock.

    Args:
        primary: plays the old scene.
        spare: builds the new graph, if there is one.
        processes: starts and ends processes.
        inbox: for what is refused.
        patience: seconds that a process may take to build a graph.
        clock: gives seconds.
    """

    def __init__(
        self,
        primary: Primary,
        spare: Spare,
        processes: AudioProcesses,
        inbox: Inbox,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.current: SceneChange | None = None
        self.outgoing: AudioChild | None = None
        self._primary = primary
        self._spare = spare
        self._processes = processes
        self._inbox = inbox
        self._patience = patience
        self._clock = clock

    def begin(self, setup: Setup) -> None:
        """Let a process build the new graph, and hold it until the old scene has faded out."""
        before, self.current = self.current, None
        boundary = max(setup.start_frame, 0) // BLOCK * BLOCK
        memory, phase, fade_before = Memory(), ChangePhase.WAITING, self._primary.memory.fade
        if before is not None:
            memory, phase, fade_before = before.candidates.memory, before.phase, before.fade_before
            memory.add(Forget(boundary), self._primary.frame)
            self._discard(before)
            boundary = before.candidates.start
            setup = replace(setup, start_frame=boundary)
        memory.add(setup, self._primary.frame)
        self._primary.tell(Forget(boundary + setup.overlap))
        candidates = Takeover(memory, boundary, self._patience, self._clock)
        self.current = SceneChange(setup, candidates, phase, fade_before)
        self._enter(candidates, self._spare.take())
        self._spare.start_at(0.0)

    def look(self) -> None:
        """Take the steps for which it is time."""
        change = self.current
        if change is None:
            return
        candidates = change.candidates
        if candidates.look():
            self._enter(candidates)
        if not candidates.ready:
            return
        if self._primary.hopeless:
            self.current = None
            self._discard(change)
            self._primary.restart_with(candidates.memory)
        elif change.phase is ChangePhase.WAITING:
            together = change.end - max(candidates.start, self._primary.heard) >= SHORTEST
            start = max((change.end if together else candidates.start) - HAND_OVER, 0, self._primary.frame)
            self._primary.tell(Fade(start, HAND_OVER))
            change.phase = ChangePhase.JOINING if together else ChangePhase.FADING
        elif change.phase is ChangePhase.JOINING and self._primary.frame >= candidates.start:
            self._join(change)

    def _join(self, change: SceneChange) -> None:
        """Let the new scene begin beside the old one."""
        child = self._primary.overlap(change.candidates, change.end)
        if child is not None:
            self.current = None
            self.end_outgoing()
            self.outgoing = child

    def look_at_outgoing(self, overlaps: bool) -> None:
        """End the process of the old scene, if it sounds no more."""
        if self.outgoing is not None and not overlaps:
            self.end_outgoing()

    def outgoing_gone(self) -> None:
        """The process of the old scene has ended; what it has made still sounds."""
        child, self.outgoing = self.outgoing, None
        if child is not None:
            child.close(0.2)

    def end_outgoing(self) -> None:
        """End the process of the old scene."""
        child, self.outgoing = self.outgoing, None
        if child is not None:
            child.kill()

    def take_turn(self, end: End) -> bool:
        """The old scene's process has ended: whether that was its fade, and the new scene's turn has come."""
        change = self.current
        if change is None or not (end.faded or end.faded_early) or end.frame < change.candidates.start:
            return False
        self.current = None
        self._primary.turn(change.candidates, end.frame)
        return True

    def candidate_gone(self, change: SceneChange, child: AudioChild) -> None:
        """A process that was to build the new graph has ended."""
        candidates = change.candidates
        candidates.drop(child, 0)
        self._processes.discard(child)
        if candidates.failures >= REFUSED:
            self.current = None
            self._discard(change)
            self._primary.memory.fade = change.fade_before  # whoever comes after the hand-over's fade plays on
            self._inbox.refused(change.setup)
        elif not len(candidates):
            self._enter(candidates)

    def close(self) -> list[AudioChild]:
        """No more sound is wanted; the processes that are to be ended."""
        change, self.current = self.current, None
        outgoing, self.outgoing = self.outgoing, None
        return [*(change.candidates.children if change is not None else []), *([outgoing] if outgoing else [])]

    def _enter(self, candidates: Takeover, child: AudioChild | None = None) -> None:
        try:
            child = child or self._processes.spawn()
        except OSError:
            return  # it is tried again in a second
        candidates.add(child, self._processes.segment(child))

    def _discard(self, change: SceneChange) -> None:
        for child in change.candidates.children:
            self._processes.discard(child)
