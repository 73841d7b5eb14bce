# pyright: strict
"""Processes of a performance that are started before it is known what they are to play: they import meanwhile."""

from __future__ import annotations

import logging
from contextlib import suppress

from engine.installation.keeper.mind.warm import WarmMind
from engine.processes.reports import Relay
from engine.runtime.audio import Audio
from engine.runtime.audio.reports import AudioReport, AudioReporter, log_audio_report

log = logging.getLogger(__name__)


class Ahead:
    """An audio process and a mind. One that cannot be started now is started again by whoever takes them."""

    def __init__(self) -> None:
        self._relay: Relay[AudioReport] = Relay(log_audio_report)
        self._audio: Audio | None = Audio(report=self._relay)
        self._mind: WarmMind | None = None
        with suppress(OSError):
            self._mind = WarmMind()
        with suppress(OSError):
            self._audio.start()

    def take(self, report: AudioReporter) -> tuple[Audio, WarmMind | None]:
        """What was started, which is the caller's from now on; a second time there is nothing left but a new audio.

        Args:
            report: told from now on what is found out about audio processes.
        """
        audio, mind, self._audio, self._mind = self._audio, self._mind, None, None
        if audio is None:
            return Audio(report=report), None
        self._relay.to = report
        return audio, mind

    def close(self) -> None:
        """End what nobody has taken."""
        audio, mind, self._audio, self._mind = self._audio, self._mind, None, None
        if audio is not None:
            audio.close()
        if mind is not None:
            mind.close()
