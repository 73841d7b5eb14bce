# pyright: strict
"""What can be read from a journal, as values. Moments are seconds of UTC since 1970, frames those of a sitting."""

from __future__ import annotations

from dataclasses import dataclass

from engine.codec import Codec
from engine.events.vocabulary import PhraseDecided
from engine.journal.entries import TO_STAGE, HappeningValue, SittingBegan
from engine.runtime.performance.messages import ToStage
from engine.sound.messages import Notes


@dataclass(frozen=True, slots=True)
class Sitting:
    """A run of the sound from start to stop.

    Attributes:
        number: its place in the journal, by which all else names it.
        began: when.
        ended: when it was heard, or said something, last.
        ending: why it was ended on purpose; empty where it was cut off, or goes on.
        first_frame: that was heard; that of its beginning where nothing was.
        end_frame: first frame that was not heard any more, as far as is known.
        told: what was told at its beginning.
        installation: digest of the installation file as it was; empty where it could not be read.
    """

    number: int
    began: float
    ended: float
    ending: str
    first_frame: int
    end_frame: int
    told: SittingBegan
    installation: str


@dataclass(frozen=True, slots=True)
class HeardPlace:
    """A frame of a sitting."""

    sitting: int
    frame: int


@dataclass(frozen=True, slots=True)
class Mark:
    """What was heard at a moment.

    Attributes:
        number: its place in the journal.
        sitting: which.
        frame: that the output took next.
        wall: when.
        played: seconds for which the turn had played.
    """

    number: int
    sitting: int
    frame: int
    wall: float
    played: float


@dataclass(frozen=True, slots=True)
class BarPart:
    """Who plays in a bar.

    Attributes:
        part: its name.
        heard: False for a part that only others listen to.
        network: it needs a network.
        generator, origin: of its notes, as a `Provenance` has them.
    """

    part: str
    heard: bool
    network: bool
    generator: str
    origin: str


@dataclass(frozen=True, slots=True)
class BarBody:
    """What a bar holds; see `JournalBar`."""

    qpm: float
    pass_index: int
    section: str
    parts: tuple[BarPart, ...]
    messages: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class JournalBar:
    """A bar that was sealed.

    Attributes:
        number: its place in the journal.
        sitting: which.
        wall: when it was sealed.
        bar: its number, counted as frames are.
        start, end: its first frame, and the first after it.
        body: tempo, pass, section and parts, and what the sound was told, as `TO_STAGE` writes it: ramps and notes.
    """

    number: int
    sitting: int
    wall: float
    bar: int
    start: int
    end: int
    body: BarBody

    @property
    def messages(self) -> list[ToStage]:
        """What the sound was told of it."""
        return [TO_STAGE.decode(data) for data in self.body.messages]

    @property
    def notes(self) -> list[Notes]:
        """Its notes on the sample clock, by part."""
        return [message for message in self.messages if isinstance(message, Notes)]


@dataclass(frozen=True, slots=True)
class JournalPhrase:
    """A phrase that was decided.

    Attributes:
        number: its place in the journal.
        sitting: which.
        wall: when it was decided.
        made: frames of sound that were made by then.
        decided: where it stands, raw and played, seed, rung, reason and what it took.
        weights: SHA-256 of the weights of the network that was asked for it; empty where there is none, or nobody knew.
    """

    number: int
    sitting: int
    wall: float
    made: int
    decided: PhraseDecided
    weights: str


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened.

    Attributes:
        number: its place in the journal.
        sitting: which; 0 for none.
        wall: when.
        made: frames of sound that were made by then. What is heard then is up to 3 s earlier.
        value: what.
    """

    number: int
    sitting: int
    wall: float
    made: int
    value: HappeningValue


@dataclass(frozen=True, slots=True)
class JournalState:
    """The state of a mind.

    Attributes:
        number: its place in the journal.
        sitting: which.
        wall: when.
        bar: the first that it has not sealed.
        begins: whether a pass of a section begins with that bar.
        scene: path of the scene file.
        seed: of the performance.
        text: a `MindState`, JSON.
        content: digest of the scene file as it was then; empty where it could not be read.
    """

    number: int
    sitting: int
    wall: float
    bar: int
    begins: bool
    scene: str
    seed: int
    text: str
    content: str


@dataclass(frozen=True, slots=True)
class Content:
    """A file as it was.

    Attributes:
        digest: SHA-256 of its bytes.
        path: where it lay.
        size: bytes.
        data: its bytes; None where it was too large to be kept.
    """

    digest: str
    path: str
    size: int
    data: bytes | None


BODIES: Codec[BarBody] = Codec(BarBody)
