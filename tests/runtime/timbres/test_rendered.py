"""A render plays a bank from the first note on, or the stand-in from beginning to end: told by its samples."""

import numpy as np
import pytest
import soundfile

from engine.runtime.ending import Ending
from engine.runtime.performance.mind.beginning import at_frame_zero
from engine.runtime.render import render
from engine.runtime.timbres.orders import orders_of
from engine.scenes import load
from engine.timbres.bank_cache import BankCache
from tests.dummies.bank_maker import write
from tests.runtime.performance.resumed import StoppableMind
from tests.timbres.golden import SMALL
from tests.timbres.nsynth.golden import CHECKPOINT as NSYNTH

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


def rendered(folder, name, instrument, seed=3, qpm=200, bars=1):
    path = folder / "plain.yaml"
    path.write_text(SCENE.replace("INSTRUMENT", instrument).replace("200 qpm", f"{qpm} qpm"))
    scene, found = load(path)
    assert scene is not None, [one.text(False) for one in found]
    out = folder / f"{name}.wav"
    render(scene, seed, out, lambda plan: Ending.after_bars(plan, bars))
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


def test_a_timbre_that_turns_does_so_at_section_lines_and_every_render_is_the_same(tmp_path, cache):
    way = "{kind: neural, places: [7, 12], over: 4 bars, steps: 2, stand_in: warm_pad}"
    path = tmp_path / "scene.yaml"
    path.write_text(SCENE.replace("INSTRUMENT", way).replace("200 qpm", "60 qpm"))
    scene, found = load(path)
    assert scene is not None, [one.text(False) for one in found]
    banks = [orders_of(scene, 3, str(cache.folder), bar)[0]["tune"].digest for bar in (0, 2)]
    for number, digest in enumerate(banks):  # as the network would make them, without waiting for it
        cache.keep(digest, lambda folder, number=number: write(folder, 300.0 + 100 * number))
    sounds = []
    for name in ("a", "b"):
        render(scene, 3, tmp_path / f"{name}.wav", lambda plan: Ending.after_bars(plan, 4))
        sounds.append(soundfile.read(tmp_path / f"{name}.wav")[0])
    assert np.array_equal(*sounds)
    bar = 48_000 * 4
    strongest = []
    for number in (1, 3):  # well inside the second and the fourth bar
        part = sounds[0][number * bar : number * bar + bar // 4].mean(axis=1)
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
        strongest.append(np.argmax(spectrum) * 48_000 / len(part))
    # A recording of C4 that sounds at 300 Hz, and one that sounds at 400.
    assert strongest[0] == pytest.approx(300, abs=8)
    assert strongest[1] == pytest.approx(400, abs=8)


def test_a_timbre_turns_in_a_render_that_begins_in_the_midst_of_a_performance(tmp_path, cache):
    way = "{kind: neural, places: [7, 12], over: 4 bars, steps: 2, stand_in: warm_pad}"
    path = tmp_path / "scene.yaml"
    path.write_text(SCENE.replace("INSTRUMENT", way).replace("200 qpm", "60 qpm"))
    scene, _ = load(path)
    for number, bar in enumerate((0, 2)):
        digest = orders_of(scene, 3, str(cache.folder), bar)[0]["tune"].digest
        cache.keep(digest, lambda folder, number=number: write(folder, 300.0 + 100 * number))
    before = StoppableMind(scene, 3, staged=False)
    before.mind.prepare()
    before.until(1)
    out = tmp_path / "fork.wav"
    render(scene, 3, out, lambda plan: Ending.after_bars(plan, 3), begin=at_frame_zero(before.mind.state()))
    sound = soundfile.read(out)[0]
    bar = 48_000 * 4
    last = sound[2 * bar : 2 * bar + bar // 4].mean(axis=1)  # a bar behind the section line, and the crossfade over
    spectrum = np.abs(np.fft.rfft(last * np.hanning(len(last))))
    assert np.argmax(spectrum) * 48_000 / len(last) == pytest.approx(400, abs=8)  # the stand-in's C4 has 262


def recorded(folder):
    """Recordings of two notes, which NSynth hears."""
    time = np.arange(12_000) / 48_000
    for name, hertz, overtone in (("flute_C4", 261.6, 0.05), ("gong_A3", 220.0, 0.4)):
        wave = 0.4 * np.sin(2 * np.pi * hertz * time) + overtone * np.sin(6 * np.pi * hertz * time)
        soundfile.write(folder / f"{name}.wav", wave, 48_000)


MODELS = {
    "nsynth": f"model: {NSYNTH}, places: [flute_C4.wav, gong_A3.wav], seconds: 0.2 s",
    "gansynth": f"model: {SMALL}, places: [7, 12]",
}


@pytest.mark.parametrize(
    "model",
    [
        "nsynth",
        pytest.param("gansynth", marks=[pytest.mark.models, pytest.mark.xdist_group("tensorflow")]),
    ],
)
def test_a_checkpoint_of_the_users_turns_while_a_scene_plays(tmp_path, cache, model, caplog):
    """Small ones of the originals: real banks, made by the real process, judged, and faded into at a section line."""
    recorded(tmp_path)
    way = f"{{kind: neural, {MODELS[model]}, over: 4 bars, steps: 2, leap: 60 dB, lowest: C4, highest: C4, STAND_IN}}"
    path = tmp_path / "scene.yaml"
    way = way.replace("STAND_IN", "stand_in: warm_pad")
    path.write_text(SCENE.replace("INSTRUMENT", way).replace("200 qpm", "90 qpm"))
    scene, found = load(path)
    assert scene is not None, [one.text(False) for one in found]
    render(scene, 3, tmp_path / "turned.wav", lambda plan: Ending.after_bars(plan, 4))
    sound = soundfile.read(tmp_path / "turned.wav")[0]
    banks = [orders_of(scene, 3, str(cache.folder), bar)[0]["tune"].digest for bar in (0, 2)]
    assert sorted(cache) == sorted(banks)
    assert all((cache.folder / digest / "portrait.json").is_file() for digest in banks)
    assert not list(cache.folder.glob("*.unfinished"))
    assert "cannot be made" not in caplog.text
    _, first = rendered(tmp_path, "first", str(cache.find(banks[0])), qpm=90, bars=4)
    line = round(2 * 4 * 60 / 90 * 48_000)
    assert np.abs(first).max() > 0.01
    assert np.array_equal(sound[:line], first[:line])
    assert not np.array_equal(sound[line : line + 48_000], first[line : line + 48_000])
