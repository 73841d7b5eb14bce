"""What hands may ask besides mute and alarm: volume, section and scene; what cannot be done is refused."""

import queue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import PerpetuumError
from engine.events import BarSealed
from engine.installation.choices.staff import StaffChoice
from engine.installation.hours.opening import Hours
from engine.installation.hours.programme import Turn, next_turn
from engine.installation.hours.timetable import Source, Timetable
from engine.installation.keeper.folder.folder import StateFolder
from engine.installation.keeper.hands.course import AskedCourse
from engine.installation.keeper.hands.hands import Ask, Hands, read_line, read_volume
from engine.installation.keeper.snapshots import MusicWatch
from engine.installation.keeper.turns.direction import OnAir, level_wanted, turn_wanted
from engine.runtime.performance.commands import GoToSection
from tests.installation.keeper.test_decisions import ALWAYS, at
from tests.installation.making import entry, installation, programme

PROGRAMME = programme(
    entry("tides", sections=("calm", "storm")), entry("drift"), entry("noon", hours=(Hours(43200.0, 45000.0),))
)
HERE = installation(programme=PROGRAMME)
TIDES = OnAir(Source.PROGRAMME, Turn("2026-03-02", 4, "tides", 600.0, 7), 0.0)

STAFF = StaffChoice()


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("mute", (Ask.MUTE, "")),
        (" volume  -6 dB ", (Ask.VOLUME, "-6 dB")),
        ("section the storm", (Ask.SECTION, "the storm")),
        ("reload scene tides", (Ask.RELOAD, "scene tides")),
    ],
)
def test_a_line_is_read(line, asked):
    assert read_line(line) == asked


@pytest.mark.parametrize("line", ["", "mutes", "volume", "scene ", "mute now", "alarm\0", "x" * 1000])
def test_what_is_no_ask_is_refused_and_it_is_said_what_is(line):
    with pytest.raises(PerpetuumError) as refused:
        read_line(line)
    assert refused.value.hint
    assert len(str(refused.value)) < 300


@given(st.floats(-STAFF.softer, STAFF.louder))
def test_a_volume_is_read_with_its_unit_or_without(decibels):
    assert read_volume(f"{decibels} dB", STAFF) == read_volume(f"{decibels}", STAFF) == decibels


@pytest.mark.parametrize("text", ["", "loud", "nan", "inf", "-inf", "5", "-13", "-6 dBA", "1e400", "0x10"])
def test_what_is_no_volume_is_refused(text):
    with pytest.raises(PerpetuumError):
        read_volume(text, STAFF)


class Asking:
    """Hands, and what came of what they ask."""

    def __init__(self, folder, on=TIDES):
        self.on, self.told, self.done, self.waits = on, [], [], False
        self.course = AskedCourse(
            lambda: (HERE, self.on), self.change, self.done.append, lambda: 50.0, lambda: self.waits
        )
        self.hands = Hands(StateFolder(folder), self.act, lambda action: action(), self.told.append, self.course.check)

    def act(self, ask, value):
        if ask in (Ask.SCENE, Ask.SECTION):
            self.course.put(ask, value)

    def change(self, on, now):
        self.on = on
        self.done.append(on)


def test_a_scene_that_is_asked_for_takes_the_place_of_the_next_turn(tmp_path):
    asking = Asking(tmp_path)
    asking.hands.ask(Ask.SCENE, "control", "drift")
    assert asking.done == []  # nothing is done but in the keeper's thread
    asking.course.look(60.0)
    (on,) = asking.done
    assert (on.source, on.turn.scene, on.turn.session, on.turn.number, on.since) == (
        Source.PROGRAMME,
        "drift",
        "2026-03-02",
        5,
        60.0,
    )
    assert on.turn == next_turn(PROGRAMME, TIDES.turn)  # which here is the very scene that would have come
    asking.hands.ask(Ask.SCENE, "control", "tides")
    asking.course.look(61.0)
    assert next_turn(PROGRAMME, asking.on.turn).number == 7
    assert [(one.ask, one.who) for one in asking.told] == [("scene drift", "control"), ("scene tides", "control")]


def test_the_scene_that_was_asked_for_stays_for_its_turn():
    asked = OnAir(Source.PROGRAMME, Turn("x", 3, "b", 300.0, 1), 0.0)
    moment = at(9)
    intent = Timetable(ALWAYS).intent(moment)
    assert turn_wanted(ALWAYS, intent, moment, asked, 299.0) is asked
    assert turn_wanted(ALWAYS, intent, moment, asked, 301.0) is not asked


def test_a_section_that_is_asked_for_is_told_to_the_mind(tmp_path):
    asking = Asking(tmp_path)
    asking.hands.ask(Ask.SECTION, "mqtt", "storm")
    asking.course.look(60.0)
    assert asking.done == [GoToSection("storm")]


@pytest.mark.parametrize(
    ("ask", "value", "on", "why"),
    [
        (Ask.SCENE, "tide", TIDES, "no scene 'tide' takes turns here"),
        (Ask.SCENE, "noon", TIDES, "takes turns"),
        (Ask.SCENE, "drift", None, "nothing of the programme plays"),
        (Ask.SCENE, "drift", OnAir(Source.FIXED, TIDES.turn, 0.0), "nothing of the programme plays"),
        (Ask.SECTION, "strom", TIDES, "tides has no section 'strom'"),
        (Ask.SECTION, "storm", None, "nothing of the programme plays"),
        (Ask.VOLUME, "11", TIDES, "out of range"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason_and_neither_told_nor_done(tmp_path, ask, value, on, why):
    asking = Asking(tmp_path, on)
    with pytest.raises(PerpetuumError, match=why):
        asking.hands.ask(ask, "control", value)
    asking.course.look(60.0)
    assert (asking.told, asking.done, asking.hands.volume.decibels) == ([], [], 0.0)


def test_a_section_is_refused_while_another_scene_is_about_to_take_over(tmp_path):
    asking = Asking(tmp_path)
    asking.waits = True
    with pytest.raises(PerpetuumError, match="another scene"):
        asking.hands.ask(Ask.SECTION, "control", "storm")
    assert (asking.told, asking.done) == ([], [])


def test_a_section_in_one_breath_with_a_scene_is_refused_for_it_would_be_one_of_the_scene_that_goes(tmp_path):
    asking = Asking(tmp_path)
    asking.hands.ask(Ask.SCENE, "control", "drift")
    with pytest.raises(PerpetuumError, match="another scene"):
        asking.hands.ask(Ask.SECTION, "control", "storm")
    asking.course.look(60.0)
    assert [one.turn.scene for one in asking.done] == ["drift"]
    with pytest.raises(PerpetuumError, match="drift has no section"):
        asking.hands.ask(Ask.SECTION, "control", "storm")
    asking.hands.ask(Ask.SCENE, "control", "tides")
    asking.course.look(61.0)
    asking.hands.ask(Ask.SECTION, "control", "storm")
    asking.course.look(62.0)
    assert asking.done[-1] == GoToSection("storm")


def test_what_could_be_done_when_it_was_asked_and_cannot_any_more_costs_nothing(tmp_path):
    asking = Asking(tmp_path)
    asking.hands.ask(Ask.SECTION, "control", "storm")
    asking.on = None
    asking.course.look(60.0)
    assert asking.done == []


def test_a_hand_makes_every_level_softer_by_the_volume():
    intent = Timetable(ALWAYS).intent(at(9))
    for quiet in (False, True):
        usual = level_wanted(ALWAYS, intent, quiet, None)
        softer = level_wanted(ALWAYS, intent, quiet, None, -6.0)
        assert (softer.decibels, softer.seconds) == (usual.decibels - 6.0, usual.seconds)


def test_the_section_that_is_told_is_the_one_that_is_heard_not_the_one_that_is_decided():
    music = MusicWatch()
    for bar, section in enumerate(("calm", "calm", "storm")):
        music.hear(BarSealed(bar, 100 + bar * 100, 200 + bar * 100, 120.0, 0, section, ()))
    assert [music.section(frame) for frame in (99, 100, 299, 300, 9999)] == ["", "calm", "calm", "storm", "storm"]
    music.begin()
    assert music.section(500) == ""


def test_lines_that_come_at_once_from_many_are_all_done(tmp_path):
    """Hands are asked in the threads of HTTP, of the control and of the steering."""
    import threading

    asking, failed = Asking(tmp_path), queue.SimpleQueue()

    def ask():
        try:
            for _ in range(50):
                asking.hands.ask(Ask.SECTION, "control", "storm")
        except Exception as error:
            failed.put(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asking.course.look(1.0)
    assert failed.empty()
    assert len(asking.done) == 200


def test_a_volume_in_decibels_and_steps_move_the_same_and_the_end_of_quiet_mode_leaves_it(tmp_path):
    """The button that begins and ends quiet mode asks for `normal`: a tour that ends changes no volume, and no mute."""
    asking = Asking(tmp_path)
    asking.hands.ask(Ask.VOLUME, "mqtt", "-6 dB")
    asking.hands.ask(Ask.LOUDER, "button")
    assert asking.hands.volume.decibels == -6.0 + STAFF.step
    for ask in (Ask.MUTE, Ask.QUIET, Ask.NORMAL):
        asking.hands.ask(ask, "button")
    assert (asking.hands.quiet, asking.hands.muted) == (False, True)
    assert asking.hands.volume.decibels == -6.0 + STAFF.step
    asking.hands.ask(Ask.VOLUME, "control", "0")
    assert asking.hands.volume.decibels == 0.0
