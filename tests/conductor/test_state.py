"""A performance that is stopped goes on elsewhere as if it had not been, down to the frame."""

import json
import subprocess
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine import assets
from engine.conductor.state import ConductorState
from engine.errors import PerpetuumError
from engine.form.plan import Plan
from engine.form.scene import Curve, DayCurve, DayMove, Move
from engine.score.time import DAY
from tests.conductor.resumed import Stoppable, shipped
from tests.conductor.stage import kinds, part, scene, section  # noqa: F401
from tests.conductor.test_day import Leaping
from tests.conductor.test_edits import edited

AFTER = 16
"""Bars that are played after the stop."""

UNSHRUNK = (Phase.explicit, Phase.generate)
"""Everything follows from one seed: a smaller one is no simpler."""

staged = pytest.mark.usefixtures("kinds")


def moving(rng: np.random.Generator):
    """A small odd scene, with settings that a section or the day moves."""
    made = edited(rng)
    name = next(iter(made.parts))
    moves = (
        Move(name, "level", None, Curve((-30.0, float(rng.uniform(-20, 0)), -9.0))),
        Move(name, "temperature", None, Curve((0.7, 1.3))),
        Move(name, "reverb", None, Curve((-np.inf,))),
    )
    sections = {key: replace(one, moves=moves) if rng.random() < 0.5 else one for key, one in made.sections.items()}
    day = (
        DayMove(list(made.parts)[-1], "pan", None, DayCurve(((0.0, -1.0), (DAY / 2, 1.0)))),
        DayMove(name, "temperature", None, DayCurve(((DAY / 2 - 60, 0.5), (DAY / 2 + 60, 1.5)))),
    )
    return replace(made, sections=sections, day=day if rng.random() < 0.7 else ())


def stopped(whole: Stoppable, again: Stoppable, bar: int, then=lambda one: None) -> None:
    """Stop a performance at a bar and let another one go on; see to it that both send the same from there on."""
    whole.until(bar)
    text, since = whole.conductor.state().to_json(), len(whole.sent)
    in_flight = [line.asked.job for line in whole.conductor._phrases.lines.values() if line.asked is not None]
    again.makers.now = whole.makers.now
    again.conductor.restore(ConductorState.from_json(text))
    # A request has all that decides a phrase: the very same ones are made again.
    jobs = sorted(in_flight, key=lambda job: job.ticket)
    assert [repr(job.request) for job in again.makers.submitted] == [repr(job.request) for job in jobs]
    assert [job.deadline for job in again.makers.submitted] == [job.deadline for job in jobs]
    assert again.conductor.state().to_json() == text
    for one in (whole, again):
        then(one.conductor)
        one.until(bar + AFTER)
    assert again.heard() == whole.heard(since)
    assert again.conductor.state() == whole.conductor.state()


@staged
@settings(max_examples=15, deadline=None, phases=UNSHRUNK)
@given(seed=st.integers(0, 2**32), bar=st.integers(0, 40))
def test_a_performance_stopped_at_any_bar_goes_on_as_if_it_had_not_been(seed, bar):
    made = moving(np.random.default_rng(seed))
    stopped(Stoppable(made, seed), Stoppable(made, seed), bar)


@staged
@settings(max_examples=8, deadline=None, phases=UNSHRUNK)
@given(seed=st.integers(0, 2**32), bar=st.integers(0, 20), played=st.integers(0, 5))
def test_so_does_one_whose_scene_is_edited_before_and_after(seed, bar, played):
    """Played on for some bars after the first edit, or for none: then the second one takes its place."""
    rng = np.random.default_rng(seed)
    first, edit, last = moving(rng), moving(rng), moving(rng)
    whole, again = Stoppable(first, seed).until(bar), Stoppable(edit, seed)
    whole.conductor.reload(edit)
    stopped(whole, again, bar + played, lambda conductor: conductor.reload(last))


@staged
@settings(max_examples=8, deadline=None, phases=UNSHRUNK)
@given(seed=st.integers(0, 2**32), bar=st.integers(0, 20))
def test_a_scene_that_was_edited_meanwhile_takes_over_as_if_it_had_been_reloaded(seed, bar):
    rng = np.random.default_rng(seed)
    first, edit = moving(rng), moving(rng)
    whole = Stoppable(first, seed).until(bar)
    state, since = whole.conductor.state(), len(whole.sent)
    again = Stoppable(edit, seed, now=whole.makers.now)
    again.conductor.restore(ConductorState.from_json(state.to_json()), edited=True)
    whole.conductor.reload(edit)
    assert again.until(bar + AFTER).heard() == whole.until(bar + AFTER).heard(since)


loaded = cache(shipped)


@pytest.mark.parametrize("name", sorted(assets.names("scenes")))
def test_each_shipped_scene_goes_on_with_its_own_rules_in_place_of_networks(name):
    made, seed = loaded(name), 7
    bar = int(np.random.default_rng(sum(name.encode())).integers(3, 40))
    stopped(Stoppable(made, seed, staged=False), Stoppable(made, seed, staged=False), bar)


def test_another_process_that_reads_the_state_as_json_goes_on_with_the_same_notes_ramps_and_frames():
    whole = Stoppable(loaded("daylight"), 3, staged=False).until(21)
    since = len(whole.sent)
    found = subprocess.run(
        [sys.executable, "-m", "tests.conductor.resumed", "daylight", "3", str(whole.makers.now), "12"],
        input=whole.conductor.state().to_json(),
        capture_output=True,
        text=True,
        check=True,
    )
    expected = json.loads(json.dumps(whole.until(33).heard(since)))
    assert json.loads(found.stdout) == expected
    assert any(message[0] == "Notes" for message in expected)


@staged
def test_what_was_asked_at_an_hour_is_asked_again_as_of_that_hour():
    """The wall clock has gone on; the request says what it was asked with."""
    made = scene([part("lead", "net")], [section("a", "lead")])
    made = replace(made, day=(DayMove("lead", "temperature", None, DayCurve(((0.0, 0.5), (DAY / 2, 1.5)))),))
    whole = Stoppable(made, 1, day=Leaping(7.0))
    whole.conductor.advance()
    again = Stoppable(made, 1, day=Leaping(19.0))
    again.conductor.restore(whole.conductor.state())
    assert [job.request.place.time_of_day for job in again.makers.submitted] == [7 * 3600.0]
    assert repr(again.makers.submitted[0].request) == repr(whole.makers.submitted[-1].request)


def duo(title="Stage", qpm=120.0):
    made = scene([part("pad", "rule"), part("lead", "net", chords="pad")], [section("a", "pad", "lead")], qpm=qpm)
    return replace(made, title=title)


@staged
def test_the_state_of_another_scene_or_seed_is_refused_by_name_and_changes_nothing():
    state = Stoppable(duo("First"), 1).until(5).conductor.state()
    other, alone = Stoppable(duo("Second", qpm=90.0), 1), Stoppable(duo("Second", qpm=90.0), 1)
    with pytest.raises(PerpetuumError, match="is of another scene \\('First'\\) than 'Second'"):
        other.conductor.restore(state)
    with pytest.raises(PerpetuumError, match="seed 1, not 2"):
        Stoppable(duo("First"), 2).conductor.restore(state)
    assert other.until(20).heard() == alone.until(20).heard()


@staged
def test_a_scene_that_only_has_another_title_or_place_is_the_same():
    state = Stoppable(duo("First"), 1).until(5).conductor.state()
    moved = replace(duo("Second"), path="/elsewhere.yaml", credits="somebody")
    Stoppable(moved, 1).conductor.restore(state)


@staged
def test_a_digest_tells_scenes_apart_by_all_that_is_played():
    base = duo()
    others = [
        replace(base, parts=dict(reversed(base.parts.items()))),
        replace(base, opening=1),
        replace(base, sections={"a": replace(base.sections["a"], next={"a": 2.0})}),
        replace(base, mix=replace(base.mix, level=-1.0)),
        replace(base, parts=base.parts | {"pad": part("pad", "rule", transforms=("feel",))}),
        replace(base, parts=base.parts | {"pad": part("pad", "rule", 3)}),
    ]
    digests = [Plan(one, 1).scene_digest for one in (base, *others)]
    assert len(set(digests)) == len(digests)
    assert Plan(duo(), 2).scene_digest == digests[0]


@staged
@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("version",), 9, "version: "),
        (("position", "bar"), -3, "position.bar: "),
        (("lines", 0, "decided", 0, "raw", "notes", 0, 2), 300, "is no note"),
        (("lines", 0, "decided", 0, "raw", "notes", 0, 2), 1 << 70, "is no note"),
        (("lines", 0, "decided", 0, "raw", "notes", 0, 1), -1.0, "has no length"),
        (("lines", 0, "decided", 0, "raw", "notes", 0, 0), float("inf"), "lines.0.decided.0.raw.notes.0.0: "),
        (("lines", 0, "decided", 0, "raw", "length"), 1e-9, "starts outside the phrase"),
        (("lines", 0, "decided", 0, "bars"), 0, "lines.0.decided.0.bars: "),
        (("lines", 0, "decided", 0, "raw", "origin"), "nobody", "lines.0.decided.0.raw.origin: "),
        (("lines", 0, "role"), "choir", "lines.0.role: "),
        (("lines", 0, "part"), "nobody", "does not fit the parts of its scene: nobody, pad"),
        (("jobs", 0, "first_bar"), 1 << 50, "is damaged: what 'lead' is asked for"),
        (("jobs", 0, "bars"), 9, "is damaged: what 'lead' is asked for"),
        (("jobs", 0, "part"), "nobody", "is damaged: what 'nobody' is asked for"),
        (("controls", 0, "control"), "colour", "controls.0.control: "),
        (("controls", 0, "value"), float("nan"), "controls.0.value: "),
        (("position", "running", "section"), "b", "no such section"),
    ],
)
def test_a_state_that_was_tampered_with_is_refused_and_changes_nothing(path, value, words):
    played = Stoppable(duo(), 1).until(4)
    while not (tree := json.loads(played.conductor.state().to_json()))["jobs"]:
        played.conductor.step()
    place = tree
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    other = Stoppable(duo(), 1)
    with pytest.raises(PerpetuumError) as refused:
        other.conductor.restore(ConductorState.from_json(json.dumps(tree)))
    assert words in str(refused.value)
    assert other.until(12).heard() == Stoppable(duo(), 1).until(12).heard()
