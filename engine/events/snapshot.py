# pyright: strict
"""How an installation is at a moment: one value, told about once a second to whoever watches."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class FallbackLevel(IntEnum):
    """The lowest rung of the ladder that is heard now."""

    NONE = 0
    """All sounds as the scene asks."""

    RULES = 1
    """A part whose network failed or came too late is played by rules."""

    LAST_BARS = 2
    """Nobody decides; the last bars sound once more."""

    BANK = 3
    """No sound can be made; recorded sound plays."""

    UNHEARD = 4
    """The output takes nothing; musical time goes on."""


@dataclass(frozen=True, slots=True)
class HealthSnapshot:
    """How an installation is.

    Attributes:
        at: seconds since 1970 on the clock on the wall, which may leap.
        monotonic: seconds of the clock that the music goes by.
        expected: whether sound is meant to be heard: not while it is closed, muted, resting or silenced by an alarm.
        muted: a hand has muted it.
        alarm: the fire alarm is on.
        scene: that plays, as the installation calls it; empty while nothing does.
        level: the lowest rung that is heard.
        stations: how far the music is, in frames, at each station that it passes: sealed, rendered, taken.
        late: names of the stations that have not done what was due; none: the heart beats.
        ahead: seconds of music that are decided and have not been taken.
        silent: seconds for which nothing audible has left for the output.
        peak: the largest sample that has left for the output since the snapshot before, linear.
        lost: why the output takes nothing; empty where it does.
        saved: seconds since 1970 at which the state was written last, or at which the keeper began.
        processes: names and numbers of the processes that run now, the keeper among them.
        mixer: what is wrong with the mixer between the output and the loudspeaker; empty where nothing is known to be.
        wanted: loudness that is wanted, LUFS, all hands included; None while nothing is to sound.
        wanted_dba: the same as a meter in the room shows it, in dB(A); None where nobody knows.
        volume: dB by which staff have turned it up or down.
        low_cut: Hz below which bass is taken away; 0: none is.
        room: why a microphone in the room does not hear what is sent; empty where it does, and without one.
        mains: what is wrong with the mains, as a UPS says; empty where nothing is known to be.
        section: of the scene that is heard; empty where nobody knows.
        quiet: a hand has asked for quiet mode.
    """

    at: float
    monotonic: float
    expected: bool
    muted: bool
    alarm: bool
    scene: str
    level: FallbackLevel
    stations: tuple[tuple[str, int], ...]
    late: tuple[str, ...]
    ahead: float
    silent: float
    peak: float
    lost: str
    saved: float
    processes: tuple[tuple[str, int], ...]
    mixer: str = ""
    room: str = ""
    section: str = ""
    quiet: bool = False
    wanted: float | None = None
    wanted_dba: float | None = None
    volume: float = 0.0
    low_cut: float = 0.0
    mains: str = ""
