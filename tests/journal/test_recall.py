"""A performance that is cut off goes on from its journal at the bar that sounded, with the notes that were decided."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.events import PhraseDecided
from engine.journal.reader import Journal
from engine.journal.recall import recall
from engine.sound.messages import Notes
from tests.conductor.resumed import shipped
from tests.conductor.stage import kinds  # noqa: F401
from tests.conductor.test_edits import edited, heard
from tests.conductor.test_state import moving
from tests.journal.told import Keeping, Told, resumed

staged = pytest.mark.usefixtures("kinds")
UNSHRUNK = (Phase.explicit, Phase.generate)
COUNT = itertools.count()


def notes_from(messages, frame):
    return sorted(
        (message.part, *row)
        for message in messages
        if isinstance(message, Notes)
        for row in message.notes.tolist()
        if row[0] >= frame
    )


@staged
@settings(max_examples=6, deadline=None, phases=UNSHRUNK)
@given(seed=st.integers(0, 2**32), bar=st.integers(1, 24))
def test_what_was_decided_sounds_again_and_nothing_is_decided_twice(tmp_path_factory, seed, bar):
    path = tmp_path_factory.getbasetemp() / f"{next(COUNT)}.sqlite3"
    scene = moving(np.random.default_rng(seed))
    keeping = Keeping(path)
    keeping.begin(scene.path, seed)
    turn = keeping.turn(scene.path, seed)
    told = Told(keeping, scene, seed).until(bar)
    until = keeping.frame
    with Journal(path) as journal:
        found = recall(journal)
    assert found is not None
    assert found.turn == turn
    assert found.seed == seed
    sounding = told.bars[found.bar]
    assert sounding.start <= until < sounding.end or (until < sounding.start and found.bar == 0)
    decided: list = []
    again = resumed(found, scene, publish=decided.append)
    again.until(bar + 8)
    told.until(bar + 8)
    before = {(one.part, one.first_bar) for one in phrases(path)}
    assert notes_from(again.sent, found.frame) == notes_from(told.played.sent, found.frame)
    assert len(before) == len(phrases(path)), "a phrase was decided twice in one sitting"
    for one in decided:
        if isinstance(one, PhraseDecided):
            assert one.first_bar + one.bars > bar, "a phrase that had been decided was decided again"


def phrases(path):
    with Journal(path) as journal:
        sitting = journal.sittings()[-1].number
        return [one.decided for one in journal.phrases(sitting, 0, 1 << 40)]


@staged
@settings(max_examples=3, deadline=None, phases=UNSHRUNK)
@given(seed=st.integers(0, 2**32), bar=st.integers(4, 20), later=st.integers(0, 3))
def test_an_edit_that_was_decided_and_not_yet_heard_is_not_undone(tmp_path_factory, seed, bar, later):
    path = tmp_path_factory.getbasetemp() / f"{next(COUNT)}.sqlite3"
    rng = np.random.default_rng(seed)
    first, edit = moving(rng), moving(rng)
    keeping = Keeping(path)
    keeping.begin(first.path, seed)
    told = Told(keeping, first, seed).until(bar)
    told.conductor.reload(edit)
    told.until(bar + later)
    with Journal(path) as journal:
        found = recall(journal)
    assert found is not None
    assert found.bar >= bar
    again = resumed(found, edit)
    again.until(bar + 8)
    told.until(bar + 8)
    notes, _ = heard(told.played.sent)
    assert notes_from(again.sent, found.frame) == sorted(note for note in notes if note[1] >= found.frame)


def test_a_sitting_of_which_nothing_was_heard_goes_on_where_the_one_before_it_stood(tmp_path):
    path = tmp_path / "journal"
    scene = edited(np.random.default_rng(3))
    keeping = Keeping(path)
    keeping.begin(scene.path, 3)
    Told(keeping, scene, 3, staged=False)
    with Journal(path) as journal:
        assert recall(journal) is None


def test_a_start_that_nobody_heard_is_as_if_it_had_not_been(tmp_path):
    """Killed while it began anew, even: what was heard before that goes on."""
    path = tmp_path / "journal"
    scene = shipped("daylight")
    keeping = Keeping(path)
    keeping.begin(scene.path, 3)
    Told(keeping, scene, 3, staged=False).until(6)
    with Journal(path) as journal:
        stood = recall(journal)
    keeping.begin(scene.path, 4)
    with Journal(path) as journal:
        found = recall(journal)
    assert stood is not None
    assert found == stood
