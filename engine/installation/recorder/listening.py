# pyright: strict
"""The ear in the recorder: it hears what is decided and what leaves, and asks the keeper for what it finds right."""

from __future__ import annotations

import logging
from pathlib import Path

from engine.ear.ear import EarSettings
from engine.ear.hand import HEARD, Hand, Listened
from engine.events import SceneTookOver
from engine.form.scene import Scene
from engine.installation.keeper.recording.messages import Watch
from engine.installation.recorder.guests import Host
from engine.runtime.performance.commands import Command
from engine.scenes import load

log = logging.getLogger(__name__)


class EarGuest:
    """Listens in a recorder. One thread calls all of it.

    Args:
        host: the recorder.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._file = ""
        self._watch: Watch | None = None
        self._scene: Scene | None = None
        self._hand: Hand | None = None
        host.bus.subscribe(HEARD, self._hear)

    @property
    def scene(self) -> Scene:
        """What plays now, as its file says."""
        assert self._scene is not None
        return self._scene

    def submit(self, command: Command) -> None:
        """Ask the keeper."""
        self._host.submit(command)

    def _hear(self, event: Listened) -> None:
        file, seed = self._host.playing()
        if file and (file != self._file or isinstance(event, SceneTookOver)):
            self._read(file, seed)
        if self._hand is not None:
            watch = self._host.watch()
            if watch is not None and watch != self._watch:
                self._watch = watch
                self._hand.ear.take_settings(_settings(watch))
            self._hand(event)

    def _read(self, file: str, seed: int) -> None:
        """Another scene plays, or this one was edited."""
        self._file = file
        self._scene, _ = load(Path(file))
        if self._scene is None:
            log.warning("the ear cannot read %s, and hears nothing until another scene plays", file)
            self._hand = None
        elif self._hand is None:
            self._watch = None
            host = self._host
            self._hand = Hand(self, seed, host.tell, expected=host.expected, show=host.bus.publish)
        else:
            self._hand.ear.take_scene(self._scene)


def _settings(watch: Watch) -> EarSettings:
    return EarSettings(watch.hearing, watch.sound_hearing, watch.target, watch.ceiling)
