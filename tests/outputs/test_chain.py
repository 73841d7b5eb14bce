"""A chain of outputs: the best that works is heard, and it does not end in anything that may fail."""

import threading
import time

import pytest

from engine.errors import PerpetuumError
from engine.events import OutputFailed
from engine.outputs.chain import SETTLED, Chain
from engine.outputs.contract import InfallibleOutput, Output, OutputLostError
from engine.outputs.devices.pacing import Pacer
from engine.outputs.null import NullOutput
from engine.processes.backoff import Backoff
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat

STEREO = AudioFormat(2)
SECOND = bytes(SAMPLE_RATE * 8)


class Card(Output):
    """A card that somebody pulls out."""

    description = ""

    def __init__(self, name: str, there: bool = True) -> None:
        self.description = name
        self.there = there
        self.seconds = 0
        self.opened = 0
        self.silenced = 0

    def open(self, format: AudioFormat) -> None:
        if not self.there:
            raise OutputLostError(f"{self.description} is not there")
        self.opened += 1

    def write(self, chunk: bytes) -> None:
        if not self.there:
            raise OSError(f"{self.description} was pulled out")
        self.seconds += 1

    def close(self) -> None:
        if not self.there:
            raise OSError("it is gone")

    def silence(self) -> None:
        self.silenced += 1


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def chain_of(*cards: Card) -> tuple[Chain, Time, list[OutputFailed]]:
    time, told = Time(), []
    floor = NullOutput(Pacer(clock=time.clock, sleep=time.sleep))
    chain = Chain(cards, floor, told.append, lambda: Backoff(first=2.0, longest=2.0), time.clock)
    chain.open(STEREO)
    return chain, time, told


def test_the_first_output_that_works_is_heard_and_a_better_one_as_soon_as_it_is_back():
    best, other = Card("best", there=False), Card("other")
    chain, time, told = chain_of(best, other)
    chain.write(SECOND)
    assert (best.seconds, other.seconds) == (0, 1)
    assert chain.description == "other"
    time.now += 3.0
    best.there = True
    chain.write(SECOND)
    assert (best.seconds, other.seconds, chain.description) == (1, 1, "best")
    best.there = False
    chain.write(SECOND)  # not a second of it is lost: the other one takes it
    assert (best.seconds, other.seconds) == (1, 2)
    assert [event.reason for event in told] == ["best was pulled out"]


def test_where_nothing_works_time_goes_on_exactly_and_the_description_says_why():
    card = Card("card", there=False)
    chain, time, _ = chain_of(card)
    for _ in range(100):
        chain.write(SECOND)
    assert time.now == pytest.approx(100.0)
    assert "nowhere, in real time: card is not there" in chain.description
    card.there = True
    while not card.seconds:
        chain.write(SECOND)
    assert time.now <= 103.0
    assert chain.description == "card"


def test_one_that_has_worked_for_a_while_is_opened_again_at_once():
    card = Card("card")
    chain, time, told = chain_of(card)
    time.now += SETTLED + 1.0
    chain.write(SECOND)
    card.write = iter_raise(card)  # type: ignore[method-assign]
    chain.write(SECOND)
    assert (card.opened, card.seconds) == (2, 2)
    assert len(told) == 1


def iter_raise(card: Card):
    """Its `write`, which raises once."""
    write = card.write
    raised = []

    def once(chunk: bytes) -> None:
        if not raised:
            raised.append(True)
            raise OutputLostError("killed")
        write(chunk)

    return once


def test_a_silenced_chain_keeps_time_opens_nothing_and_comes_back_when_told():
    """Also where the output is away at that moment, or is lost by being silenced."""
    card = Card("card")
    chain, time, told = chain_of(card)
    chain.write(SECOND)
    chain.silence()
    assert card.silenced == 1
    card.there = False
    begun = time.now
    for _ in range(10):
        chain.write(SECOND)
    assert (time.now - begun, card.seconds, card.opened) == (pytest.approx(10.0), 1, 1)
    card.there = True
    chain.resume()
    chain.write(SECOND)
    assert card.seconds == 2
    assert told == []


def test_what_will_never_work_is_refused_when_the_chain_is_opened():
    class Never(Card):
        def open(self, format: AudioFormat) -> None:
            raise PerpetuumError("never")

    with pytest.raises(PerpetuumError):
        chain_of(Never("x"))


def test_a_chain_that_ends_in_what_may_fail_is_not_built():
    with pytest.raises(TypeError, match="Infallible"):
        Chain([], Card("card"))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Fallible"):
        Chain([NullOutput()], NullOutput())  # type: ignore[list-item]
    with pytest.raises(TypeError, match="both"):

        class Both(Output, InfallibleOutput): ...  # type: ignore[misc]


class Hangs(Card):
    """One whose `open` waits for something that does not come, until it is let go."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.go = threading.Event()
        self.closed = threading.Event()
        self.attempts = 0

    def open(self, format: AudioFormat) -> None:
        self.attempts += 1
        self.go.wait(60)
        super().open(format)

    def close(self) -> None:
        self.closed.set()


def test_an_output_that_hangs_while_it_opens_holds_nobody_up_and_is_heard_once_it_is_open():
    best, other = Hangs("best"), Card("other")
    chain = Chain([best, other], NullOutput(), patience=0.05)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.outputs.chain.FIRST_PATIENCE", 0.05)
        chain.open(STEREO)
    assert chain.description == "other"
    began = time.monotonic()
    for _ in range(50):
        chain.write(SECOND)
    assert other.seconds == 50
    assert time.monotonic() - began < 5.0, "it is waited for once"
    assert best.attempts == 1
    best.go.set()
    while not best.seconds:
        chain.write(SECOND)
    assert chain.description == "best"
    chain.close()


def test_an_output_that_opens_when_nobody_wants_it_any_more_is_closed():
    card = Hangs("card")
    chain = Chain([card], NullOutput(), patience=0.01)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.outputs.chain.FIRST_PATIENCE", 0.01)
        chain.open(STEREO)
    assert "did not open within 0.01 s" in chain.description
    chain.close()
    card.go.set()
    assert card.closed.wait(10)
    assert card.seconds == 0
