# pyright: strict
"""How the installation is, as one value: made by the keeper, told to whoever watches."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.events.proof import MainsFound, MixerFound, RoomFound
from engine.events.snapshot import FallbackLevel, HealthSnapshot
from engine.events.vocabulary import BarSealed, PhraseDecided, SceneTookOver
from engine.installation.keeper.sound.performance import KeptPerformance
from engine.score.phrase import Origin
from engine.score.time import SAMPLE_RATE

if TYPE_CHECKING:
    from engine.installation.keeper.keeper import Keeper

RINGS = 8.0
"""Seconds after the start of a note for which it is expected to be heard; scenes have no rests that are shorter."""

HEARD = (PhraseDecided, BarSealed, SceneTookOver, MixerFound, RoomFound, MainsFound)
"""Events that `MusicWatch.hear` takes."""


class MusicWatch:
    """What is known of the music from its events: which parts are played by rules, and where notes begin.

    Attributes:
        mixer, room, mains: what is wrong beyond the output, as `HealthSnapshot` says it.
    """

    def __init__(self) -> None:
        self.mixer = self.room = self.mains = ""
        self._lock = threading.Lock()
        self._fallen: set[str] = set()
        self._sounding: deque[tuple[int, int]] = deque(maxlen=256)  # frames of bars in which notes begin
        self._sections: deque[tuple[int, str]] = deque(maxlen=64)  # of bars, by their first frames

    def begin(self) -> None:
        """A performance begins, whose frames count anew."""
        with self._lock:
            self._sections.clear()

    def hear(self, event: PhraseDecided | BarSealed | SceneTookOver | MixerFound | RoomFound | MainsFound) -> None:
        """Take what happens."""
        with self._lock:
            match event:
                case PhraseDecided(part=part, phrase=phrase):
                    if phrase.provenance.origin is Origin.FALLBACK:
                        self._fallen.add(part)
                    else:
                        self._fallen.discard(part)
                case BarSealed(start=start, end=end, section=section, parts=parts):
                    self._sections.append((start, section))
                    if any(part.heard and len(part.phrase.notes) for part in parts):
                        self._sounding.append((start, end))
                case SceneTookOver():
                    self._fallen.clear()
                case MixerFound(fault=fault, restored=restored):
                    self.mixer = f"{fault}; it was put back" if restored else fault
                case RoomFound(fault=fault):
                    self.room = fault
                case MainsFound(fault=fault):
                    self.mains = fault

    @property
    def fallen(self) -> bool:
        """Whether rules play a part in place of what failed."""
        with self._lock:
            return bool(self._fallen)

    def section(self, frame: int) -> str:
        """The section that is heard at a frame; empty where nobody knows."""
        with self._lock:
            return next((section for start, section in reversed(self._sections) if start <= frame), "")

    def sounds(self, frame: int) -> bool:
        """Whether notes are to be heard at a frame; at a rest they are not."""
        with self._lock:
            return any(start <= frame < end + RINGS * SAMPLE_RATE for start, end in self._sounding)


def level_of(performance: KeptPerformance, music: MusicWatch) -> FallbackLevel:
    """The lowest rung that is heard."""
    if performance.unheard:
        return FallbackLevel.UNHEARD
    if performance.substituted:
        return FallbackLevel.BANK
    if performance.standing.repeating:
        return FallbackLevel.LAST_BARS
    return FallbackLevel.RULES if music.fallen else FallbackLevel.NONE


def snapshot_of(keeper: Keeper, late: tuple[str, ...]) -> HealthSnapshot:
    """How an installation is now.

    Args:
        keeper: of it.
        late: stations of the music that have not done what was due.
    """
    performance, on, hands = keeper.performance, keeper.on, keeper.hands
    recorder = keeper.recording.pid
    now = HealthSnapshot(
        at=time.time(),
        monotonic=time.monotonic(),
        expected=False,
        muted=hands.muted,
        quiet=hands.quiet,
        alarm=hands.alarm,
        scene="",
        level=FallbackLevel.NONE,
        stations=(),
        late=late,
        ahead=0.0,
        silent=0.0,
        peak=0.0,
        lost="",
        saved=keeper.recording.kept_at,
        processes=(("keeper", os.getpid()), *([("recorder", recorder)] if recorder is not None else [])),
        mixer=keeper.music.mixer,
        room=keeper.music.room,
        mains=keeper.music.mains,
        volume=hands.volume.decibels,
    )
    if performance is None or on is None:
        return now
    standing, meter, loudness = performance.standing, performance.meter, keeper.installation.loudness
    level, calibration = keeper.levels.level.decibels, loudness.calibration
    wanted = loudness.loudest + level if math.isfinite(level) else None
    due = keeper.music.sounds(standing.taken) or standing.repeating or performance.substituted
    return replace(
        now,
        expected=standing.taken > 0 and due and keeper.levels.audible and not hands.muted and not hands.alarm,
        scene=on.turn.scene,
        section=keeper.music.section(standing.taken),
        level=level_of(performance, keeper.music),
        stations=(("sealed", standing.sealed), ("rendered", standing.made), ("taken", standing.taken)),
        ahead=max(0.0, (standing.sealed - standing.taken) / SAMPLE_RATE),
        silent=meter.silent if meter is not None else 0.0,
        peak=meter.take_peak() if meter is not None else 0.0,
        lost=performance.unheard,
        processes=(*now.processes, *performance.processes),
        wanted=wanted,
        wanted_dba=calibration.decibels_a(wanted) if calibration is not None and wanted is not None else None,
        low_cut=keeper.levels.low_cut,
    )
