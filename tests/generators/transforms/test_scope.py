"""Where a transform acts: in which bars, how often, on which drums; through scenes, plan and conductor."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.generators.chain import transformed
from engine.generators.contract import TRANSFORMS, Role
from engine.score.drums import CLASSES, PITCHES
from tests.generators.asking import changed, phrase, request
from tests.generators.rules.test_pattern import heard
from tests.scenes.writing import load_text, only_error, pointed_at, right

BY_RULES = sorted(name for name, one in TRANSFORMS.kinds().items() if not one.network)
SCENE = """\
perpetuum: 1
title: Where transforms act
meter: {meter}
tempo: 90 qpm
key: C major
parts:
  one:
    generator: {{kind: pattern, notes: "{notes}"}}
    phrase: {phrase}
    transforms: [{transform}]
    instrument: {instrument}
sections:
  only: {{bars: {bars} bars, parts: [one]}}
"""
QUARTERS = "C4:1 D4 E4 F4"
BEAT = "bd: x... | sn: ..x. | hh: xxxx | oh: ...x | lt: x..x | ht: .x.x | cr: x... | rd: ..xx"


def played(folder, transform, notes=QUARTERS, meter="4/4", phrase="4 bars", bars=24, instrument="glass_bell", seed=3):
    text = SCENE.format(meter=meter, notes=notes, phrase=phrase, transform=transform, bars=bars, instrument=instrument)
    return heard(right(folder, text), bars, seed)[0]


def bars_that_differ(rows, plain, bar=4.0, bars=24):
    """Numbers of the bars whose notes are others than without the transform."""

    def of(number, given):
        return sorted(row for row in given if number * bar - 1e-6 <= row[0] < (number + 1) * bar - 1e-6)

    return {number for number in range(bars) if of(number, rows) != of(number, plain)}


@pytest.mark.parametrize("length", ["1 bar", "3 bars", "4 bars", "7 bars"])
@pytest.mark.parametrize(("every", "turn", "turns"), [("4 bars", 4, 4), ("1:4 bars", 1, 4), ("2:3 bars", 2, 3)])
def test_every_so_many_bars_counts_from_the_start_of_the_section_whatever_the_phrase(
    tmp_path, length, every, turn, turns
):
    plain = played(tmp_path, "", phrase=length)
    rows = played(tmp_path, f"{{transpose: {{by: 1 octave, every: '{every}'}}}}", phrase=length)
    wanted = {number for number in range(24) if number % turns == turn - 1}
    assert bars_that_differ(rows, plain) == wanted
    assert {pitch for start, _, pitch, _ in rows if int(start // 4) in wanted} == {72, 74, 76, 77}


@pytest.mark.parametrize("name", ["transpose", "double", "staccato", "velocity", "legato", "swing", "thin"])
@pytest.mark.parametrize("meter", ["4/4", "7/8", "6/8"])
def test_other_bars_stay_as_they_are(tmp_path, name, meter):
    how = {
        **dict.fromkeys(("double", "legato"), ""),
        "transpose": "by: 5 semitones, ",
        "staccato": "length: 20 %, ",
        "velocity": "scale: 50 %, ",
        "swing": "amount: 100 %, grid: sixteenths, ",
        "thin": "share: 60 %, ",
    }
    notes, bar = "C4:1/8 D4:1/4 E4 ~:1/8 F4:1/4", {"4/4": 4.0, "7/8": 3.5, "6/8": 3.0}[meter]
    plain = played(tmp_path, "", notes, meter)
    rows = played(tmp_path, f"{{{name}: {{{how[name]}every: 3 bars}}}}", notes, meter)
    assert bars_that_differ(rows, plain, bar) == {2, 5, 8, 11, 14, 17, 20, 23}


def test_a_chance_is_drawn_for_each_bar_and_more_of_it_takes_in_the_same_bars(tmp_path):
    plain = played(tmp_path, "", bars=200)
    found = {
        chance: bars_that_differ(
            played(tmp_path, f"{{transpose: {{by: 1 octave, chance: {chance} %}}}}", bars=200), plain, bars=200
        )
        for chance in (0, 30, 60, 100)
    }
    assert found[0] == set()
    assert found[100] == set(range(200))
    assert 40 < len(found[30]) < 80
    assert found[30] < found[60]


def test_a_chance_can_be_had_in_every_so_many_bars_only_and_can_move(tmp_path):
    plain = played(tmp_path, "", bars=200)
    rows = played(tmp_path, "{transpose: {by: 1 octave, chance: 50 %, every: 4 bars}}", bars=200)
    found = bars_that_differ(rows, plain, bars=200)
    assert {number % 4 for number in found} == {3}
    assert 14 < len(found) < 36
    text = SCENE.format(
        meter="4/4", notes=QUARTERS, phrase="4 bars", transform="transpose: 1 octave", bars=200, instrument="glass_bell"
    ).replace("parts: [one]}", "parts: [one], move: {one.transpose.chance: 0 % -> 100 %}}")
    found = bars_that_differ(heard(right(tmp_path, text), 200)[0], plain, bars=200)
    assert len([number for number in found if number < 100]) < 35
    assert len([number for number in found if number >= 100]) > 60


@pytest.mark.parametrize(
    ("only", "drums"),
    [
        ("hats", "closed_hat open_hat"),
        ("kicks", "kick"),
        ("snares", "snare"),
        ("toms", "low_tom mid_tom high_tom"),
        ("cymbals", "crash ride"),
        ("closed_hat", "closed_hat"),
        ("sn", "snare"),
        ("[kick, toms]", "kick low_tom mid_tom high_tom"),
    ],
)
def test_only_some_drums_are_changed(tmp_path, only, drums):
    plain = played(tmp_path, "", BEAT, instrument="electronic_kit")
    rows = played(tmp_path, f"{{velocity: {{scale: 10 %, only: {only}}}}}", BEAT, instrument="electronic_kit")
    chosen = {PITCHES[CLASSES.index(name)] for name in drums.split()}
    assert sorted(row for row in rows if row[2] not in chosen) == sorted(row for row in plain if row[2] not in chosen)
    assert all(velocity <= 13 for _, _, pitch, velocity in rows if pitch in chosen)
    assert len(rows) == len(plain)


def test_hats_can_rest_or_be_thinned_alone(tmp_path):
    plain = played(tmp_path, "", BEAT, instrument="electronic_kit")
    rows = played(tmp_path, "{rest: {every: 2 bars, only: hats}}", BEAT, instrument="electronic_kit")
    hats = {42, 46}
    assert [row for row in rows if row[2] not in hats] == [row for row in plain if row[2] not in hats]
    assert {int(start // 4) % 2 for start, _, pitch, _ in rows if pitch in hats} == {0}
    gone = played(tmp_path, "{thin: {share: 100 %, only: hats}}", BEAT, instrument="electronic_kit")
    assert gone == [row for row in plain if row[2] not in hats]


@given(
    name=st.sampled_from(BY_RULES),
    rows=st.lists(st.tuples(st.floats(0, 15.99), st.floats(0.01, 9), st.integers(30, 90)), max_size=24),
    seed=st.integers(0, 2**40),
    every=st.sampled_from([None, "2 bars", "1:3 bars"]),
    chance=st.sampled_from(["0 %", "50 %", "100 %"]),
)
@example("humanize", [(float(12 + n % 4), 1.0, 30) for n in range(4)] + [(15.984375, 1.0, 30)], 203, "2 bars", "100 %")
@example("humanize", [(7.984375, 1.0, 30)], 202, "2 bars", "50 %")
@settings(max_examples=60, deadline=None)
def test_no_note_is_lost_or_altered_outside_the_bars_that_are_meant(name, rows, seed, every, chance):
    source = phrase([(start, start + length, pitch, 80) for start, length, pitch in rows])
    described = TRANSFORMS.get(name)
    how = described.settings(chance=chance, **({"every": every} if every else {}))
    if name == "rest":
        return  # it cuts what sounds into the bars that it empties
    asked = request("melody_rules", seed=seed, transforms=((name, how),))
    found = transformed(source, asked, {})
    if chance == "0 %":
        assert found.notes.tolist() == source.notes.tolist()
    if every is not None:
        turn, turns = how.every
        before, after = (
            [row for row in one.notes.tolist() if int(row[0] // 4) % turns != turn - 1] for one in (source, found)
        )
        assert before == [row for row in after if row in before]
        assert len(after) == len(before)


@pytest.mark.parametrize(
    ("transform", "marked", "message", "meant"),
    [
        ("thin: {only: hats}", "only", "plays none", ""),
        ("thin: {every: 4}", "4", "will not do", ""),
        ("thin: {every: 1 bar}", "1 bar", "out of range", ""),
        ("thin: {every: '5:4 bars'}", "'5:4 bars'", "out of range", ""),
        ("thin: {chance: 130 %}", "130 %", "out of range", ""),
        ("thin: {chanse: 30 %}", "chanse", "unknown key", "chance"),
    ],
)
def test_what_cannot_be_meant_is_pointed_at(tmp_path, transform, marked, message, meant):
    text = SCENE.format(
        meter="4/4", notes=QUARTERS, phrase="4 bars", transform=transform, bars=8, instrument="glass_bell"
    )
    found = only_error(tmp_path, text)
    assert pointed_at(found) == marked
    assert message in found.message
    assert found.suggestion == meant


@pytest.mark.parametrize(("only", "meant"), [("hat", "hats"), ("kik", "kick"), ("[kick, snaer]", "snare"), ("[]", "")])
def test_a_drum_that_there_is_not_is_pointed_at(tmp_path, only, meant):
    text = SCENE.format(
        meter="4/4",
        notes=BEAT,
        phrase="4 bars",
        transform=f"thin: {{only: {only}}}",
        bars=8,
        instrument="electronic_kit",
    )
    found = only_error(tmp_path, text)
    assert "is no drum" in found.message
    assert "`hats`" in found.expected
    assert found.suggestion == meant
    assert found.line == 10


def test_a_section_can_move_where_a_transform_acts(tmp_path):
    text = SCENE.format(
        meter="4/4", notes=BEAT, phrase="4 bars", transform="thin: 50 %", bars=8, instrument="electronic_kit"
    )
    right(tmp_path, text.replace("parts: [one]}", "parts: [one], move: {one.thin.only: hats, one.thin.every: 2 bars}}"))
    melodic = text.replace(BEAT, QUARTERS).replace("electronic_kit", "glass_bell")
    moved = melodic.replace("parts: [one]}", "parts: [one], move: {one.thin.only: hats}}")
    assert "plays none" in only_error(tmp_path, moved).message


def test_the_groove_of_a_network_can_be_had_on_some_drums_only(tmp_path):
    scene, found = load_text(
        tmp_path,
        SCENE.format(
            meter="4/4",
            notes=BEAT,
            phrase="4 bars",
            transform="groove: {only: hats}",
            bars=8,
            instrument="electronic_kit",
        ),
    )
    assert scene is not None, [one.text() for one in found]
    assert scene.parts["one"].transforms[0][1].only == (2, 3)


def test_drums_without_a_class_are_left_alone(tmp_path):
    source = phrase([(0, 0.25, 36, 80), (0, 0.25, 20, 80)])
    how = TRANSFORMS.get("thin").settings(share="100 %", only="kicks")
    asked = changed(request("drum_rules", transforms=(("thin", how),)), role=Role.DRUMS)
    assert np.array_equal(transformed(source, asked, {}).notes["pitch"], [20])
