"""Form over hours: movements, their summits, planned quiets and the wandering key, laid out without a note."""

from dataclasses import replace
from itertools import pairwise, takewhile

import pytest

from engine.form.curves import Curve
from engine.form.plan import Plan
from engine.form.scene import Form, Modulation, PlannedQuiet
from engine.form.shapes import SHAPES, Moment
from engine.generators.contract import GENERATORS, Cadence, Role
from engine.score.harmony.keys import Key
from engine.score.harmony.relations import Relation
from engine.score.time import SAMPLE_RATE
from engine.units import Range
from tests.conductor.stage import Performance, kinds, part, scene, section  # noqa: F401

pytestmark = pytest.mark.usefixtures("kinds")

HOUR = 3600 * SAMPLE_RATE
FORM = Form(
    movement=Range(1200.0, 1800.0),
    shapes={"arc": 1.0, "wave": 1.0},
    dynamics=Range(-2.0, 1.0),
    tempo=Range(0.9, 1.1),
    density=Range(1.0, 1.0),
    parts=Range(0.3, 1.0),
    opening="intro",
    closing="outro",
    tutti="all",
    quiet=PlannedQuiet("hush", Range(2400.0, 3000.0)),
)


def formed(form: Form = FORM, **more):
    parts = [part(name, "rule") for name in ("pad", "bass", "lead")]
    sections = [
        section("intro", "pad"),
        replace(section("verse", "pad", "bass", "lead", bars=(16, 24), verse=1.0, chorus=1.0), dynamics=Curve((-1.0,))),
        replace(section("chorus", "pad", "bass", "lead", bars=(16, 24), verse=1.0), dynamics=Curve((1.0,))),
        section("all", "pad", "bass", "lead", bars=(16, 16), verse=1.0),
        section("hush", "pad", bars=(4, 4), intro=1.0),
        section("outro", "pad", "bass", bars=(8, 8), intro=1.0),
    ]
    return replace(scene(parts, sections, qpm=90.0), form=form, **more)


def hours(plan: Plan, number: float = 4.0):
    return list(takewhile(lambda visit: plan.bar(visit.first_bar).start < number * HOUR, plan.passes()))


@pytest.mark.parametrize("seed", range(3))
def test_every_movement_opens_closes_and_has_one_summit(seed):
    passes = hours(Plan(formed(), seed))
    for number in range(passes[-1].course.movement.index):
        inside = [visit for visit in passes if visit.course.movement.index == number]
        called = [visit.called for visit in inside]
        assert called[0] == "opening"
        assert inside[0].section.name == "intro"
        assert called[-1] == "closing"
        assert inside[-1].section.name == "outro"
        assert called.count("tutti") == called.count("opening") == called.count("closing") == 1
        tutti = inside[called.index("tutti")]
        assert tutti.players == tutti.section.parts
        assert tutti.dynamics[0] == max(
            level for visit in inside for level in visit.dynamics[:1] if visit.section is tutti.section
        )


@pytest.mark.parametrize("seed", range(3))
def test_a_planned_quiet_comes_in_its_time_is_the_softest_and_is_told(seed):
    plan = Plan(formed(), seed)
    passes = hours(plan)
    starts = [plan.bar(visit.first_bar).start for visit in passes if visit.quiet]
    assert len(starts) >= 3
    longest = max(visit.bars for visit in passes) * 4 * 60 / 80 * SAMPLE_RATE
    for before, after in zip([0, *starts], starts, strict=False):
        assert 2400 * SAMPLE_RATE <= after - before <= 3000 * SAMPLE_RATE + 2 * longest
    for visit in passes:
        span = plan.quiet_at(visit.first_bar)
        assert (span is not None) == visit.quiet
        if span is not None:
            assert set(visit.dynamics) == {-3.0}
            assert visit.players == ("pad",)
            assert (span.first_bar, span.end_bar) == (visit.first_bar, visit.end_bar)
            assert abs(span.begin - plan.bar(visit.first_bar).start) <= 1
            assert span.end == plan.bar(visit.end_bar - 1).end
            middle = plan.quiet_at(visit.first_bar + 2)
            assert middle is not None
            assert abs(middle.begin - span.begin) <= 2


def test_the_conductor_tells_a_quiet_once_when_its_first_bar_is_decided():
    from engine.events import QuietBegan

    made = formed(replace(FORM, quiet=PlannedQuiet("hush", Range(60.0, 60.0))))
    played = Performance(made, 1)
    told = []
    played.conductor._publish = told.append
    played.conductor.run(80)
    quiets = [event for event in told if isinstance(event, QuietBegan)]
    visits = {visit.first_bar for visit in hours(Plan(made, 1), 0.1) if visit.quiet and visit.first_bar < 80}
    assert visits
    assert {event.first_bar for event in quiets} == visits
    assert len(quiets) == len(visits)


def test_the_shape_moves_levels_tempo_and_the_number_of_parts():
    passes = [visit for visit in hours(Plan(formed(), 3)) if visit.section.name == "verse" and not visit.called]
    low = min(passes, key=lambda visit: visit.intensity)
    high = max(passes, key=lambda visit: visit.intensity)
    assert len(low.players) < len(high.players) == 3
    assert low.dynamics[0] < high.dynamics[0] - 1.5
    assert low.qpms[0] < 84 < 96 < high.qpms[0]
    assert set(low.players) < set(low.section.parts), "those that are listed first play on"


def test_the_form_thins_drums_that_know_no_density_and_asks_others_for_fewer_notes():
    """Themes stay whole: of a melody that knows none, no note is left out."""
    performers, drummers = GENERATORS.get("performance_rnn").settings, GENERATORS.get("drums_rnn").settings
    parts = [
        replace(part("lead", "rule"), role=Role.MELODY, settings=performers(notes_per_second=8.0)),
        replace(part("kit", "rule"), role=Role.DRUMS, settings=drummers()),
        replace(part("tune", "rule"), role=Role.MELODY, settings=GENERATORS.get("melody_rnn").settings()),
    ]
    half, one, level = Range(0.5, 0.5), Range(1.0, 1.0), Range(0.0, 0.0)
    thin = Form(FORM.movement, {"arc": 1.0}, dynamics=level, tempo=one, density=half, parts=one)
    played = Performance(replace(scene(parts, [section("a", "lead", "kit", "tune")]), form=thin))
    asked = {one.part: one for one in played.play(8).rules.requests}
    assert asked["lead"].settings.notes_per_second == 4.0
    (name, how), *more = asked["kit"].transforms
    assert (name, how.share, more) == ("thin", 0.5, [])
    assert asked["lead"].transforms == asked["tune"].transforms == ()


def test_all_slow_down_together_where_a_section_closes_and_half_as_much_where_a_period_does():
    made = replace(scene([part("pad", "rule")], [section("a", "pad", bars=(16, 16))], qpm=100.0), rubato=0.06)
    (visit, *_) = hours(Plan(made, 1), 0.02)
    assert visit.qpms == (*[100.0] * 6, 99.0, 97.0, *[100.0] * 6, 98.0, 94.0)
    assert Plan.at(Plan(made, 1).position(7), made, 1).bar(7).qpm == 97.0


def test_no_form_stands_still():
    """Of a process whose tempo begins at 0 %, the first bar would last for ever."""
    still = Form(FORM.movement, {"process": 1.0}, Range(0.0, 0.0), Range(0.0, 1.0), Range(1.0, 1.0), Range(1.0, 1.0))
    made = replace(scene([part("pad", "rule")], [section("a", "pad")]), form=still, rubato=0.25)
    assert {visit.qpms[0] for visit in hours(Plan(made, 1), 0.02)} == {20.0}


def test_sections_whose_level_fits_the_moment_come_rather_than_others():
    passes = [visit for visit in hours(Plan(formed(), 3), 8) if not visit.called]
    lively = [visit.intensity for visit in passes if visit.section.name == "chorus"]
    calm = [visit.intensity for visit in passes if visit.section.name == "verse"]
    assert sum(lively) / len(lively) > sum(calm) / len(calm) + 0.1


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_stay_between_nothing_and_all_and_use_most_of_it(name):
    shape = SHAPES[name]
    values = [
        shape.intensity(Moment(place / 100, refrain, place * 864.0))
        for place in range(101)
        for refrain in (False, True)
    ]
    assert 0.0 <= min(values) <= 0.2
    assert 0.9 <= max(values) <= 1.0
    assert 0 < shape.summit < 1


def test_a_rondo_comes_back_to_its_refrain_between_episodes():
    made = formed(replace(FORM, shapes={"rondo": 1.0}, refrain="chorus", quiet=None))
    names = [visit.section.name for visit in hours(Plan(made, 2), 1) if visit.called in ("", "refrain")]
    assert names.count("chorus") >= len(names) // 2
    assert all("chorus" in pair for pair in pairwise(names))


@pytest.mark.parametrize("by", ["fifths", "thirds", "mediants"])
def test_a_way_of_the_home_key_keeps_its_direction_and_the_next_takes_the_other(by):
    key = Key.parse("D minor")
    made = replace(formed(None), modulation=Modulation(by, Range(200.0, 300.0), 3), key=key)
    homes = [visit.course.home.key.key for visit in hours(Plan(made, 4), 4)]
    ways = [[]]
    for before, after in pairwise(homes):
        if after == before:
            continue
        if after == key:
            ways.append([])
        else:
            interval = (after.tonic - before.tonic) % 12
            ways[-1].append(interval == 7 if by == "fifths" else interval in (3, 4))
    ways = [way for way in ways if way]
    assert len(ways) > 4
    assert max(len(way) for way in ways) == 3
    assert all(len(set(way)) == 1 for way in ways)
    assert all(one[0] != other[0] for one, other in pairwise(ways))


@pytest.mark.parametrize("by", ["fifths", "thirds", "mediants"])
def test_the_home_key_wanders_by_its_steps_and_comes_home(by):
    key = Key.parse("D minor")
    made = replace(formed(None), modulation=Modulation(by, Range(200.0, 300.0), 2), key=key)
    passes = hours(Plan(made, 4))
    homes = [visit.course.home.key.key for visit in passes]
    assert homes[0] == key
    assert len(set(homes)) > 3
    changes = [(a, b) for a, b in pairwise(homes) if a != b]
    away = 0
    for before, after in changes:
        away = 0 if after == key else away + 1
        assert away <= 2
        if after == key:
            continue
        interval = (after.tonic - before.tonic) % 12
        shared = len(set(before.scale) & set(after.scale))
        if by == "fifths":
            assert interval in (5, 7)
            assert shared == 6
            assert after.mode == before.mode
        elif by == "mediants":
            assert interval in (3, 4, 8, 9)
            assert shared <= 4
            assert after.mode == before.mode
        else:
            assert interval in (3, 4, 8, 9)
            assert shared >= 6
            assert after.mode != before.mode


def test_a_section_stands_by_its_relation_to_the_home_key():
    made = formed(None)
    above = replace(made.sections["chorus"], key=Relation("minor third up"))
    made = replace(
        made, sections={**made.sections, "chorus": above}, modulation=Modulation("fifths", Range(300, 400), 3)
    )
    for visit in hours(Plan(made, 5)):
        home = visit.course.home.key.key
        other = Key((home.tonic + 3) % 12, home.mode)
        assert visit.key == (other if visit.section.name == "chorus" else home)


def test_periods_close_with_cadences_that_are_the_sections_own():
    plan = Plan(formed(None), 6)
    found: dict = {}
    for visit in hours(plan):
        ends = [end for end, _ in visit.cadences]
        assert ends == [*range(8, visit.bars, 8), visit.bars]
        assert visit.cadences[-1][1] is not Cadence.HALF
        for end, cadence in visit.cadences:
            if end < visit.bars:
                assert found.setdefault((visit.section.name, end), cadence) is cadence


def test_a_movement_goes_on_where_a_hand_leads_to_a_section():
    plan = Plan(formed(), 1)
    led = plan.led_to("verse", 100)
    assert led.pass_at(100).section.name == "verse"
    assert led.pass_at(100).course.movement == plan.pass_at(100).course.movement
    assert led.position(100) == Plan.at(led.position(100), led.scene, 1).position(100)
