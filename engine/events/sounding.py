# pyright: strict
"""Events from which the sound itself can be made again: what graphs were told, and when; what the gain behind did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HandAsked:
    """A hand asked something of an installation: mute, quiet mode, volume, alarm, and what ends these.

    Attributes:
        ask: what, as it is said over the control socket.
        who: asked: "control", "http", "signal", "contact", "button".
    """

    ask: str
    who: str


@dataclass(frozen=True, slots=True)
class GraphBegan:
    """An audio process is heard: the first one, one that goes on where another stopped, or one with another graph.

    What it was told makes its sound again, sample for sample, on the same machine and build.

    Attributes:
        graph: processes that were heard before it in this performance; 0 begins another performance.
        start: frame that its first block begins with; until `frame` it plays again, unheard, what sounded before.
        frame: from which it alone is heard, and nothing any more of the one before.
        blend: frames before that in which it comes in while the one before goes out, along two straight lines.
        told: what it was told up to now and its sound depends on, as `engine.sound.messages.TO_SOUND` writes it; the
            first is its `Setup`.
        overlap: both are scenes of their own, and cross at equal power instead.
    """

    graph: int
    start: int
    frame: int
    blend: int
    told: tuple[bytes, ...]
    overlap: bool = False


@dataclass(frozen=True, slots=True)
class SoundTold:
    """The audio process that is heard was told what its sound depends on; all that came within a moment.

    Attributes:
        graph: of the process.
        number: of the first of the messages: how many came before it since and with its `Setup`.
        messages: in order, as `engine.sound.messages.TO_SOUND` writes them.
    """

    graph: int
    number: int
    messages: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ToldLate:
    """Something that an audio process was told came after its frame; it did at once what was still to be done.

    Attributes:
        graph: of the process.
        number: of the message.
        frame: that the next block began with; of another instrument that from which it plays, 2^62 as long as it does
            not. Of several for one message the last one counts.
    """

    graph: int
    number: int
    frame: int


@dataclass(frozen=True, slots=True)
class GainMoved:
    """The gain behind the pipe moves from where it stands to another value, along a raised cosine.

    Attributes:
        frame: of the pipe, with which it begins to.
        gain: which of the gains that are multiplied: "level", "trim", "mute" or "fade"; or "low_cut".
        target: linear; of the low cut in Hz, 0 for none.
        frames: that it takes.
    """

    frame: int
    gain: str
    target: float
    frames: int
