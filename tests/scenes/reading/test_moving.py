"""What can move, and what cannot: every name that is offered is right, the others are refused with what to do."""

import re

import pytest

from engine.conductor.daytime import CountedDay
from engine.form.curves import DaySteps
from engine.form.plan import Plan
from engine.generators.contract import GENERATORS
from engine.scenes.schema.json_schema import unit_of
from engine.score.harmony.keys import Key
from engine.units import written
from tests.scenes.writing import RIGHT, load_text, only_error, pointed_at, right, spoiled

HOUR = 3600.0


def offered(folder, part):
    """Names that the hint of `move` offers for a part."""
    scene = f"""\
perpetuum: 1
title: Moving
tempo: 90 qpm
key: C major
parts:
  pad: {{generator: chord_walk, instrument: warm_pad}}
  one: {part}
sections:
  a: {{bars: 8 bars, parts: [pad, one], move: {{one.nonsense: 3}}}}
"""
    _, found = load_text(folder, scene)
    (error,) = [one for one in found if "has no `nonsense`" in one.message]
    assert "more)" not in error.expected
    return scene, [name.strip("`") for name in error.expected.replace(" or ", ", ").split(", ")]


VALUES = {"points": None, "chords": "Am F", "notes": "C4:1", "weights": None, "config": None, "role": None}


@pytest.mark.parametrize("name", sorted(GENERATORS.kinds()))
def test_everything_that_the_hint_of_move_offers_can_be_moved(tmp_path, name):
    kind = GENERATORS.kinds()[name]
    drums = "drums" in kind.roles and name in ("drum_rules", "drums_rnn")
    more = ", chords: pad" if name in ("ensemble", "improv_rnn") else ", notes: 'C4:1'" if name == "pattern" else ""
    more = ", leader: pad" if name == "canon" else more
    part = f"{{generator: {{kind: {name}{more}}}, transforms: [thin: 10 %, humanize, thin: 20 %], instrument: "
    part += ("electronic_kit" if drums else "glass_bell") + "}"
    text, names = offered(tmp_path, part)
    assert "one.level" in names
    assert "one.humanize" in names
    assert "one.thin" not in names, "it stands twice"
    assert not {"one.points", "one.weights", "one.config", "one.instrument"} & set(names)
    for full in names:
        setting = full.partition(".")[2]
        field = kind.settings.model_fields.get(setting)
        if setting in ("level", "reverb", "delay"):
            value = "-12 dB"
        elif setting == "pan":
            value = "20 % left"
        elif setting == "sings":
            value = "soprano"
        elif setting == "brightness":
            value = "40 %"
        elif setting in VALUES and not (setting == "notes" and name == "arpeggio"):
            value = VALUES[setting]
        elif setting == "humanize":
            value = "5 ms"
        else:
            default = field.get_default(call_default_factory=True)
            by_type = {"range": "C3..C5", "top_k": 4, "top_p": "90 %", "steps": "16 steps", "way": 3}
            value = by_type.get(setting, 3) if default is None else written(default, unit_of(field))
        quoted = f"'{value}'" if re.search("[:,]", str(value)) else value
        _, found = load_text(tmp_path, text.replace("one.nonsense: 3", f"{full}: {quoted}"))
        assert not [one.text() for one in found if one.severity == "error"], full


@pytest.mark.parametrize(
    ("move", "marked", "message", "way"),
    [
        ("tempo: 80 -> 90 qpm", "tempo", "its own tempo beside `move`", "in the section itself"),
        ("key: F major", "key", "its own key beside `move`", "in the section itself"),
        ("meter: 3/4", "meter", "same in all sections", ""),
        ("pad.instrument: grand_piano", "instrument", "same in all sections", "make a part of its own"),
        ("pad.phrase: 2 bars", "phrase", "same in all sections", "make a part of its own"),
        ("tune.rhythm: drums", "rhythm", "same in all sections", "make a part of its own"),
        ("tune.primer: C4", "primer", "same in all sections", "make a part of its own"),
        ("pad.generator: arpeggio", "generator", "same in all sections", "make a part of its own"),
        ("pad.cutoff: 400 Hz -> 2 kHz", "cutoff", "setting of instruments", "instrument file"),
        ("pad.attack: 400 ms", "attack", "setting of instruments", "instrument file"),
        ("pad.filter.cutoff: 400 Hz", "filter.cutoff", "setting of instruments", "instrument file"),
        ("drums.chords: Am F", "chords", "has no `chords`", ""),
    ],
)
def test_what_cannot_move_is_refused_with_what_to_do(tmp_path, move, marked, message, way):
    found = only_error(tmp_path, spoiled(("pad.style: pulsed", move)))
    assert pointed_at(found) == marked
    assert message in found.message
    assert way in found.expected + found.hint


DAY = "day:\n  tempo: {06:00: 60 qpm, 12:00: 90 qpm, 18:00: 66 qpm}\n  key: {06:00: D major, 20:00: D minor}\n"


def scene_of_the_day(folder, lines=DAY):
    return right(folder, RIGHT.replace("parts:\n", f"{lines}\nparts:\n", 1))


def test_tempo_and_key_follow_the_day_from_one_time_through_a_section_to_the_next(tmp_path):
    scene = scene_of_the_day(tmp_path)
    for hour, qpm, key in ((6, 60, "D major"), (9, 75, "D major"), (12, 90, "D major"), (20.5, 64.8, "D minor")):
        visit = Plan(scene, 1, "drift", CountedDay(hour * HOUR).at).pass_at(0)
        assert visit.key == Key.parse(key)
        assert len(set(visit.qpms)) == 1
        assert visit.qpms[0] == pytest.approx(qpm, abs=0.3)
        # What a section says itself counts more.
        other = Plan(scene, 1, "bloom", CountedDay(hour * HOUR).at).pass_at(0)
        assert other.key == Key.parse("F major")
        assert other.qpms[0] == 84


def test_the_tempo_goes_on_with_the_hours_of_a_performance(tmp_path):
    plan = Plan(scene_of_the_day(tmp_path), 3, day=CountedDay(6 * HOUR).at)
    qpms = {}
    for visit in plan.passes():
        hour = plan.bar(visit.first_bar).start / 48000 / HOUR + 6
        if hour > 11:
            break
        if visit.section.name == "drift":
            qpms[hour] = visit.qpms[0]
            assert visit.qpms[0] == pytest.approx(60 + 5 * (hour - 6), abs=0.2)
        plan.forget_before(visit.first_bar)
    assert len(qpms) > 50


def test_without_a_day_no_clock_is_asked():
    def never(frame):
        raise AssertionError

    from tests.conductor.stage import part, scene, section

    plan = Plan(scene([part("pad", "rule")], [section("a", "pad")]), 1, day=never)
    assert plan.pass_at(40).qpms[0] == 120


def test_steps_of_the_day_hold_until_the_next_and_over_midnight():
    steps = DaySteps(((6 * HOUR, "morning"), (20 * HOUR, "night")))
    assert [steps.at(hour * HOUR) for hour in (0, 5.9, 6, 12, 19.9, 20, 23, 24)] == [
        *("night", "night", "morning", "morning", "morning", "night", "night", "night")
    ]


@pytest.mark.parametrize(
    ("line", "marked", "message"),
    [
        ("tempo: 90 qpm", "tempo", "needs a curve of the day"),
        ("tempo: {06:00: 90}", "90", "no unit"),
        ("tempo: {06:00: 900 qpm}", "900 qpm", "out of range"),
        ("tempo: {25:00: 90 qpm}", "25:00", "no time of day"),
        ("key: {06:00: D dorien}", "D dorien", "no mode"),
        ("key: {06:00: }", "06:00", "has no value"),
        ("meter: {06:00: 3/4}", "meter", "same in all sections"),
    ],
)
def test_a_tempo_or_key_of_the_day_that_is_wrong_is_pointed_at(tmp_path, line, marked, message):
    found = only_error(tmp_path, RIGHT.replace("parts:\n", f"day:\n  {line}\n\nparts:\n", 1))
    assert pointed_at(found) == marked
    assert message in found.message


def test_a_changed_day_is_heard_from_the_next_section_on(tmp_path):
    plan = Plan(scene_of_the_day(tmp_path), 1, "drift", CountedDay(12 * HOUR).at)
    plan.pass_at(0)
    edited = scene_of_the_day(tmp_path, DAY.replace("90 qpm", "100 qpm").replace("D major", "A major"))
    visit = plan.replaced_by(edited, 3).pass_at(3)
    assert set(visit.qpms) == {100.0}
    assert visit.key == Key.parse("A major")


@pytest.mark.parametrize(
    ("generator", "told"),
    [
        ("{kind: polyphony_rnn, chords: pad}", "`polyphony_rnn` does not listen to `chords`"),
        ("{kind: pianoroll_rnn_nade, chords: pad}", "`pianoroll_rnn_nade` does not listen to `chords`"),
        ("{kind: performance_rnn, chords: pad}", "it listens to `chords` with `pitch_classes: chords` only"),
        ("{kind: performance_rnn, chords: pad, pitch_classes: chords}", ""),
    ],
)
def test_networks_that_do_not_follow_chords_say_so(tmp_path, generator, told):
    start, end = RIGHT.index("      kind: melody_rules"), RIGHT.index("    transforms:")
    text = RIGHT[:start].rstrip() + f" {generator}\n    role: melody\n" + RIGHT[end:]
    scene, found = load_text(tmp_path, text.replace("      tune.density: 20 % -> 60 %\n", ""))
    assert scene is not None, [one.text() for one in found]
    assert [one.message for one in found if one.severity == "warning"] == ([told] if told else [])


def test_a_part_whose_brightness_moves_has_a_filter_and_another_has_none(tmp_path):
    text = RIGHT.replace("      pad.level: -30 -> -14 dB\n", "      pad.brightness: 20 % -> 80 %\n")
    scene, found = load_text(tmp_path, text)
    assert scene is not None
    assert not found
    assert [part.sound.brightness for part in scene.parts.values()] == [1.0, None, None]
    moved = next(move for move in scene.sections["drift"].moves if move.target == "brightness")
    assert (moved.curve.at(0.0), moved.curve.at(1.0)) == pytest.approx((0.2, 0.8))


def test_a_part_is_as_bright_as_it_is_written(tmp_path):
    part = RIGHT.replace("    level: -14 dB\n", "    level: -14 dB\n    brightness: 60 %\n")
    scene, found = load_text(tmp_path, part)
    assert scene is not None
    assert not found
    assert scene.parts["pad"].sound.brightness == pytest.approx(0.6)


@pytest.mark.parametrize("value", ["120 %", "-3 %", "bright", "0.5"])
def test_a_brightness_that_is_none_is_refused_where_it_stands(tmp_path, value):
    for text in (
        RIGHT.replace("    level: -14 dB\n", f"    level: -14 dB\n    brightness: {value}\n"),
        RIGHT.replace("      pad.level: -30 -> -14 dB\n", f"      pad.brightness: {value}\n"),
    ):
        assert pointed_at(only_error(tmp_path, text)) in value
