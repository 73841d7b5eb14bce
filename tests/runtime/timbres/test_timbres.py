"""Banks of notes are made in a process that may do anything: each order is answered once, and nothing is waited for."""

import os
import sys
import time

import numpy as np
import pytest
import soundfile

from engine.processes.supervision import Limits
from engine.runtime.timbres.messages import BankFailed, BankMade, BankOrder
from engine.runtime.timbres.timbres import Timbres
from engine.timbres.bank_cache import BankCache
from engine.timbres.contract import bank_digest
from engine.timbres.gansynth.kind import GanSynthSettings
from tests.dummies import bank_maker
from tests.timbres.golden import SMALL

DUMMY = [sys.executable, "-m", "tests.dummies.bank_maker"]
LIMITS = Limits(restarts=6, period=600.0, first_delay=0.01, longest_delay=0.1)


def order(folder, latent, **more):
    settings = GanSynthSettings(checkpoint=str(SMALL), latent=latent, **more)
    return BankOrder(bank_digest("gansynth", settings), "gansynth", settings, str(folder))


def answers(timbres, count, seconds=60.0):
    found, until = [], time.monotonic() + seconds
    while len(found) < count and time.monotonic() < until:
        found += timbres.poll()
        time.sleep(0.01)
    return found


@pytest.fixture
def timbres(tmp_path):
    with Timbres(BankCache(tmp_path), DUMMY, lambda report: None, limits=LIMITS) as made:
        yield made


def test_banks_are_made_one_after_the_other_and_the_process_ends(timbres, tmp_path):
    orders = [order(tmp_path, latent) for latent in (1, 2, 1)]
    timbres.want(orders)
    assert timbres.waiting == 2
    found = answers(timbres, 2)
    assert [(one.digest, one.seconds) for one in found] == [(orders[0].digest, 0.25), (orders[1].digest, 0.25)]
    assert all(os.path.isfile(one.instrument) for one in found)
    assert timbres.poll() == []
    assert (timbres.pid, timbres.waiting) == (None, 0)


def test_what_is_in_the_cache_is_answered_without_a_process(tmp_path):
    wanted = order(tmp_path, 1)
    BankCache(tmp_path).keep(wanted.digest, bank_maker.write)
    with Timbres(BankCache(tmp_path), ["/nonexistent/maker"]) as timbres:
        timbres.want([wanted])
        assert timbres.poll() == [BankMade(wanted.digest, str(tmp_path / wanted.digest / "instrument.yaml"), 0.0)]


@pytest.mark.parametrize(
    ("latent", "words"),
    [
        (bank_maker.DIES, "killed by signal 9"),
        (bank_maker.GARBAGE, "cannot be read"),
        (bank_maker.STRANGER, "an order that it did not have"),
        (bank_maker.PRINTS, "out of memory"),
        (bank_maker.FAILS, "not finite"),
    ],
)
def test_a_bank_that_cannot_be_made_is_said_once_and_the_others_are_made(timbres, tmp_path, latent, words):
    timbres.want([order(tmp_path, latent), order(tmp_path, 5)])
    bad, good = answers(timbres, 2)
    assert isinstance(bad, BankFailed)
    assert words in bad.problem
    assert isinstance(good, BankMade)
    assert timbres.poll() == []


def test_a_process_that_hangs_is_ended_and_tried_once_more(timbres, tmp_path):
    timbres._patience = 0.5
    timbres.want([order(tmp_path, bank_maker.HANGS)])
    [found] = answers(timbres, 1)
    assert "no sign of life" in found.problem


def test_without_a_process_there_is_no_bank(tmp_path):
    with Timbres(BankCache(tmp_path), ["/nonexistent/maker"], limits=LIMITS) as timbres:
        timbres.want([order(tmp_path, 1)])
        [found] = answers(timbres, 1)
    assert isinstance(found, BankFailed)


def test_what_is_not_wanted_any_more_is_not_made(timbres, tmp_path):
    timbres.want([order(tmp_path, bank_maker.HANGS), order(tmp_path, 3)])
    while timbres.pid is None:
        timbres.poll()
    pid = timbres.pid
    timbres.want([order(tmp_path, 4)])
    [found] = answers(timbres, 1)
    assert found.digest == order(tmp_path, 4).digest
    assert not os.path.exists(f"/proc/{pid}")
    assert timbres.poll() == []


def test_what_is_wanted_still_goes_on_being_made(timbres, tmp_path):
    timbres.want([order(tmp_path, bank_maker.HANGS)])
    while timbres.pid is None:
        timbres.poll()
    pid = timbres.pid
    timbres.want([order(tmp_path, 3), order(tmp_path, bank_maker.HANGS)])
    assert timbres.pid == pid
    assert timbres.waiting == 2


@pytest.mark.models
@pytest.mark.xdist_group("tensorflow")
def test_the_process_makes_the_bank_that_the_command_makes(tmp_path):
    from tests.cli.generating import run

    few = {"lowest": "C4", "highest": "D#4"}
    wanted = order(tmp_path / "cache", 7, **few)
    with Timbres(BankCache(tmp_path / "cache")) as timbres:
        timbres.want([wanted])
        [found] = answers(timbres, 1, 120.0)
    assert isinstance(found, BankMade), found
    folder = tmp_path / "seven"
    range_of = ("--lowest", "C4", "--highest", "D#4")
    made = run("instrument", "from-gansynth", SMALL, "--latent", 7, *range_of, "-o", folder)
    assert made.exit_code == 0, made.output
    sounds = sorted(folder.glob("*.flac"))
    assert sounds
    for sound in sounds:
        ours, theirs = (soundfile.read(path)[0] for path in (tmp_path / "cache" / wanted.digest / sound.name, sound))
        # Sums of another number of threads are rounded otherwise.
        assert np.abs(ours - theirs).max() < 1e-3


@pytest.mark.parametrize("damage", ["no weights", "noise", "no folder", "a file"])
def test_a_checkpoint_that_is_none_is_a_failure_in_words(tmp_path, damage):
    folder = tmp_path / "checkpoint"
    stage = folder / "stage_00012"
    stage.mkdir(parents=True)
    wanted = order(tmp_path / "cache", 1)
    match damage:
        case "noise":
            for name in ("checkpoint", "model.ckpt-1.index", "model.ckpt-1.data-00000-of-00001"):
                (stage / name).write_bytes(os.urandom(9_999))
        case "no folder":
            folder = tmp_path / "nowhere"
        case "a file":
            folder = tmp_path / "file"
            folder.write_bytes(b"x")
        case _:
            pass
    settings = wanted.settings.model_copy(update={"checkpoint": str(folder)})
    with Timbres(BankCache(tmp_path / "cache")) as timbres:
        timbres.want([BankOrder(wanted.digest, "gansynth", settings, wanted.folder)])
        [found] = answers(timbres, 1, 60.0)
    assert isinstance(found, BankFailed)
    assert "Traceback" not in found.problem
    assert str(folder) in found.problem
