"""A render plays a bank from the first note on, or the stand-in from beginning to end: told by its samples."""

import numpy as np
import pytest
import soundfile

from engine.runtime.ending import Ending
from engine.runtime.render import render
from engine.runtime.timbres.orders import orders_of
from engine.scenes import load
from engine.timbres.bank_cache import BankCache
from tests.dummies.bank_maker import write
from tests.timbres.golden import SMALL

SCENE = """\
perpetuum: 1
title: t
tempo: 200 qpm
key: C
parts:
  tune:
    generator: {kind: pattern, notes: "C4:1 E4:1 G4:1 C5:1"}
    instrument: INSTRUMENT
sections:
  a: {bars: 2 bars, parts: [tune]}
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CACHE_DIRECTORY", raising=False)
    return BankCache()


def rendered(folder, name, instrument, seed=3):
    path = folder / "scene.yaml"
    path.write_text(SCENE.replace("INSTRUMENT", instrument))
    scene, found = load(path)
    assert scene is not None, [one.text(False) for one in found]
    out = folder / f"{name}.wav"
    render(scene, seed, out, lambda plan: Ending.after_bars(plan, 1))
    return scene, soundfile.read(out)[0]


def test_a_bank_that_is_there_plays_from_the_first_note(tmp_path, cache):
    instrument = f"{{kind: gansynth, checkpoint: {SMALL}, stand_in: glass_bell}}"
    path = tmp_path / "scene.yaml"
    path.write_text(SCENE.replace("INSTRUMENT", instrument))
    scene, _ = load(path)
    orders, _ = orders_of(scene, 3, str(cache.folder))
    made = cache.keep(orders["tune"].digest, write)
    _, with_bank = rendered(tmp_path, "bank", instrument)
    _, plain = rendered(tmp_path, "plain", str(made))
    assert np.array_equal(with_bank, plain)
    assert np.abs(plain).max() > 0.01


def test_where_no_bank_can_be_made_the_stand_in_plays_from_beginning_to_end(tmp_path, caplog):
    _, stood_in = rendered(tmp_path, "failed", "{kind: gansynth, checkpoint: nowhere, stand_in: glass_bell}")
    _, plain = rendered(tmp_path, "plain", "glass_bell")
    assert np.array_equal(stood_in, plain)
    assert sum("stands in for it" in record.getMessage() for record in caplog.records) == 1
