"""An hour of rules: they evolve, breathe and do not drift away."""

import itertools

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.generators.chain import make_phrase
from engine.generators.contract import Place
from tests.generators.asking import RULES, changed, made, pitches, request

PHRASES = 225  # of four bars at 60 qpm: an hour


@pytest.fixture(scope="module", params=RULES)
def hour(request):
    return request.param, hour_of(request.param)


def hour_of(name):
    """Sections of sixteen bars, one after another, over chords."""
    cache, history, chords, found = {}, None, None, []
    for number in range(PHRASES):
        visit, bar = divmod(number * 4, 16)
        place = Place("ab"[visit % 2], visit, bar, 16, number * 4)
        theme = visit * 7 // 6 % 4 + 10 * (visit // 30)  # four of them take turns, and make room for others
        chords = made_at("chord_walk", place, number, chords, theme)
        over = None if name == "chord_walk" else chords
        asked = request(name, seed=number, history=history, chords=over, theme=theme)
        history, _ = make_phrase(name, changed(asked, place=place), cache)
        found.append(history)
    return found


def made_at(name, place, seed, history, theme):
    return make_phrase(name, changed(request(name, seed=seed, history=history, theme=theme), place=place), {})[0]


def test_a_phrase_is_seldom_the_one_before_and_many_are_new(hour):
    _, phrases = hour
    keys = [phrase.notes["start"].tobytes() + phrase.notes["pitch"].tobytes() for phrase in phrases]
    assert np.mean([a == b for a, b in itertools.pairwise(keys)]) < 0.1
    assert len(set(keys)) > 0.5 * len(keys)


def test_the_register_stays_where_it_began(hour):
    """Of drums: no drum takes over."""
    _, phrases = hour
    middles = [np.mean(pitches(phrase)) for phrase in phrases if len(phrase.notes)]
    assert abs(np.mean(middles[:30]) - np.mean(middles[-30:])) < 6


def test_every_phrase_sounds(hour):
    _, phrases = hour
    assert all(len(phrase.notes) for phrase in phrases)


def test_an_hour_of_chords_has_many_progressions_that_come_back():
    progressions = [tuple(span.chord for span in phrase.chords) for phrase in hour_of("chord_walk")]
    assert 40 < len(set(progressions)) < 0.9 * PHRASES


def test_a_melody_breathes():
    """Between a tenth and two thirds of the time there is no note."""
    sounding = [np.sum(np.minimum(p.notes["end"], 16) - p.notes["start"]) / 16 for p in hour_of("melody_rules")]
    assert 0.34 < np.mean(sounding) < 0.9


def test_a_theme_has_its_groove_whenever_it_returns_and_another_theme_has_another():
    def groove(theme, pass_index):
        how = {"theme": theme, "pass_index": pass_index, "settings": {"ghost": "0 %", "fills": "0 %"}}
        return made("drum_rules", **how).slice(0, 4)

    def known(one, other):
        mine, theirs = (set(zip(p.notes["start"].tolist(), pitches(p), strict=True)) for p in (one, other))
        return len(mine & theirs) / max(len(mine), len(theirs))

    assert known(groove(1, 0), groove(1, 200)) > 0.8
    assert min(known(groove(1, 0), groove(theme, 0)) for theme in range(2, 6)) < 0.8


@pytest.mark.parametrize("name", ["drums_rnn", "melody_rnn"])
def test_a_shipped_network_plays_for_a_quarter_of_an_hour_without_running_dry(name):
    """What cannot be played is rare; phrases differ; the register stays; no phrase takes over."""
    cache, history, found, failed = {}, None, [], 0
    for number in range(60):
        visit, bar = divmod(number * 4, 16)
        asked = request(name, seed=number, history=history, theme=5)
        place = Place("ab"[visit % 2], visit, bar, 16, number * 4)
        try:
            history, _ = make_phrase(name, changed(asked, place=place), cache)
        except PerpetuumError:
            failed += 1
            continue
        found.append(history)
    assert failed <= 3
    keys = [phrase.notes["start"].tobytes() + phrase.notes["pitch"].tobytes() for phrase in found]
    assert len(set(keys)) > 0.9 * len(keys)
    middles = [np.mean(pitches(phrase)) for phrase in found]
    assert abs(np.mean(middles[:15]) - np.mean(middles[-15:])) < 6
