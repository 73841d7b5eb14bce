# pyright: strict
"""One glance: how an installation is, in words for a caretaker first, then for the technician."""

from __future__ import annotations

from datetime import datetime

from engine.events.snapshot import FallbackLevel, HealthSnapshot
from engine.health.checks import Check, checks

_RUNGS = {
    FallbackLevel.NONE: "",
    FallbackLevel.RULES: "Some of it is simpler than usual; it mends itself.",
    FallbackLevel.LAST_BARS: "Its last bars are repeated for a moment; it mends itself.",
    FallbackLevel.BANK: "It is a recording for the moment; it mends itself.",
    FallbackLevel.UNHEARD: "Nobody can hear it: the sound card or its cable is missing.",
}

_FIRST_AID = (
    "Is the amplifier switched on, and is its volume up?",
    "Are the cables plugged in, at the box and at the amplifier?",
    "Pull the plug of the box, wait ten seconds, plug it in again. Music comes back within a minute.",
    "Still silent: call the technician, and read this page out.",
)


def for_caretaker(now: HealthSnapshot | None, monotonic: float) -> list[str]:
    """Lines for somebody who looks after the room: what is so, and what to do, first things first."""
    found = {check.name: check for check in checks(now, monotonic)}
    if now is None or not found["heartbeat"].ok:
        return ["IT DOES NOT WORK: nothing is heard of the music.", *_numbered(_FIRST_AID)]
    if now.alarm:
        return [
            "SILENT: the fire alarm is on.",
            "The music comes back when the alarm contact is at rest again, or the technician releases it.",
        ]
    if not found["sound"].ok or not found["output"].ok:
        return [f"SILENT, though there should be music: for {_duration(now.silent)}.", *_numbered(_FIRST_AID)]
    if now.room and now.expected:
        return ["NOTHING IS HEARD IN THE ROOM, though the box sends music.", *_numbered(_FIRST_AID)]
    if now.mixer and now.expected:
        return [
            f"SOMEBODY TURNED THE SOUND DOWN: {now.mixer}.",
            "1. Was it meant? Then nothing needs to be done. Otherwise call the technician, and read this page out.",
        ]
    if now.mains:
        return [
            f"THE POWER IS OUT: {now.mains}, and switches itself off soon.",
            "1. Is a fuse out, or the plug? With power again it starts by itself, and the music comes back.",
        ]
    if now.muted:
        return ["MUTED by hand. The music goes on unheard; unmute it, and it comes back softly."]
    if not now.scene:
        return ["CLOSED: silence is as it should be. Nothing needs to be done."]
    title = now.scene.replace("_", " ")
    if not dict(now.stations).get("taken"):
        return [f"IT IS ABOUT TO BEGIN: {title}. Give it a minute."]
    if not now.expected:
        return [f"IT RESTS: {title}. Silence is as it should be. Nothing needs to be done."]
    return [f"MUSIC PLAYS: {title}. Nothing needs to be done.", *([_RUNGS[now.level]] if _RUNGS[now.level] else [])]


def for_technician(now: HealthSnapshot | None, monotonic: float) -> list[str]:
    """Lines for somebody who knows how it works."""
    found = checks(now, monotonic)
    width = max(len(check.name) for check in found)
    lines = [_line(check, width) for check in found]
    if now is None:
        return lines
    stations = ", ".join(f"{name} {frame}" for name, frame in now.stations) or "none"
    processes = ", ".join(f"{name} {number}" for name, number in now.processes)
    told = datetime.fromtimestamp(now.at).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    return [
        *lines,
        f"told      {told}, {_duration(max(0.0, monotonic - now.monotonic))} ago",
        f"loudness  {_loudness(now)}",
        f"ahead     {now.ahead:.1f} s decided and not yet heard",
        f"frames    {stations}",
        f"state     written {_duration(max(0.0, now.at - now.saved))} ago",
        f"processes {processes or 'none'}",
    ]


def page(title: str, now: HealthSnapshot | None, monotonic: float) -> str:
    """The whole page.

    Args:
        title: of the installation.
        now: its last snapshot; None where nothing answers.
        monotonic: seconds of the snapshot's clock, now.
    """
    caretaker = [f"  {line}" for line in for_caretaker(now, monotonic)]
    technician = [f"  {line}" for line in for_technician(now, monotonic)]
    return "\n".join([title, *caretaker, "", "For the technician", *technician])


def _line(check: Check, width: int) -> str:
    return f"{'ok ' if check.ok else 'BAD'} {check.name:<{width}}  {check.text}"


def _numbered(lines: tuple[str, ...]) -> list[str]:
    return [f"{number}. {line}" for number, line in enumerate(lines, 1)]


def _loudness(now: HealthSnapshot) -> str:
    """How loud it is to be, and what staff and night do about it."""
    if now.wanted is None:
        words = "nothing is to sound"
    else:
        words = f"{now.wanted:.1f} LUFS" + (f" ({now.wanted_dba:.1f} dBA)" if now.wanted_dba is not None else "")
        words += " wanted"
    staff = f", staff {now.volume:+g} dB until the next opening" if now.volume else ""
    return words + staff + (f", nothing below {now.low_cut:g} Hz" if now.low_cut else "")


def _duration(seconds: float) -> str:
    """Seconds, minutes, hours or days, as people say them."""
    for unit, size in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
