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
    """How a second of sound measured as it left for the output, behind every gain.

    Attributes:
        frame: of the pipe, the first after it.
        powers: mean square of each tenth of it, K-weighted (ITU-R BS.1770) and summed over the channels.
        short_term: LUFS of the last three seconds; None for silence.
        true_peak: linear; 1 is full scale.
        silent: share of it in which nothing audible left, 0..1.
        offset: mean of the channel that lies farthest off zero.
        tone: Hz of its strongest partial; 0 for silence.
        tonal: share of its power that lies there, 0..1.
        gain: dB of all gains together; None where one moved, and for silence.
        trim: dB that the trim has come to, or goes to.
    """

    frame: int
    powers: tuple[float, ...]
    short_term: float | None
    true_peak: float
    silent: float
    offset: float
    tone: float
    tonal: float
    gain: float | None
    trim: float


@dataclass(frozen=True, slots=True)
class RepetitionMeasured:
    """How much of what was played had been played before; once a minute of music.

    Attributes:
        bar: the last that counts.
        shares: pairs of a role and the largest share of its parts, 0..1: of ten minutes' runs of five onsets, what had
            been heard within three hours. Roles of which too little is known are left out.
    """

    bar: int
    shares: tuple[tuple[str, float], ...]
