# pyright: strict
"""The form in which sound travels from the graph to an output: interleaved float32 frames at 48 kHz."""

from __future__ import annotations

from dataclasses import dataclass

from engine.score.time import SAMPLE_RATE

DEFAULT_CHANNELS = 2
"""What the sound graph builds."""

SAMPLE_BYTES = 4
"""Of a float32."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How many channels a frame has; all else is the same everywhere.

    Attributes:
        channels: at least 1.

    Raises:
        ValueError: there are none.
    """

    channels: int = DEFAULT_CHANNELS

    def __post_init__(self) -> None:
        if self.channels < 1:
            raise ValueError(f"sound has at least one channel, not {self.channels}")

    @property
    def rate(self) -> int:
        """Frames a second."""
        return SAMPLE_RATE

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return SAMPLE_BYTES * self.channels

    def frames(self, chunk: bytes) -> int:
        """How many frames there are in a chunk."""
        return len(chunk) // self.frame_bytes
