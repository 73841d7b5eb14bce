"""What the tests of the audio process and the outputs share."""

import sys
import time
from collections.abc import Callable

import numpy as np

from engine.processes.reports import Cause, ChildLost, ChildStarted
from engine.sound.format import DEFAULT_CHANNELS
from engine.sound.messages import NOTE_EVENT, MixSound, Notes, PartSound, Setup
from tests.dummies.audio_process import WRAP

DUMMY = [sys.executable, "-m", "tests.dummies.audio_process"]


class Reports:
    """Keeps what supervision reports."""

    def __init__(self) -> None:
        self.all: list[object] = []

    def __call__(self, report: object) -> None:
        self.all.append(report)

    def started(self, process: str = "audio") -> int:
        """How often one has begun to do its work."""
        return sum(report == ChildStarted(process) for report in self.all)

    def lost(self, process: str = "audio", *causes: Cause) -> int:
        """How many were lost, for any cause or for some."""
        return sum(
            isinstance(report, ChildLost) and report.process == process and (not causes or report.cause in causes)
            for report in self.all
        )


def setup(*parts: str, start_frame: int = 0, live: bool = True) -> Setup:
    return Setup(tuple(PartSound(name, "none.yaml") for name in parts), MixSound(), 0, start_frame, live)


def notes(part: str, *spans: tuple[int, int], pitch: int = 60) -> Notes:
    events = np.zeros(len(spans), NOTE_EVENT)
    for place, (on, off) in enumerate(spans):
        events[place] = (on, off, pitch, 100)
    return Notes(part, events)


def samples(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.float32).reshape(-1, DEFAULT_CHANNELS)


def frame_numbers(sound: np.ndarray) -> np.ndarray:
    """The frame numbers modulo WRAP that the dummy wrote to the left channel."""
    return np.rint(sound[:, 0].astype(np.float64) * WRAP).astype(np.int64)


def voices(sound: np.ndarray) -> np.ndarray:
    """How many notes sounded in each frame."""
    return np.rint(sound[:, 1] * 128).astype(int)


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for something; the time is only there to end a test that fails."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)
