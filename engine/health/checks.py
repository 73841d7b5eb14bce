# pyright: strict
"""Whether it lives, and whether it does what it should: two questions with different answers.

It lives while the heartbeat advances, in every intended state. It is ready when each named check holds; a service that
is not ready is not restarted, but somebody should look.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.events.snapshot import FallbackLevel, HealthSnapshot

OLDEST = 10.0
"""Seconds for which a snapshot counts; without a newer one the keeper does not live."""

SILENT = 10.0
"""Seconds without audible sound, where it is expected, after which something is wrong."""

UNSAVED = 120.0
"""Seconds within which the state is written while something plays."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that should be so.

    Attributes:
        name: of it.
        ok: whether it is so.
        text: how it is, and what to do where it is not.
    """

    name: str
    ok: bool
    text: str


def lives(snapshot: HealthSnapshot | None, monotonic: float) -> Check:
    """Whether the heart beats.

    Args:
        snapshot: the last one; None if there was none yet.
        monotonic: seconds of the same clock, now.
    """
    if snapshot is None or monotonic - snapshot.monotonic > OLDEST:
        return Check("heartbeat", False, "the keeper says nothing; `systemctl status` tells whether it runs")
    if snapshot.late:
        return Check("heartbeat", False, f"nothing is {' or '.join(snapshot.late)}; the log says why")
    return Check("heartbeat", True, "the music passes all its stations, or rests as intended")


def checks(snapshot: HealthSnapshot | None, monotonic: float) -> tuple[Check, ...]:
    """All that should be so while it runs well. See `lives`."""
    beat = lives(snapshot, monotonic)
    return (beat,) if snapshot is None else (beat, *(check(snapshot) for check in _CHECKS))


def _sound(now: HealthSnapshot) -> Check:
    if now.expected and now.silent > SILENT:
        return Check("sound", False, f"nothing audible for {now.silent:.0f} s; look at the output and the log")
    return Check("sound", True, "sounds" if now.expected else "is meant to be silent")


def _output(now: HealthSnapshot) -> Check:
    if now.lost:
        return Check("output", False, f"{now.lost}; is the card plugged in? `perpetuum outputs` lists what there is")
    return Check("output", True, "takes sound")


def _ladder(now: HealthSnapshot) -> Check:
    if now.level is FallbackLevel.NONE:
        return Check("ladder", True, "all sounds as the scene asks")
    return Check("ladder", False, f"on the rung {now.level.name.lower().replace('_', ' ')}; the log says why")


def _state(now: HealthSnapshot) -> Check:
    if now.scene and now.at - now.saved > UNSAVED:
        return Check("state", False, "what plays has not been written down for two minutes; is the disk full?")
    return Check("state", True, "is written down")


def _alarm(now: HealthSnapshot) -> Check:
    if now.alarm:
        return Check("alarm", False, "the fire alarm is on; `perpetuum control INSTALLATION release` ends it")
    return Check("alarm", True, "is off")


def _mixer(now: HealthSnapshot) -> Check:
    if now.mixer:
        return Check("mixer", False, f"{now.mixer}; `perpetuum doctor INSTALLATION` says how to open it")
    return Check("mixer", True, "lets sound through, as far as it can be asked")


def _room(now: HealthSnapshot) -> Check:
    if now.room:
        return Check("room", False, now.room)
    return Check("room", True, "no microphone misses anything")


def _mains(now: HealthSnapshot) -> Check:
    if now.mains:
        return Check("mains", False, f"{now.mains}; is a fuse out, or the plug?")
    return Check("mains", True, "no UPS says that they have failed")


_CHECKS = (_sound, _output, _mixer, _room, _ladder, _state, _alarm, _mains)
