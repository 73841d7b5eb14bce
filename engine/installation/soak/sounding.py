# pyright: strict
"""The sound of a soak: made by the audio process of a render, measured second by second, and kept nowhere."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import numpy as np

from engine.events import SoundMeasured
from engine.form.scene import Scene
from engine.outputs.gain import Gain
from engine.outputs.measuring.tap import SoundTap
from engine.runtime.audio import Audio
from engine.runtime.ending import setup_of
from engine.runtime.performance.commands import SetTrim
from engine.runtime.performance.links import LinkEnd, pair_of_links
from engine.runtime.performance.messages import FromStage, ToStage
from engine.runtime.performance.stage import OfflineStage


class SoakSound:
    """Lets a scene sound to nobody. Instruments that want a bank of notes are played by their stand-ins.

    Args:
        scene: what plays.
        seed: of the performance.
        frames: of sound in all.
        measured: told of every second behind the gain, in a thread of its own.

    Attributes:
        link: the mind's end of the way here.
    """

    def __init__(self, scene: Scene, seed: int, frames: int, measured: Callable[[SoundMeasured], None]) -> None:
        self.link: LinkEnd[ToStage, FromStage]
        self.link, self._to_mind = pair_of_links()
        self._setup = setup_of(scene, seed, live=False)
        self._frames = frames
        self._measured = measured
        self._stack = ExitStack()

    def __enter__(self) -> SoakSound:
        audio = self._stack.enter_context(Audio(live=False))
        audio.send(self._setup)
        self._format = audio.pipe.format
        self._gain = Gain(self._format)
        self._tap = SoundTap(self._format, self._gain, self._measured, patient=True)
        self._stack.callback(self._tap.close)
        self._place = 0
        self._stage = self._stack.enter_context(OfflineStage(audio, self._frames, self._take, self._to_mind))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def trim(self, command: SetTrim) -> None:
        """Do what the ear asks of the level."""
        self._gain.set_trim(command.decibels, command.seconds)

    def finish(self) -> None:
        """Wait until all of it has come, after all was decided.

        Raises:
            PerpetuumError: the audio process failed or ended early.
        """
        self._stage.finish()

    def _take(self, chunk: np.ndarray) -> None:
        data = self._gain.apply(chunk.tobytes())
        self._place += len(chunk)
        self._tap.take(data, self._place)
