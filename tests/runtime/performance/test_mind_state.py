"""A performance that is stopped under a hand goes on elsewhere as if it had not been: notes, ramps, frames, holds."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.errors import PerpetuumError
from engine.runtime.performance.commands import GoToSection, MutePart, Reseed, SetControl, Solo, When
from engine.runtime.performance.mind.state import MindState
from engine.sound.messages import Control, Notes, Ramps, Setup
from tests.conductor.resumed import shipped
from tests.conductor.stage import FEEL, NET, RULE, kinds  # noqa: F401
from tests.conductor.test_state import moving
from tests.runtime.performance.resumed import StoppableMind

AFTER = 14
"""Bars that are played after the stop."""


@pytest.fixture
def staged(monkeypatch, kinds):  # noqa: F811
    from engine.generators.contract import GENERATORS, TRANSFORMS

    monkeypatch.setattr("engine.runtime.ending.GENERATORS", GENERATORS.having(NET, RULE))
    monkeypatch.setattr("engine.runtime.ending.TRANSFORMS", TRANSFORMS.having(FEEL))


def some_command(rng: np.random.Generator, scene):
    """What a hand may do."""
    part = str(rng.choice(list(scene.parts)))
    values = {
        "level": f"{-rng.integers(3, 40)} dB",
        "pan": float(rng.uniform(-1, 1)),
        "temperature": 0.5,
        "delay": "off",
    }
    control = str(rng.choice(list(values)))
    return [
        MutePart(part, bool(rng.random() < 0.7)),
        SetControl(part, control, values[control] if rng.random() < 0.8 else None),
        Solo(part if rng.random() < 0.7 else None),
        GoToSection(str(rng.choice(list(scene.sections))), When.SECTION),
        Reseed(int(rng.integers(1 << 40))),
    ][rng.choice(5, p=[0.3, 0.4, 0.1, 0.1, 0.1])]


@pytest.mark.usefixtures("staged")
@settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(0, 2**32), bar=st.integers(0, 24))
def test_a_performance_stopped_at_any_bar_goes_on_with_all_that_a_hand_held(seed, bar):
    rng = np.random.default_rng(seed)
    made = moving(rng)
    whole, again = StoppableMind(made, seed), StoppableMind(made, seed)
    for place in sorted(rng.integers(0, bar + 1, 4)):
        whole.until(int(place)).do(some_command(rng, made))
    whole.until(bar)
    text, since = whole.mind.state().to_json(), len(whole.link.sent)
    again.makers.now = whole.makers.now
    again.mind.resume(MindState.from_json(text))
    assert again.mind.state().to_json() == text
    assert again.mind.snapshot == whole.mind._snapshot()
    later = some_command(rng, made)
    for one in (whole, again):
        one.until(bar + 5).do(later).until(bar + AFTER)
    assert again.heard() == whole.heard(since)
    assert again.mind.state() == whole.mind.state()


def test_another_process_goes_on_with_what_a_hand_held_in_a_shipped_scene():
    made = shipped("daylight")
    first, second, *_ = made.parts
    whole = StoppableMind(made, 3, staged=False).until(8)
    whole.do(SetControl(first, "level", "-31 dB")).do(MutePart(second, True)).until(19)
    since = len(whole.link.sent)
    found = subprocess.run(
        [sys.executable, "-m", "tests.runtime.performance.resumed", "daylight", "3", str(whole.makers.now), "8"],
        input=whole.mind.state().to_json(),
        capture_output=True,
        text=True,
        check=True,
    )
    expected = json.loads(json.dumps(whole.until(27).heard(since)))
    assert json.loads(found.stdout) == expected
    assert any(message[0] == "Notes" for message in expected)


def test_sound_that_begins_anew_some_bars_later_is_set_up_before_it_is_told_anything_else():
    whole, again = (StoppableMind(shipped("daylight"), 3, staged=False) for _ in range(2))
    state, start = whole.until(4).mind.state(), whole.mind.conductor.plan.bar(7).start
    again.mind.resume(MindState.from_json(state.to_json()), frame=start, sounding=False)
    assert isinstance(again.link.sent[0], Setup)
    assert again.link.sent[0].start_frame == start // 256 * 256
    assert again.mind.conductor.next_bar == 7


@pytest.mark.usefixtures("staged")
def test_sound_that_begins_anew_is_told_where_controls_stand_and_which_notes_ring():
    made = moving(np.random.default_rng(4))
    name = next(iter(made.parts))
    whole, again = StoppableMind(made, 4), StoppableMind(made, 4)
    whole.until(6).do(SetControl(name, "level", "-33 dB")).until(11)
    state = whole.mind.state()
    stand = {control: value for (part, control), value in whole.mind.conductor._controls.items() if part == name}
    again.makers.now = whole.makers.now
    again.mind.resume(MindState.from_json(state.to_json()), sounding=False)
    setup, *rings = again.link.sent
    assert isinstance(setup, Setup)
    start = whole.mind.conductor.plan.bar(11).start
    assert setup.start_frame == start // 256 * 256
    [sound] = [part for part in setup.parts if part.name == name]
    assert {control: getattr(sound, control) for control in stand} == stand
    assert stand[Control.LEVEL] == -33.0
    # What rings on is what was sent before and ends after.
    sounding = {
        (message.part, row[2], row[3], row[1])
        for message in whole.link.sent
        if isinstance(message, Notes)
        for row in message.notes.tolist()
        if row[0] < start < row[1] - 24_000
    }
    told = {(message.part, row[2], row[3], row[1]) for message in rings for row in message.notes.tolist()}
    assert all(row[0] == start for message in rings for row in message.notes.tolist())
    heard = made.sections[whole.mind.snapshot.section].parts
    near = {(part, pitch, velocity, round(off, -3)) for part, pitch, velocity, off in told}
    for part, pitch, velocity, off in sounding:
        assert part not in heard or (part, pitch, velocity, round(off, -3)) in near
    # And then nothing moves again that stands already.
    sent = len(again.link.sent)
    again.until(12)
    early = [ramp for one in again.link.sent[sent:] if isinstance(one, Ramps) for ramp in one.ramps]
    assert not [ramp for ramp in early if ramp.part == name and ramp.control is Control.LEVEL]


@pytest.mark.usefixtures("staged")
def test_a_hand_that_holds_what_an_edited_scene_no_longer_has_lets_go_and_the_scene_plays():
    made = moving(np.random.default_rng(2))
    name = next(iter(made.parts))
    whole = StoppableMind(made, 2).until(4).do(SetControl(name, "level", "-20 dB")).do(MutePart(name, True)).until(7)
    state = json.loads(whole.mind.state().to_json())
    state["holds"].append({"part": name, "setting": "no_such_setting", "value": 3})
    again = StoppableMind(made, 2, now=whole.makers.now)
    again.mind.resume(MindState.from_json(json.dumps(state)))
    assert again.mind.snapshot.muted == (name,)
    again.until(12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 2}, "version"),
        ({"holds": [{"part": "pad", "setting": "level", "value": None}]}, "holds.0.value"),
        ({"holds": [{"part": "pad", "setting": "level", "value": float("nan")}]}, "holds.0.value"),
        ({"muted": "pad"}, "muted"),
        ({"solo": 3}, "solo"),
        ({"conductor": {}}, "conductor"),
        ({"more": 1}, "more"),
    ],
)
@pytest.mark.usefixtures("staged")
def test_a_state_that_makes_no_sense_is_refused_with_the_place(change, words):
    made = moving(np.random.default_rng(1))
    state = json.loads(StoppableMind(made, 1).until(2).mind.state().to_json())
    with pytest.raises(PerpetuumError, match=f"the performance's state cannot be read: {words}"):
        MindState.from_json(json.dumps({**state, **change}))
