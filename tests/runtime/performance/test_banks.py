"""When a bank of notes plays: from the first note, or from a section line on; told the mind, in virtual time."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engine.events import BankPlayed, TimbreChanged, TimbreFailed
from engine.form.plan import Plan
from engine.runtime.ending import setup_of
from engine.runtime.performance.commands import Reseed
from engine.runtime.performance.mind.banks import NOTICE, Banks, ComingBank
from engine.runtime.performance.mind.state import MindState
from engine.runtime.timbres.messages import BankFailed, BankMade
from engine.runtime.timbres.orders import orders_of, with_banks
from engine.scenes import load
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import ChangeInstrument, Setup
from tests.runtime.performance.resumed import StoppableMind
from tests.timbres.golden import SMALL

SCENE = f"""\
perpetuum: 1
title: Timbres
tempo: 120 qpm
key: D dorian
parts:
  pad:
    generator: chord_walk
    instrument: {{kind: gansynth, checkpoint: {SMALL}, latent: 7, stand_in: warm_pad}}
  lead:
    generator: {{kind: melody_rules, chords: pad}}
    instrument: {{kind: gansynth, checkpoint: {SMALL}, stand_in: glass_bell}}
  bass:
    generator: {{kind: bass_line, chords: pad}}
    instrument: round_bass
sections:
  a: {{bars: 4 bars, parts: [pad, lead, bass]}}
  b: {{bars: 4 bars, parts: [pad, lead]}}
"""
BAR = 96_000
LEAD = 2 * SAMPLE_RATE


def scene_of(folder, text=SCENE):
    path = folder / "scene.yaml"
    path.write_text(text)
    scene, found = load(path)
    assert scene is not None, [one.text(False) for one in found]
    return scene


class Maker:
    """What makes banks, as the mind sees it: it makes what the test says, when the test says."""

    def __init__(self, there=()):
        self.there = set(there)
        self.touched = set()
        self.cache = SimpleNamespace(folder=Path("/cache"), touch=self.touched.add)
        self.wanted = []
        self.answers = []

    def find(self, digest):
        return f"/cache/{digest}/instrument.yaml" if digest in self.there else None

    def want(self, orders):
        self.wanted = list(orders)

    def poll(self):
        found, self.answers = self.answers, []
        return found

    def made(self, order):
        self.there.add(order.digest)
        self.answers.append(BankMade(order.digest, self.find(order.digest), 12.0))


def hearing(told, played):
    """Takes events; which banks were played is kept beside the rest."""
    return lambda event: (played if isinstance(event, BankPlayed) else told).append(event)


class Playing:
    """Banks beside a plan that goes on bar by bar."""

    def __init__(self, scene, maker, seed=3):
        self.scene, self.maker, self.seed = scene, maker, seed
        self.sent, self.told, self.played = [], [], []
        self.banks = Banks(maker, self.sent.append, hearing(self.told, self.played), wait=False)
        self.plan = Plan(scene, seed)
        self.banks.begin(scene, seed)
        self.orders, _ = orders_of(scene, seed, "/cache")

    def look(self, bar):
        self.banks.look(self.plan, bar, max(0, self.plan.bar(bar).start - LEAD))
        self.plan.forget_before(max(0, bar - 1))
        return self

    def path(self, part):
        return f"/cache/{self.orders[part].digest}/instrument.yaml"


@pytest.fixture
def scene(tmp_path):
    return scene_of(tmp_path)


def test_the_same_seed_wants_the_same_banks_and_another_draws_what_is_left_to_chance(scene):
    first, again, other = (orders_of(scene, seed, "/c")[0] for seed in (1, 1, 2))
    assert first == again
    assert first["pad"] == other["pad"]
    assert first["lead"].digest != other["lead"].digest
    assert set(first) == {"pad", "lead"}


def test_the_graph_plays_the_stand_ins_and_says_that_they_are(scene):
    sounds = {part.name: part for part in setup_of(scene, 1, live=True).parts}
    assert sounds["pad"].instrument == sounds["pad"].stand_in
    assert "warm_pad" in sounds["pad"].instrument
    assert sounds["bass"].stand_in == ""
    banks = {"pad": "/b", "bass": "/b", "none": "/b"}
    found = {part.name: part for part in with_banks(setup_of(scene, 1, live=True), banks).parts}
    assert (found["pad"].instrument, found["bass"]) == ("/b", sounds["bass"])


def test_a_bank_in_the_cache_plays_from_the_first_note(scene):
    orders, _ = orders_of(scene, 3, "/cache")
    playing = Playing(scene, Maker({orders["pad"].digest}))
    assert playing.banks.playing == {"pad": playing.path("pad")}
    assert [one.digest for one in playing.maker.wanted] == [orders["lead"].digest]
    assert playing.look(0).sent == []
    assert playing.maker.touched == {order.digest for order in orders.values()}


def test_a_bank_that_was_made_comes_in_at_the_next_section_line(scene):
    maker = Maker()
    playing = Playing(scene, maker).look(0).look(1)
    maker.made(playing.orders["pad"])
    playing.look(2)
    assert playing.sent == [ChangeInstrument("pad", playing.path("pad"), 4 * BAR)]
    assert playing.banks.playing == {}
    playing.look(3)
    assert playing.told == []
    playing.look(4)
    assert playing.told == [TimbreChanged("pad", "gansynth", playing.orders["pad"].digest, 4, 12.0)]
    for bar in range(5, 20):
        playing.look(bar)
    assert len(playing.sent) == 1
    assert playing.banks.playing == {"pad": playing.path("pad")}


def test_a_line_that_is_too_near_is_not_met_and_the_next_one_is(scene):
    maker = Maker()
    playing = Playing(scene, maker)
    for bar in range(4):
        playing.look(bar)
    maker.made(playing.orders["pad"])
    playing.banks.look(playing.plan, 3, 4 * BAR - NOTICE + 1)
    assert playing.sent == []
    playing.look(4)
    assert [one.frame for one in playing.sent] == [8 * BAR]


def test_sections_that_are_shorter_than_that_have_lines_too(tmp_path):
    quick = re.sub("4 bars", "1 bar", SCENE).replace("120 qpm", "240 qpm")
    maker = Maker()
    playing = Playing(scene_of(tmp_path, quick), maker)
    maker.made(playing.orders["pad"])
    for bar in range(6):
        playing.look(bar)
    assert playing.banks.playing == {"pad": playing.path("pad")}


def test_where_a_hand_moves_the_line_the_sound_is_told_again(scene):
    maker = Maker()
    playing = Playing(scene, maker)
    maker.made(playing.orders["pad"])
    playing.look(0)
    playing.plan = playing.plan.led_to("b", 2)
    playing.look(2)
    assert [one.frame for one in playing.sent] == [4 * BAR, 6 * BAR]


def test_what_cannot_be_made_is_said_once_and_never_asked_for_again(scene):
    maker = Maker()
    playing = Playing(scene, maker)
    maker.answers.append(BankFailed(playing.orders["lead"].digest, "it is no sound"))
    for bar in range(9):
        playing.look(bar)
    assert playing.told == [TimbreFailed("lead", "gansynth", "it is no sound")]
    playing.banks.edited(scene, 3, rebuilt=False)
    assert [one.digest for one in maker.wanted] == [playing.orders["pad"].digest]
    assert len(playing.told) == 1
    assert playing.sent == []


def test_a_checkpoint_that_is_gone_is_said_once_and_everything_else_plays(tmp_path):
    there = scene_of(tmp_path, SCENE.replace(str(SMALL), "gone", 1))
    playing = Playing(there, Maker())
    playing.look(0).banks.edited(there, 3, rebuilt=False)
    [failure] = playing.told
    assert (failure.part, "gone" in failure.reason) == ("pad", True)
    assert set(playing.orders) == {"lead"}


def test_an_edited_timbre_lets_the_old_bank_play_until_the_new_one_comes(tmp_path, scene):
    orders, _ = orders_of(scene, 3, "/cache")
    maker = Maker({orders["pad"].digest})
    playing = Playing(scene, maker)
    before = playing.path("pad")
    edited = scene_of(tmp_path, SCENE.replace("latent: 7", "latent: 8"))
    playing.banks.edited(edited, 3, rebuilt=False)
    assert playing.banks.playing == {"pad": before}
    playing.orders, _ = orders_of(edited, 3, "/cache")
    maker.made(playing.orders["pad"])
    playing.look(0)
    assert playing.sent == [ChangeInstrument("pad", playing.path("pad"), 4 * BAR)]
    assert playing.look(4).banks.playing == {"pad": playing.path("pad")}


def test_a_part_that_has_no_timbre_any_more_is_let_go(tmp_path, scene):
    orders, _ = orders_of(scene, 3, "/cache")
    playing = Playing(scene, Maker({one.digest for one in orders.values()}))
    plain = SCENE.replace(f"{{kind: gansynth, checkpoint: {SMALL}, latent: 7, stand_in: warm_pad}}", "warm_pad")
    edited = scene_of(tmp_path, plain)
    assert setup_of(edited, 3, live=True) != setup_of(scene, 3, live=True)
    playing.banks.edited(edited, 3, rebuilt=True)
    assert set(playing.banks.playing) == {"lead"}


def test_a_mind_that_goes_on_elsewhere_knows_what_plays_and_what_is_to_come(scene):
    orders, _ = orders_of(scene, 3, "/cache")
    maker = Maker({orders["pad"].digest})
    whole, again = StoppableMind(scene, 3, staged=False), StoppableMind(scene, 3, staged=False)
    for one in (whole, again):
        one.mind._banks = Banks(maker, one.link.send, lambda event: None, wait=False)
    whole.mind.prepare()
    [setup] = [one for one in whole.link.sent if isinstance(one, Setup)]
    assert setup.parts[0].instrument == f"/cache/{orders['pad'].digest}/instrument.yaml"
    maker.made(orders["lead"])
    whole.until(2)
    state = MindState.from_json(whole.mind.state().to_json())
    assert state.coming_banks == {"lead": ComingBank(f"/cache/{orders['lead'].digest}/instrument.yaml", 4 * BAR)}
    again.mind.resume(state)
    again.until(6)
    whole.until(6)
    assert again.mind.state().banks == whole.mind.state().banks
    assert not [one for one in again.link.sent if isinstance(one, ChangeInstrument)]
    anew = StoppableMind(scene, 3, staged=False)
    anew.mind._banks = Banks(maker, anew.link.send, lambda event: None, wait=False)
    anew.mind.resume(again.mind.state(), sounding=False)
    [setup] = [one for one in anew.link.sent if isinstance(one, Setup)]
    assert {part.instrument for part in setup.parts[:2]} == set(again.mind.state().playing_banks.values())


def test_another_seed_under_a_hand_draws_other_instruments(scene):
    maker = Maker()
    mind = StoppableMind(scene, 3, staged=False)
    mind.mind._banks = Banks(maker, mind.link.send, lambda event: None, wait=False)
    mind.mind.prepare()
    before = {order.digest for order in maker.wanted}
    mind.until(1).do(Reseed(99)).until(2)
    assert len(before & {order.digest for order in maker.wanted}) == 1


def test_where_nobody_makes_banks_the_stand_ins_play(scene):
    mind = StoppableMind(scene, 3, staged=False)
    mind.mind.prepare()
    mind.until(6)
    assert not [one for one in mind.link.sent if isinstance(one, ChangeInstrument)]
    assert json.loads(mind.mind.state().to_json())["banks"] == []
    assert np.all([part.instrument == part.stand_in for part in mind.link.sent[0].parts if part.stand_in])
