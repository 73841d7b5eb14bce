"""Banks that were played sound again in a replay: from where they lie, or made anew of what the journal says."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.events import BankPlayed
from engine.installation.history.banks import banks_played, with_banks_there
from engine.runtime.replay.course import GraphCourse
from engine.runtime.timbres.messages import TO_BANK_MAKER, BankOrder
from engine.runtime.timbres.timbres import Timbres
from engine.sound.messages import ChangeInstrument, PartSound, Setup
from engine.timbres.bank_cache import BankCache
from engine.timbres.contract import bank_digest
from engine.timbres.gansynth.kind import GanSynthSettings
from tests.dummies import bank_maker
from tests.timbres.golden import SMALL


def played(latent):
    settings = GanSynthSettings(checkpoint=str(SMALL), latent=latent)
    order = BankOrder(bank_digest("gansynth", settings), "gansynth", settings, "")
    return BankPlayed("pad", "gansynth", order.digest, TO_BANK_MAKER.encode(order))


@pytest.fixture
def played_from(tmp_path):
    """The cache that two banks were played from, and these."""
    cache, banks = BankCache(tmp_path / "then"), [played(1), played(2)]
    return [str(cache.keep(one.digest, bank_maker.write)) for one in banks], banks


def course(first, then):
    setup = Setup((PartSound("pad", first, -6.0, stand_in="/s"), PartSound("bass", "/b", -6.0)), seed=1)
    return GraphCourse(0, 0, 0, (setup, ChangeInstrument("pad", then, 96_000)), {})


def told_of(banks, courses):
    journal = SimpleNamespace(happenings=lambda kinds, until: [SimpleNamespace(value=one) for one in banks])
    return banks_played(journal, courses, 0.0)


def maker(folder, command=(sys.executable, "-m", "tests.dummies.bank_maker")):
    return Timbres(BankCache(folder), command, lambda report: None)


def test_banks_that_lie_where_they_did_are_played_from_there(played_from, tmp_path):
    files, banks = played_from
    courses = (course(*files),)
    found = told_of(banks, courses)
    assert found == dict(zip(files, banks, strict=True))
    assert with_banks_there(courses, found, maker(tmp_path / "now", ["/nonexistent"])) == (courses, [])


def test_a_bank_that_is_gone_is_made_again_and_one_that_was_kept_elsewhere_is_found(played_from, tmp_path):
    files, banks = played_from
    courses = (course(*files),)
    found = told_of(banks, courses)
    shutil.rmtree(tmp_path / "then")
    kept = BankCache(tmp_path / "now").keep(banks[1].digest, bank_maker.write)
    [moved], notes = with_banks_there(courses, found, maker(tmp_path / "now"))
    setup, change = moved.messages
    made = tmp_path / "now" / banks[0].digest / "instrument.yaml"
    assert made.is_file()
    assert [part.instrument for part in setup.parts] == [str(made), "/b"]
    assert (change.instrument, notes) == (str(kept), [])


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        ({"order": played(3).order}, "not as it was"),
        ({"order": b"{"}, "cannot be read"),
        ({"order": played(1).order.replace(b"gansynth", b"gonsynth")}, "cannot be read"),
    ],
)
def test_what_would_be_another_bank_is_not_made_and_that_is_said(played_from, tmp_path, spoilt, words):
    files, banks = played_from
    courses = (course(*files),)
    found = told_of([replace(banks[0], **spoilt)], courses)
    shutil.rmtree(tmp_path / "then")
    moved, [note] = with_banks_there(courses, found, maker(tmp_path / "now", ["/nonexistent"]))
    assert words in note
    assert (moved, list(Path(tmp_path).glob("now/*"))) == (courses, [])
