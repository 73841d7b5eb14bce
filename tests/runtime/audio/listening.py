import threading

import numpy as np

from engine.outputs.devices.pacing import Pacer
from engine.runtime.audio import Audio
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK
from tests.runtime.sound import samples


class Listener:
    """Takes sound from the pipe at the pace of real time, and keeps it."""

    def __init__(self, audio: Audio) -> None:
        self.audio = audio
        self.data: list[bytes] = []
        self.pauses = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        pacer = Pacer()
        while not self._stop.is_set():
            # A real output asks again within its own buffer's time; 5 ms without sound is what an ear might notice.
            chunk = self.audio.pipe.read(BLOCK * self.audio.pipe.format.frame_bytes, 0.005)
            if chunk:
                self.data.append(chunk)
                pacer.pace(BLOCK)
            elif self.data and not self.audio.over:
                self.pauses += 1

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def sound(self) -> np.ndarray:
        return samples(b"".join(self.data))

    @property
    def seconds(self) -> float:
        return len(self.data) * BLOCK / SAMPLE_RATE


def pid(audio: Audio) -> int:
    assert audio.pid is not None
    return audio.pid
