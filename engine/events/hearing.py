# pyright: strict
"""What the ear finds, as events."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heard:
    """The ear found that something is wrong with what is played, did something about it, or found that it is over.

    Attributes:
        part: of which part; empty for the whole.
        fault: what: "one pitch", "dead air", as `engine.ear.faults` names it.
        bar: the last that it had heard.
        figure: what it measured.
        limit: beyond which that is a fault.
        over: the fault is not there any more.
        answer: what it asks for, for people; empty for nothing.
    """

    part: str
    fault: str
    bar: int
    figure: float
    limit: float
    over: bool
    answer: str


@dataclass(frozen=True, slots=True)
class SoundMeasured:
    """How a second of sound measured as it left the pipe, before mute and level.

    Attributes:
        frame: the first after it.
        short_term: LUFS over 3 s; None for silence.
        gated: LUFS over three minutes, silence left out; None without sound.
        true_peak: dB of true peak; None for silence.
        silence: seconds for which nothing has sounded.
        tone: seconds for which one steady tone, and nothing else, has sounded.
        offset: of the middle of the wave from zero, of full scale.
    """

    frame: int
    short_term: float | None
    gated: float | None
    true_peak: float | None
    silence: float
    tone: float
    offset: float
