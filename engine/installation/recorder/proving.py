# pyright: strict
"""The mixer and the room, watched from the recorder: what is found is told to the keeper, and costs no sound."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from engine.events import Event
from engine.health.mixer.mixer import OutputMixer
from engine.health.mixer.watch import MixerWatch
from engine.health.room.capture import RoomCapture
from engine.health.room.likeness import Samples
from engine.health.room.watch import RoomWatch
from engine.installation.keeper.recording.messages import Watch

log = logging.getLogger(__name__)

MIXER_EVERY = 10.0
"""Seconds between two looks at the mixer: each starts three small programs."""

LOOK = 0.5
"""Seconds between two looks at what was heard."""

MOST = 200
"""Pieces of sound that wait, of both streams; more are left out."""


class Proving:
    """Watches as a file says, in threads of its own. One thread calls all of it but `sent`.

    Args:
        tell: has an event kept, and told to all; from any thread.
    """

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self._tell = tell
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._capture: RoomCapture | None = None
        self._pieces: queue.Queue[tuple[bool, Samples]] = queue.Queue()
        self._expected = False

    def take(self, watch: Watch) -> None:
        """Watch what a file says, and nothing of what another one said."""
        self.close()
        self._over = over = threading.Event()
        choice, output = watch.proof.mixer, watch.output
        if output.kind in ("auto", "device"):
            mixer = OutputMixer(output.argument if output.kind == "device" else None, choice.control)
            self._start("mixer", self._watch_mixer, MixerWatch(mixer, choice.level, choice.restore), over)
        if watch.proof.microphone:
            self._pieces = pieces = queue.Queue[tuple[bool, Samples]]()
            self._capture = RoomCapture(watch.proof.microphone, lambda samples: self._put(pieces, True, samples))
            self._start("room", self._watch_room, RoomWatch(), over)

    def sent(self, frames: bytes) -> None:
        """Take what leaves for the output: 16-bit frames of one channel."""
        if self._capture is not None:
            self._put(self._pieces, False, np.frombuffer(frames, "<i2").astype(np.float32) / np.float32(32768.0))

    def expect(self, expected: bool) -> None:
        """Say whether sound is meant to be heard now."""
        self._expected = expected

    def close(self) -> None:
        """Watch nothing."""
        self._over.set()
        if self._capture is not None:
            self._capture.close()
            self._capture = None
        for thread in self._threads:
            thread.join(1.0)
        self._threads.clear()

    def _start(self, name: str, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _put(self, pieces: queue.Queue[tuple[bool, Samples]], heard: bool, samples: Samples) -> None:
        if pieces.qsize() < MOST:
            pieces.put((heard, samples))

    def _watch_mixer(self, watch: MixerWatch, over: threading.Event) -> None:
        while not over.is_set():
            try:
                found = watch.look()
                if found is not None:
                    self._tell(found)
            except Exception:
                log.exception("the mixer could not be looked at; it is tried again")
            over.wait(MIXER_EVERY)

    def _watch_room(self, watch: RoomWatch, over: threading.Event) -> None:
        pieces = self._pieces
        while not over.is_set():
            try:
                watch.expect(self._expected)
                with suppress(queue.Empty):
                    heard, samples = pieces.get(timeout=LOOK)
                    while True:
                        (watch.heard if heard else watch.sent)(samples)
                        heard, samples = pieces.get_nowait()
                found = watch.look()
                if found is not None:
                    self._tell(found)
            except Exception:
                log.exception("the room could not be listened to; it is tried again")
                over.wait(LOOK)
