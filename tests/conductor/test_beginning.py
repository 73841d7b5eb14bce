"""How a live performance begins: its first bars are those of a render, unless networks take too long."""

import pytest

from engine.conductor.clocks import FastClock, RealClock
from engine.conductor.conductor import Conductor
from engine.score.phrase import Origin
from engine.score.time import SAMPLE_RATE
from tests.conductor.stage import Performance, kinds, network, part, scene, section  # noqa: F401

pytestmark = pytest.mark.usefixtures("kinds")

PARTS = [part("pad", "rule"), part("lead", "net", phrase_bars=1, chords="pad")]
LEAD = 5 * SAMPLE_RATE
"""Two bars and a half: bars 1 to 3 are sealed before the sound begins."""


class Live(Performance):
    """A performance before its sound begins: not one frame has been made.

    Its networks are there after `loads` seconds of sound (None: never), and then work at once.
    """

    def __init__(self, played, patience, loads=0.0):
        self.frames = 0
        self.loads = loads
        super().__init__(
            played,
            clock=RealClock(lambda: self.frames, 0.001, patience),
            duration=lambda job: None if self.loads is None else max(0, round(self.loads * SAMPLE_RATE) - self.frames),
            lead=LEAD,
        )
        self.makers.is_ready = lambda: self.loads is not None and self.frames >= self.loads * SAMPLE_RATE

    def begin(self):
        self.conductor.run(None, lambda: not self.clock.running)
        return self

    def sound(self, bars, step=SAMPLE_RATE // 10):
        """Time passes, as an output takes the sound."""
        while self.conductor.next_bar < bars:
            self.frames += step
            self.makers.now = self.frames
            self.conductor.step()
        return self


def duo(**options):
    return scene(PARTS, [section("a", "pad", "lead")], **options)


def test_the_first_bars_wait_for_their_networks_and_are_those_of_a_render():
    live = Live(duo(), patience=1000.0).begin()
    assert live.conductor.next_bar == 3
    assert live.origins("lead") == [Origin.NETWORK] * 3
    live.sound(40)
    rendered = Performance(duo(), clock=FastClock(), duration=lambda job: 0, lead=LEAD).play(40)
    for name in ("pad", "lead"):
        assert live.notes(name) == rendered.notes(name)
    assert live.accidents == 0


def test_networks_that_take_too_long_for_the_first_bars_are_late_for_them_and_play_when_they_are_there():
    """Eight seconds: the music begins without them, is never silent, and has them from the eighth bar on."""
    live = Live(duo(), patience=0.01, loads=8.0).begin()
    assert live.conductor.next_bar == 3
    assert live.origins("lead") == [Origin.FALLBACK] * 3
    assert ("lead", 0, "its phrase was late") in [(e.part, e.first_bar, e.reason) for e in live.decided]
    live.sound(16, step=480)
    origins = live.origins("lead")
    assert origins[7:] == [Origin.NETWORK] * 9
    for name in ("pad", "lead"):
        assert [on for on, *_ in live.notes(name)] == [beat * SAMPLE_RATE // 2 for beat in range(64)]


def test_what_the_opening_gives_to_rules_is_not_waited_for():
    live = Live(duo(opening=5), patience=1000.0, loads=None).begin()
    assert live.origins("lead") == [Origin.OPENING] * 3
    live.loads = 0.0
    live.conductor._phrases.abandon()  # the job of the network that never answers
    live.sound(12)
    assert live.origins("lead") == [Origin.OPENING] * 5 + [Origin.NETWORK] * 7


def test_nothing_is_waited_for_that_the_first_bars_do_not_need():
    """A network that enters in the second section may still be loading when the first one sounds."""
    late = scene(PARTS, [section("a", "pad"), section("b", "lead")])
    live = Live(late, patience=1000.0, loads=None).begin()
    assert live.conductor.next_bar == 3


def test_a_performance_may_end_before_its_sound_begins():
    live = Live(duo(), patience=1000.0)
    live.conductor.run(1, lambda: not live.clock.running)
    assert (live.conductor.next_bar, live.clock.running) == (1, False)


def test_whoever_is_told_to_stop_while_it_waits_stops():
    live = Live(duo(), patience=1000.0, loads=None)
    looks = iter([True] * 5 + [False])
    live.conductor.run(None, lambda: next(looks))
    assert isinstance(live.conductor, Conductor)
    assert live.conductor.next_bar == 0
