"""Timbres that turn into others while a scene plays: which bank comes in at which line, in virtual time."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.errors import PerpetuumError
from engine.events import TimbreChanged, TimbreFailed
from engine.form.plan import Plan
from engine.runtime.performance.mind.banks import Banks
from engine.runtime.timbres.lines import moved_at
from engine.runtime.timbres.messages import TO_BANK_MAKER, BankFailed
from engine.runtime.timbres.orders import orders_of
from engine.runtime.timbres.timbres import KeptBanks
from engine.sound.messages import CROSSFADE
from engine.timbres.contract import TIMBRES, bank_digest
from engine.timbres.portrait import Portrait
from tests.runtime.performance.test_banks import BAR, LEAD, Maker, hearing, scene_of

SCENE = """\
perpetuum: 1
title: Turning
tempo: 120 qpm
key: D dorian
parts:
  pad:
    generator: chord_walk
    instrument: {kind: neural, places: [7, 12, 7], over: 16 bars, steps: 8, stand_in: warm_pad}
  bass:
    generator: {kind: bass_line, chords: pad}
    instrument: round_bass
sections:
  a: {bars: 4 bars, parts: [pad, bass]}
"""


def digest_at(scene, bar):
    return orders_of(scene, 3, "/cache", bar)[0]["pad"].digest


def path_at(scene, bar):
    return f"/cache/{digest_at(scene, bar)}/instrument.yaml"


class Turning:
    """Banks beside a plan that goes on bar by bar, from a bar on."""

    def __init__(self, scene, maker, wait=False):
        self.scene, self.maker, self.sent, self.told, self.played = scene, maker, [], [], []
        self.banks = Banks(maker, self.sent.append, hearing(self.told, self.played), wait=wait)
        self.plan = Plan(scene, 3)
        self.banks.begin(scene, 3)

    def look(self, *bars):
        for bar in bars:
            self.banks.look(self.plan, bar, max(0, self.plan.bar(bar).start - LEAD))
        return self

    @property
    def wanted(self):
        return [order.digest for order in self.maker.wanted]


@pytest.fixture
def scene(tmp_path):
    return scene_of(tmp_path, SCENE)


def test_the_way_comes_home_and_begins_anew(scene):
    at = [orders_of(scene, 3, "/c", bar)[0]["pad"].settings.at for bar in range(0, 36, 4)]
    assert at == [0.0, 0.25, 0.5, 0.75, 0.0, 0.25, 0.5, 0.75, 0.0]
    assert digest_at(scene, 0) == digest_at(scene, 16) != digest_at(scene, 4)


def test_the_bank_of_the_next_line_is_made_while_the_section_plays(scene):
    maker = Maker({digest_at(scene, 0)})
    turning = Turning(scene, maker).look(0)
    assert turning.banks.playing == {"pad": path_at(scene, 0)}
    assert turning.wanted == [digest_at(scene, 4)]
    maker.made(maker.wanted[0])
    turning.look(1)
    assert [(one.instrument, one.frame) for one in turning.sent] == [(path_at(scene, 4), 4 * BAR)]
    turning.look(2, 3, 4)
    assert turning.banks.playing == {"pad": path_at(scene, 4)}
    assert turning.told == [TimbreChanged("pad", "neural", digest_at(scene, 4), 4, 12.0)]
    assert turning.wanted == [digest_at(scene, 8)]


def test_where_all_banks_are_there_each_line_brings_its_own(scene):
    maker = Maker({digest_at(scene, bar) for bar in range(0, 16, 4)})
    turning = Turning(scene, maker, wait=True).look(*range(21))
    assert [(one.instrument, one.frame // BAR) for one in turning.sent] == [
        (path_at(scene, bar), bar) for bar in (4, 8, 12, 16, 20, 24)
    ]
    assert maker.wanted == []


def test_a_bank_that_is_late_is_said_and_comes_in_at_the_line_after(scene):
    maker = Maker({digest_at(scene, 0)})
    turning = Turning(scene, maker).look(0, 1, 2, 3, 4)
    assert turning.banks.playing == {"pad": path_at(scene, 0)}
    [late] = turning.told
    assert isinstance(late, TimbreFailed)
    assert "bar 5 are not made yet" in late.reason
    assert turning.wanted == [digest_at(scene, 4)]
    maker.made(maker.wanted[0])
    turning.look(5, 6, 7, 8)
    assert turning.banks.playing == {"pad": path_at(scene, 4)}
    assert turning.wanted == [digest_at(scene, 12)]


def test_a_bank_that_takes_hours_is_said_to_be_late_once(scene):
    maker = Maker({digest_at(scene, 0)})
    turning = Turning(scene, maker).look(*range(40))
    assert len(turning.told) == 1
    assert turning.wanted == [digest_at(scene, 4)]  # and is still the one that is made
    maker.made(maker.wanted[0])
    turning.look(*range(40, 61))
    assert len([one for one in turning.told if isinstance(one, TimbreFailed)]) == 2  # the next one is late as well


def test_a_bank_that_could_not_be_made_is_tried_again_when_the_way_comes_there_again(scene):
    maker = Maker({digest_at(scene, bar) for bar in (0, 8, 12)})
    turning = Turning(scene, maker).look(0)
    maker.answers.append(BankFailed(digest_at(scene, 4), "No space left on device"))
    turning.look(*range(1, 16))
    assert turning.wanted == []
    turning.look(16)
    assert turning.wanted == [digest_at(scene, 20)]


@pytest.mark.parametrize("wait", [False, True])
def test_a_bank_whose_notes_are_too_far_from_those_before_is_not_taken_and_that_is_said(scene, monkeypatch, wait):
    held = []

    def unlike(before, after, leap):
        held.append((before, after, leap))
        return "its notes are 44.0 dB from those before" if str(after) == path_at(scene, 4) else ""

    monkeypatch.setattr("engine.runtime.performance.mind.banks.objection", unlike)
    turning = Turning(scene, Maker({digest_at(scene, bar) for bar in range(0, 16, 4)}), wait).look(*range(13))
    assert [one.instrument for one in turning.sent][:2] == [path_at(scene, 8), path_at(scene, 12)]
    assert [one.reason for one in turning.told if isinstance(one, TimbreFailed)] == [
        "its notes are 44.0 dB from those before"
    ]
    assert held[:2] == [(Path(path_at(scene, 0)), Path(path_at(scene, bar)), None) for bar in (4, 8)]


@pytest.mark.parametrize(("way", "taken"), [("over: 16 bars", False), ("over: 16 bars, leap: 20 dB", True)])
def test_a_way_goes_no_farther_at_a_line_than_its_two_places_are_from_each_other(tmp_path, monkeypatch, way, taken):
    """The notes of the second line are 12 dB from those before, the places that they lie between 10 from each other."""
    scene = scene_of(tmp_path, SCENE.replace("over: 16 bars", way))
    levels = {digest_at(scene, bar): level for bar, level in ((0, 0.0), (4, -12.0), (8, -6.0), (12, -3.0))}
    portraits = {digest: Portrait(-18.0, ((level,),), 10.0) for digest, level in levels.items()}
    monkeypatch.setattr("engine.timbres.portrait._read", lambda path: portraits[path.parent.name])
    turning = Turning(scene, Maker(set(levels)), wait=True).look(*range(9))
    sent = [path_at(scene, 4)] * taken + [path_at(scene, 8), path_at(scene, 12)]
    assert [one.instrument for one in turning.sent] == sent
    said = [one.reason for one in turning.told if isinstance(one, TimbreFailed)]
    words = (
        "its notes are 12.0 dB from those before, and 10 dB are the most; more `steps`, or a `leap`, let them come in"
    )
    assert said == [words] * (not taken)


def test_a_bank_that_is_bad_is_said_and_the_way_goes_on(scene):
    maker = Maker({digest_at(scene, 0)})
    turning = Turning(scene, maker).look(0)
    maker.answers.append(BankFailed(digest_at(scene, 4), "only 3 of 34 notes are good"))
    turning.look(1, 2, 3, 4)
    assert turning.told == [TimbreFailed("pad", "neural", "only 3 of 34 notes are good")]
    assert turning.banks.playing == {"pad": path_at(scene, 0)}
    maker.made(maker.wanted[0])
    turning.look(5, 6, 7, 8)
    assert turning.banks.playing == {"pad": path_at(scene, 8)}


def test_who_goes_on_elsewhere_wants_what_is_due_there(scene):
    maker = Maker()
    banks = Banks(maker, lambda message: None, lambda event: None, wait=False)
    banks.take_up(scene, 3, {"pad": path_at(scene, 8)}, {}, 12)
    assert [order.digest for order in maker.wanted] == [digest_at(scene, 12)]
    assert banks.playing == {"pad": path_at(scene, 8)}


def test_what_plays_is_kept_in_the_cache(scene):
    maker = Maker({digest_at(scene, bar) for bar in (0, 4)})
    Turning(scene, maker).look(0)
    assert {Path(path_at(scene, 0)).parent.name, digest_at(scene, 4)} <= maker.touched


def test_the_sound_is_told_of_no_third_bank_while_one_goes_into_another(scene):
    maker = Maker({digest_at(scene, bar) for bar in range(0, 16, 4)})
    turning = Turning(scene, maker).look(0, 1, 2, 3, 4, 5)
    assert [one.frame // BAR for one in turning.sent] == [4]
    turning.look(6, 7)
    assert [one.frame // BAR for one in turning.sent] == [4, 8]


def test_a_way_goes_on_after_a_line_at_which_nothing_could_be_read(scene, monkeypatch):
    maker = Maker({digest_at(scene, bar) for bar in range(0, 16, 4)})
    turning = Turning(scene, maker, wait=True).look(0, 1, 2, 3)
    kind = TIMBRES.get("neural")

    def unreadable(settings):
        raise PerpetuumError("bell.wav: cannot be read (it is gone)")

    with monkeypatch.context() as broken:
        broken.setattr(TIMBRES, "get", lambda name: replace(kind, sources=unreadable))
        turning.look(4, 5, 6, 7)
    assert [one.reason for one in turning.told if isinstance(one, TimbreFailed)] == [
        "bell.wav: cannot be read (it is gone)"
    ]
    turning.look(8, 9, 10, 11, 12)
    assert [one.frame // BAR for one in turning.sent] == [4, 12, 16]
    assert turning.banks.playing == {"pad": path_at(scene, 12)}


def test_a_performance_that_begins_while_nothing_can_be_read_turns_later(scene, monkeypatch):
    maker = Maker({digest_at(scene, bar) for bar in range(0, 16, 4)})
    kind = TIMBRES.get("neural")

    def unreadable(settings):
        raise PerpetuumError("bell.wav: cannot be read (it is gone)")

    with monkeypatch.context() as broken:
        broken.setattr(TIMBRES, "get", lambda name: replace(kind, sources=unreadable))
        turning = Turning(scene, maker, wait=True)
    turning.look(*range(9))
    assert turning.banks.playing == {"pad": path_at(scene, 8)}


def test_a_bank_that_the_cache_has_dropped_meanwhile_is_made_again(scene):
    maker = Maker({digest_at(scene, bar) for bar in range(0, 16, 4)})
    turning = Turning(scene, maker).look(*range(16))
    maker.there.discard(digest_at(scene, 16))  # once round the way it is wanted again
    sent = len(turning.sent)
    turning.look(16, 17, 18, 19)
    assert digest_at(scene, 4) == digest_at(scene, 20)
    maker.there.discard(digest_at(scene, 4))
    turning.look(*range(20, 32))
    gone = path_at(scene, 0)
    assert gone not in [one.instrument for one in turning.sent[sent:] if one.frame > 16 * BAR]


def test_lines_nearer_than_the_crossfade_let_no_bank_be_passed_over(tmp_path):
    scene = scene_of(tmp_path, SCENE.replace("4 bars, parts", "1 bars, parts").replace("16 bars", "4 bars"))
    maker = Maker({digest_at(scene, bar) for bar in range(4)})
    turning = Turning(scene, maker, wait=True).look(*range(12))
    last = {one.frame: one.instrument for one in turning.sent}  # of those for one line the last one counts
    assert min(after - before for before, after in pairwise(last)) >= CROSSFADE
    assert list(last.values()) == [path_at(scene, frame // BAR) for frame in last]


def test_parts_that_stand_still_are_asked_about_once(tmp_path, monkeypatch):
    scene = scene_of(
        tmp_path,
        SCENE.replace("instrument: round_bass", "instrument: {kind: neural, places: [3], stand_in: round_bass}"),
    )
    maker = Maker({digest_at(scene, bar) for bar in range(0, 16, 4)})
    turning = Turning(scene, maker)
    asked, found = [], []
    kind = TIMBRES.get("neural")
    monkeypatch.setattr(
        TIMBRES,
        "get",
        lambda name: replace(kind, sources=lambda settings: asked.append(settings.places) or kind.sources(settings)),
    )
    monkeypatch.setattr(maker, "find", lambda digest: found.append(digest) or f"/cache/{digest}/instrument.yaml")
    turning.look(*range(12))
    assert asked == [(7, 12, 7)] * 3
    assert len(found) == 3


def test_of_each_bank_is_told_once_what_it_is_made_of(scene):
    maker = Maker({digest_at(scene, bar) for bar in range(0, 16, 4)})
    turning = Turning(scene, maker, wait=True).look(*range(40))
    assert [one.digest for one in turning.played] == [digest_at(scene, bar) for bar in range(0, 16, 4)]
    for one in turning.played:
        order = TO_BANK_MAKER.decode(one.order)
        assert (one.part, bank_digest(order.kind, order.settings)) == ("pad", one.digest)


MOVED = """\
perpetuum: 1
title: Moved
tempo: 120 qpm
key: D dorian
parts:
  pad:
    generator: chord_walk
    instrument: {kind: neural, places: [7, 12], steps: 8, stand_in: warm_pad}
sections:
  a: {bars: 4 bars, parts: [pad], next: b, move: {pad.instrument.at: 50 %}}
  b: {bars: 4 bars, parts: [pad], next: a}
day: {pad.instrument.at: {00:00: 0 %, 12:00: 100 %}}
"""


def moved_digest(scene, at):
    return orders_of(scene, 3, "/cache", moved={"pad": {"at": at}})[0]["pad"].digest


@pytest.mark.parametrize("hour", [3, 9, 12])
def test_each_line_brings_the_position_of_its_section_or_else_that_of_the_hour(tmp_path, hour):
    scene = scene_of(tmp_path, MOVED)
    by_section, by_hour = moved_digest(scene, 0.5), moved_digest(scene, hour / 12)
    maker = Maker({by_section, by_hour})
    turning = Turning(scene, maker, wait=True)
    turning.plan = Plan(scene, 3, day=lambda frame: hour * 3600.0)
    turning.banks.begin(scene, 3, moved=moved_at(turning.plan, 0))
    assert turning.banks.playing == {"pad": f"/cache/{by_section}/instrument.yaml"}
    turning.look(*range(13))
    found = [(Path(one.instrument).parent.name, one.frame // BAR) for one in turning.sent]
    assert found == [(by_hour, 4), (by_section, 8), (by_hour, 12), (by_section, 16)]


def test_a_hand_that_chooses_another_section_has_the_notes_of_that_one(tmp_path):
    scene = scene_of(tmp_path, MOVED)
    turning = Turning(scene, Maker({moved_digest(scene, at) for at in (0.0, 0.5)}), wait=True)
    turning.plan = Plan(scene, 3, day=lambda frame: 0.0)
    turning.banks.begin(scene, 3, moved=moved_at(turning.plan, 0))
    turning.look(0, 1)
    assert [one.frame // BAR for one in turning.sent] == [4]
    turning.plan = turning.plan.led_to("a", 2)
    turning.look(2, 3)
    assert [(Path(one.instrument).parent.name, one.frame // BAR) for one in turning.sent] == [
        (moved_digest(scene, 0.0), 4),
        (moved_digest(scene, 0.0), 6),
    ]


def test_in_a_render_a_way_goes_on_behind_a_bank_that_could_not_be_made(scene):
    there = {digest_at(scene, bar) for bar in (0, 8, 12)}
    path = Path("/cache")
    cache = SimpleNamespace(
        folder=path,
        touch=lambda digest: None,
        find=lambda digest: path / digest / "instrument.yaml" if digest in there else None,
    )
    turning = Turning(scene, KeptBanks(cache), wait=True).look(*range(13))
    assert [(one.instrument, one.frame // BAR) for one in turning.sent] == [
        (path_at(scene, bar), bar) for bar in (8, 12, 16)
    ]
    assert [one for one in turning.told if isinstance(one, TimbreFailed)] == []  # that was said before the render
