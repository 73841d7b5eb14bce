"""Whether a microphone's sound holds what was sent: in made-up rooms, with noise as loud as the music."""

import functools

import numpy as np
import pytest

from engine.health.room import likeness as likenesses
from engine.health.room import listener as listeners
from engine.health.room.likeness import BLOCK, RATE, REACH, likeness
from engine.health.room.listener import RoomListener, RoomVerdict
from engine.health.room.watch import DEAF, GIVES_NOTHING, NOT_HEARD, RoomWatch
from tests.health.rooms import fans, heard_in, hiss, music, parted, room, visitors

DRY, CHURCH = (0.3, 0.5, 0.0), (1.0, 3.0, -8.0)
SECONDS = 60
PIECE = RATE // 5


@functools.cache
def sent():
    return music(SECONDS)


def listen(sent, heard, listener=None, piece=PIECE):
    """The verdicts, one for each piece."""
    listener = listener or RoomListener()
    found = []
    for start in range(0, len(heard), piece):
        listener.sent(np.asarray(sent[start : start + piece], np.float32))
        listener.heard(np.asarray(heard[start : start + piece], np.float32))
        found.append(listener.verdict)
    return listener, found


@pytest.mark.parametrize("noise", [hiss, fans, visitors])
@pytest.mark.parametrize("response", [DRY, CHURCH], ids=["dry", "church"])
def test_music_is_heard_through_noise_as_loud_as_it_is(noise, response):
    random = np.random.default_rng(3)
    here = heard_in(sent(), room(random, *response))
    listener, found = listen(sent(), parted(here + noise(random, len(here)), 100))
    assert found[-1] is RoomVerdict.HEARD
    assert RoomVerdict.UNHEARD not in found
    assert listener.delay == pytest.approx(response[0], abs=0.02)


@pytest.mark.parametrize("noise", [hiss, fans, visitors])
def test_noise_alone_is_not_taken_for_the_music(noise):
    _, found = listen(sent(), noise(np.random.default_rng(4), SECONDS * RATE))
    assert found[-1] is RoomVerdict.UNHEARD
    assert RoomVerdict.HEARD not in found


def test_an_amplifier_that_dies_is_noticed_within_forty_five_seconds():
    random = np.random.default_rng(5)
    whole = np.concatenate((sent(), music(SECONDS, 2)))
    here = heard_in(whole, room(random, *CHURCH))
    here[SECONDS * RATE :] = 0.0
    _, found = listen(whole, here + visitors(random, len(here)))
    assert found[SECONDS * RATE // PIECE - 1] is RoomVerdict.HEARD
    assert found[(SECONDS + 45) * RATE // PIECE] is RoomVerdict.UNHEARD


def test_a_school_class_that_is_much_louder_than_the_music_is_no_dead_amplifier():
    random = np.random.default_rng(6)
    whole = np.concatenate((sent(), music(SECONDS, 2)))
    here = heard_in(whole, room(random, *CHURCH)) + 0.1 * visitors(random, len(whole))
    here[SECONDS * RATE :] += visitors(random, SECONDS * RATE, 1.5)
    _, found = listen(whole, here)
    assert found[SECONDS * RATE // PIECE - 1] is RoomVerdict.HEARD
    assert RoomVerdict.UNHEARD not in found


def test_an_amplifier_that_comes_back_much_louder_than_it_was_is_told():
    """By how soft it was before, nobody would expect to hear it beside what it plays now."""
    random = np.random.default_rng(9)
    whole = np.concatenate([music(SECONDS, seed) for seed in (1, 2, 3)])
    here = heard_in(whole, room(random, *DRY), 0.01)
    here[SECONDS * RATE : 2 * SECONDS * RATE] = 0.0
    here[2 * SECONDS * RATE :] *= 100.0
    here[2 * SECONDS * RATE :] += visitors(random, SECONDS * RATE, 0.5)
    _, found = listen(whole, here + hiss(random, len(here), 0.001))
    assert found[2 * SECONDS * RATE // PIECE - 1] is RoomVerdict.UNHEARD
    assert found[-1] is RoomVerdict.HEARD


def test_one_block_that_was_hardly_heard_does_not_make_it_deaf_to_an_amplifier_that_dies(monkeypatch):
    """By that block alone nothing would be expected of the room, no block would be evidence, and nothing learnt."""
    shares = [0.18, 0.15, 0.08, 0.11, 0.19, 0.10, 0.05] + 20 * [0.13] + 12 * [0.06]
    listener, found = RoomListener(), []

    def scripted(sent, heard):
        share = shares[min(len(found), len(shares) - 1)]
        found.append(listener.verdict)
        echoes = np.full(REACH // likenesses.BIN, 7.0)
        echoes[100] = 7.0 if share == 0.06 else 40.0 if share > 0.1 else 23.0
        return likenesses.Likeness(echoes, 2400.0, share)

    monkeypatch.setattr(listeners, "likeness", scripted)
    sound = hiss(np.random.default_rng(10), PIECE, 0.1).astype(np.float32)
    for _ in range((len(shares) + 12) * BLOCK // PIECE):
        listener.sent(sound)
        listener.heard(sound * (1.4 if len(found) < 27 else 1.0))
    assert found[27] is RoomVerdict.HEARD
    assert RoomVerdict.UNHEARD in found[28:]


def test_a_rest_and_a_tone_that_does_not_move_are_no_evidence():
    for silent in (np.zeros(SECONDS * RATE), 0.1 * np.sin(2 * np.pi * 220 * np.arange(SECONDS * RATE) / RATE)):
        _, found = listen(silent, hiss(np.random.default_rng(7), len(silent)))
        assert set(found) == {RoomVerdict.UNSURE}


def test_streams_that_stand_still_are_lined_up_anew_and_keep_no_more_than_they_need():
    random = np.random.default_rng(8)
    here = heard_in(sent(), room(random, *DRY))
    listener = RoomListener()
    for seconds in (0, 30):
        for start in range(0, seconds * RATE, PIECE):
            listener.heard(np.asarray(here[start : start + PIECE], np.float32))  # nothing is sent: it is closed
        listener, found = listen(sent(), here, listener)
        assert found[-1] is RoomVerdict.HEARD
        assert listener.delay == pytest.approx(DRY[0], abs=1.1)
    for _ in range(600):
        listener.sent(np.zeros(PIECE, np.float32))  # the microphone is gone
    assert listener.verdict is RoomVerdict.UNSURE
    assert len(listener._sent) <= REACH + 2 * BLOCK


@pytest.mark.parametrize("bad", [np.zeros(BLOCK), np.full(BLOCK, np.float32(1e30)), np.full(BLOCK, np.nan)])
def test_no_samples_break_a_comparison(bad):
    there = np.asarray(sent()[: REACH + BLOCK], np.float32)
    likeness(there, np.asarray(bad, np.float32))
    likeness(np.resize(bad, REACH + BLOCK).astype(np.float32), there[:BLOCK])
    with pytest.raises(ValueError, match="are compared"):
        likeness(there[1:], there[:BLOCK])


def test_the_least_delay_and_the_greatest_are_found_where_they_are():
    there = hiss(np.random.default_rng(9), REACH + BLOCK).astype(np.float32)
    for delay in (0, 7, 20_000, REACH - 1):
        here = there[REACH - delay : REACH - delay + BLOCK]
        found = likeness(there, here)
        assert int(found.echoes.argmax()) == delay // likenesses.BIN


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_each_change_is_told_once_and_nothing_while_silence_is_meant():
    clock = Clock()
    watch = RoomWatch(clock)
    watch.expect(True)

    def told(verdict, seconds=1.0, sound=True):
        clock.now += seconds
        watch.heard(np.full(8, 0.1 if sound else 0.0, np.float32))
        watch.listener.verdict = verdict
        found = watch.look()
        return None if found is None else found.fault

    assert told(RoomVerdict.UNSURE) is None
    assert told(RoomVerdict.UNHEARD) == NOT_HEARD
    assert told(RoomVerdict.UNHEARD) is None
    assert told(RoomVerdict.HEARD) == ""
    assert told(RoomVerdict.UNSURE) is None
    assert told(RoomVerdict.UNHEARD) == NOT_HEARD
    watch.expect(False)
    assert told(RoomVerdict.UNHEARD) == ""
    watch.expect(True)
    assert told(RoomVerdict.UNSURE, DEAF + 1, sound=False) == GIVES_NOTHING
    assert told(RoomVerdict.UNSURE) == ""
