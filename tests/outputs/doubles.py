"""Test doubles: a clock that goes on by sleeping, and an output that keeps what it gets."""

from engine.outputs.contract import InfallibleOutput
from engine.outputs.devices.pacing import Pacer
from engine.sound.format import AudioFormat


class FakeTime:
    """A clock that only goes on while somebody sleeps, and oversleeps."""

    def __init__(self, oversleep: float = 0.0) -> None:
        self.now = 1000.0
        self.oversleep = oversleep

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds + self.oversleep

    def pacer(self, **options: float) -> Pacer:
        return Pacer(clock=self.clock, sleep=self.sleep, **options)  # type: ignore[arg-type]


class Tape(InfallibleOutput):
    """An output that keeps everything, at once."""

    description = "a tape"

    def __init__(self) -> None:
        self.data: list[bytes] = []

    def open(self, format: AudioFormat) -> None: ...

    def close(self) -> None: ...

    def write(self, chunk: bytes) -> None:
        self.data.append(chunk)
