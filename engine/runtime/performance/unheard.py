# pyright: strict
"""A stage where nothing sounds: a mind that plays to it goes through hours of music in minutes."""

from __future__ import annotations

from collections.abc import Sequence

from engine.runtime.performance.messages import FromStage, SoundProgress, ToStage
from engine.sound.messages import Release


class UnheardLink:
    """The mind's end of a link to nobody: whatever is decided counts as made and heard at once.

    Args:
        end: frame at which the sound is over; None: never.

    Attributes:
        frames: that were decided.
    """

    def __init__(self, end: int | None = None) -> None:
        self.frames = 0
        self._end = end
        self._told = 0

    def send(self, message: ToStage) -> None:
        """Take a message."""
        if isinstance(message, Release):
            self.frames = max(self.frames, message.frame)

    def receive(self, timeout: float) -> Sequence[FromStage]:
        """How far the sound would be; never waits."""
        if self.frames == self._told:
            return ()
        self._told = self.frames
        over = self._end is not None and self.frames >= self._end
        return (SoundProgress(self.frames, self.frames, over),)

    @property
    def closed(self) -> bool:
        """Never: there is no other end."""
        return False

    def close(self) -> None:
        """Nothing is to be done."""
