"""Facts about `kind: neural` of scenes: what is read, what is wrong, and the bank that is made."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from engine.errors import PerpetuumError
from engine.runtime.timbres.orders import orders_of
from engine.scenes import load
from engine.scenes.text.problems import Severity
from engine.sound.instruments.instrument_file import load_instrument
from engine.timbres import models
from engine.timbres.contract import bank_digest
from engine.timbres.neural.kind import NEURAL, NeuralSettings
from engine.timbres.nsynth.bank import seconds_to_make
from engine.timbres.nsynth.layout import WaveNetLayout
from engine.timbres.portrait import Portrait, difference, portray
from tests.scenes.reading.test_timbres import load_with
from tests.scenes.writing import pointed_at
from tests.timbres.golden import SMALL
from tests.timbres.nsynth.golden import CHECKPOINT as NSYNTH


def settings(**given):
    return NeuralSettings.model_validate(given)


def test_a_timbre_is_read_and_recordings_beside_the_scene_are_found(tmp_path):
    soundfile.write(tmp_path / "bell.wav", np.sin(np.arange(48_000) * 0.05), 48_000)
    text = "{kind: neural, places: [7, bell.wav, 7], over: 64 bars, stand_in: warm_pad}"
    scene, found = load_with(tmp_path, text)
    assert [one for one in found if one.severity is not Severity.WARNING] == []
    timbre = scene.parts["pad"].timbre
    assert timbre.settings.places == (7, str((tmp_path / "bell.wav").resolve()), 7)
    assert timbre.settings.over == 64


WRONG = {
    "a place that is none": ("places: [-1], ", "`-1` is no place", "-1"),
    "no way": ("places: [3], at: 40 %, ", "`at` needs a way", "40 %"),
    "no way to go": ("over: 8 bars, ", "`over` needs a way", "8 bars"),
    "standing and going": ("places: [1, 2], at: 0 %, over: 8 bars, ", "`at` stands still", "0 %"),
    "notes that are unknown": ("lowest: C0, ", "there are no such notes", "C0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_at_its_place(tmp_path, case):
    text, message, place = WRONG[case]
    scene, found = load_with(tmp_path, f"{{kind: neural, {text}stand_in: warm_pad}}")
    assert scene is None
    assert place in [pointed_at(one) for one in found if one.severity is Severity.ERROR and message in one.message]


def moving(folder, timbre, move="", day=""):
    path = folder / "scene.yaml"
    lines = ["perpetuum: 1", "title: t", "tempo: 60 qpm", "key: C", "parts:", "  pad:", "    generator: chord_walk"]
    lines += [f"    instrument: {timbre}", "sections:", f"  a: {{bars: 4 bars, parts: [pad]{move}}}", day]
    path.write_text("\n".join(lines) + "\n")
    return load(path)


WAY = "{kind: neural, places: [1, 2, 3], steps: 8, stand_in: warm_pad}"


def test_a_section_and_the_time_of_day_move_the_position_on_a_way(tmp_path):
    move, day = ", move: {pad.instrument.at: 40 %}", "day: {pad.instrument.at: {08:00: 0 %, 20:00: 100 %}}"
    scene, found = moving(tmp_path, WAY, move, day)
    assert scene is not None, [one.text(False) for one in found]
    [one] = scene.sections["a"].moves
    assert (one.part, one.target, one.curve.points) == ("pad", "instrument.at", (0.4,))
    [hours] = scene.day
    assert (hours.target, hours.curve.at(14 * 3600)) == ("instrument.at", 0.5)
    order = orders_of(scene, 3, "/c", moved={"pad": {"at": 0.4}})[0]["pad"]
    assert order.settings.at == 0.375  # one of eight steps


CANNOT_MOVE = {
    "a curve": (WAY, "instrument.at: 0 % -> 40 %", "section lines alone"),
    "one place": ("{kind: neural, places: [1], stand_in: warm_pad}", "instrument.at: 40 %", "does not move"),
    "a way that goes": (
        "{kind: neural, places: [1, 2], over: 8 bars, stand_in: warm_pad}",
        "instrument.at: 40 %",
        "does not move",
    ),
    "another setting": (WAY, "instrument.every: 2", "does not move"),
    "out of reach": (WAY, "instrument.at: 140 %", "at"),
    "an instrument": ("warm_pad", "instrument.at: 40 %", "the same in all sections"),
    "a wrong timbre": ("{kind: neural, places: [-1], stand_in: warm_pad}", "instrument.at: 40 %", "does not move"),
    "no such timbre": ("{kind: neuronal, stand_in: warm_pad}", "instrument.at: 40 %", "none that is known"),
}


@pytest.mark.parametrize("case", CANNOT_MOVE)
def test_what_cannot_move_of_a_timbre_is_said(tmp_path, case):
    timbre, move, words = CANNOT_MOVE[case]
    scene, found = moving(tmp_path, timbre, f", move: {{pad.{move}}}")
    assert scene is None
    assert any(words in one.message for one in found), [one.text(False) for one in found]


GANSYNTH = "{kind: neural, model: MODEL, places: PLACES, over: 8 bars, steps: 4, stand_in: warm_pad}"


def test_a_gansynth_of_the_users_goes_the_same_ways(tmp_path):
    (tmp_path / "mine").symlink_to(SMALL)
    scene, found = load_with(tmp_path, GANSYNTH.replace("MODEL", "mine").replace("PLACES", "[3, 4, 3]"))
    assert scene is not None, [one.text(False) for one in found]
    way = scene.parts["pad"].timbre.settings
    assert way.model == str(SMALL.resolve())
    asked = [NEURAL.moved(way, bar) for bar in (0, 2, 4)]
    digests = {bank_digest("neural", one) for one in asked}
    ours = bank_digest("neural", settings(places=[3]))
    assert len(digests | {ours}) == 4
    made = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(models, "GANSYNTH", replace(models.GANSYNTH, make=lambda asked, folder: made.append(asked)))
        for one in asked:
            NEURAL.make(one, tmp_path / "bank")
    assert [(one.latent, one.to, one.at) for one in made] == [(3, 4, 0.0), (3, 4, 0.5), (4, 3, 0.0)]
    assert {one.checkpoint for one in made} == {str(SMALL.resolve())}


@pytest.mark.parametrize(
    ("model", "places", "words"),
    [(str(SMALL), "[bell.wav, 3]", "hears no recordings"), ("nowhere", "[3, 4]", "no checkpoint of GANSynth")],
)
def test_what_a_gansynth_cannot_do_is_said(tmp_path, model, places, words):
    _, found = load_with(tmp_path, GANSYNTH.replace("MODEL", model).replace("PLACES", places))
    assert any(words in one.message for one in found), [one.text(False) for one in found]


def nsynth(folder, places="[a.wav, b.wav]", more=""):
    for name in ("a.wav", "b.wav"):
        soundfile.write(folder / name, np.sin(np.arange(24_000) * 0.05), 48_000)
    text = f"{{kind: neural, model: {NSYNTH}, places: {places}, at: 50 %, {more}stand_in: warm_pad}}"
    return load_with(folder, text)


@pytest.mark.parametrize("prefix", ["", "/model.ckpt-200000"])
def test_an_nsynth_of_the_users_is_known_by_its_files_and_hears_recordings(tmp_path, prefix):
    (tmp_path / "mine").symlink_to(NSYNTH)
    text = f"{{kind: neural, model: mine{prefix}, places: [a.wav, 3, b.wav], stand_in: warm_pad}}"
    _, found = load_with(tmp_path, text)
    assert any("NSynth draws no sounds, and `3`" in one.message for one in found), [one.text(False) for one in found]
    scene, found = nsynth(tmp_path)
    assert scene is not None, [one.text(False) for one in found]
    assert not [one for one in found if one.severity is Severity.UNAVAILABLE]
    way = scene.parts["pad"].timbre.settings
    shorter = way.model_copy(update={"seconds": 0.5})
    ours = settings(places=way.places, at="50 %")
    assert len({bank_digest("neural", one) for one in (way, shorter, ours)}) == 3


@pytest.mark.parametrize(
    ("takes", "severity", "words"),
    [
        (40.0, None, "takes"),
        (5_000.0, Severity.WARNING, "takes about 83 minutes of one core of a desktop"),
        (40_000.0, Severity.WARNING, "takes about 11.1 hours of one core of a desktop"),
        (50_000.0, Severity.ERROR, "takes 13.9 hours"),
    ],
)
def test_how_long_a_bank_of_nsynth_takes_is_said_and_more_than_a_night_refused(
    tmp_path, monkeypatch, takes, severity, words
):
    monkeypatch.setattr("engine.timbres.nsynth.bank.seconds_to_make", lambda *asked: takes)
    _, found = nsynth(tmp_path)
    assert [one.severity for one in found if words in one.message] == ([severity] if severity else [])


PUBLISHED = WaveNetLayout(30, 512, 256, 30, 128)


def test_the_time_that_is_said_is_that_of_the_table_of_the_published_network():
    assert seconds_to_make(PUBLISHED, 1, 1.0, 0) == pytest.approx(16_000 * 0.0054, rel=0.1)
    assert seconds_to_make(PUBLISHED, 8, 1.0, 0) == pytest.approx(16_000 * 0.0124, rel=0.2)
    assert seconds_to_make(PUBLISHED, 64, 1.0, 0) == pytest.approx(16_000 * 0.084, rel=0.15)
    assert 14 * 60 < seconds_to_make(PUBLISHED, 17, 2.0, 2) < 17 * 60
    assert seconds_to_make(PUBLISHED, 8, 1.0, 2) - seconds_to_make(PUBLISHED, 8, 1.0, 0) == pytest.approx(10.6, rel=0.1)


def test_seconds_are_those_of_a_note_of_nsynth_alone(tmp_path):
    for text in ("places: [3]", f"model: {SMALL}, places: [3]"):
        _, found = load_with(tmp_path, f"{{kind: neural, {text}, seconds: 1 s, stand_in: warm_pad}}")
        assert any("leave `seconds` out" in one.hint for one in found if one.hint)


def test_a_pipe_in_place_of_a_recording_or_a_checkpoint_is_none(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for text in ("places: [pipe]", "model: pipe, places: [3]", f"model: {NSYNTH}, places: [pipe]"):
        scene, found = load_with(tmp_path, f"{{kind: neural, {text}, stand_in: warm_pad}}")
        assert scene is not None
        assert [one for one in found if one.severity is Severity.UNAVAILABLE]
        assert orders_of(scene, 3, "/c")[1]["pad"].reason


def test_a_recording_that_is_not_there_is_said_and_the_stand_in_plays(tmp_path):
    scene, found = load_with(tmp_path, "{kind: neural, places: [7, gone.wav], at: 50 %, stand_in: warm_pad}")
    assert scene is not None
    [missing] = [one for one in found if one.severity is Severity.UNAVAILABLE]
    assert "gone.wav" in missing.message
    assert "`warm_pad` plays this part" in missing.hint


def test_the_seed_of_the_performance_draws_a_place_where_none_is_named():
    assert NEURAL.drawn(settings(), 5).places == (5,)
    assert NEURAL.drawn(settings(places=[3]), 5).places == (3,)


@pytest.mark.parametrize(
    ("given", "leap"),
    [({}, 30.0), ({"over": "8 bars"}, None), ({"leap": "5 dB"}, 5.0), ({"over": "8 bars", "leap": "5 dB"}, 5.0)],
)
def test_a_way_that_is_gone_leaps_no_farther_than_its_places_are_apart_and_hands_may(given, leap):
    asked = NEURAL.moved(NEURAL.drawn(settings(places=[1, 2], **given), 5), 2)
    assert NEURAL.leap(asked) == leap


def test_a_way_is_where_it_is_at_a_bar_and_a_place_stands_still():
    way = settings(places=[1, 2, 1], over="8 bars", steps=4)
    assert [NEURAL.moved(way, bar).at for bar in (0, 2, 4, 6, 8)] == [0.0, 0.25, 0.5, 0.75, 0.0]
    still = settings(places=[1, 2], at="30 %")
    assert NEURAL.moved(still, 99) == still
    assert bank_digest("neural", NEURAL.moved(way, 2)) == bank_digest("neural", NEURAL.moved(way, 10))


def test_another_recording_is_another_bank(tmp_path):
    path = tmp_path / "a.wav"
    digests = set()
    for data in (b"one", b"another"):
        path.write_bytes(data)
        digests.add(bank_digest("neural", settings(places=[str(path)])))
    assert len(digests) == 2
    path.unlink()
    with pytest.raises(PerpetuumError, match=r"a\.wav"):
        bank_digest("neural", settings(places=[str(path)]))


def test_the_same_sound_is_one_bank_wherever_it_lies_and_however_the_way_goes_there(tmp_path):
    names = []
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder}.wav").write_bytes(b"a bell")
        names.append(str(tmp_path / folder / f"{folder}.wav"))
    here, there = names
    wanted = bank_digest("neural", settings(places=[here, 7], at="50 %"))
    for same in (
        settings(places=[there, 7], at="50 %"),
        settings(places=[1, there, 7], at="75 %"),
        NEURAL.moved(settings(places=[there, 7, there], over="8 bars", steps=4), 2),
        NEURAL.moved(settings(places=[there, 7, there], over="8 bars", steps=40), 2),
    ):
        assert bank_digest("neural", same) == wanted
    ends = [settings(places=[3, here], at="100 %"), settings(places=[there, 3], at="0 %"), settings(places=[here])]
    assert len({bank_digest("neural", one) for one in ends}) == 1
    others = [settings(places=[7, here], at="50 %"), settings(places=[here, 7], at="51 %"), ends[0]]
    others += [settings(places=[here, 7], at="50 %", every=4)]
    assert len({wanted, *(bank_digest("neural", one) for one in others)}) == 5


def test_a_bank_between_two_places_knows_how_far_they_are_from_each_other_and_one_of_a_place_nothing(tmp_path):
    found = {}
    for at in ("0 %", "40 %", "100 %"):
        bank = tmp_path / at[:-2]
        NEURAL.make(settings(places=[7, 12], at=at, lowest="C4", highest="C4"), bank)
        assert (bank / "portrait.json").exists() == (at == "40 %")
        if at != "40 %":  # the cache does it
            portray(bank / "instrument.yaml")
        found[at] = json.loads((bank / "portrait.json").read_text())
    first, last = (Portrait(0.0, found[at]["bands"]) for at in ("0 %", "100 %"))
    assert found["0 %"]["reach"] == found["100 %"]["reach"] == 0.0
    assert found["40 %"]["reach"] == pytest.approx(difference(first, last), abs=0.5) == pytest.approx(10.3, abs=0.5)


def test_a_bank_is_an_instrument_and_the_same_settings_make_the_same_files(tmp_path):
    wanted = settings(places=[7, 12], at="40 %", lowest="C4", highest="C5", every=12)
    for name in ("a", "b"):
        NEURAL.make(wanted, tmp_path / name)
    files = [{one.name: one.read_bytes() for one in (tmp_path / name).iterdir()} for name in ("a", "b")]
    assert files[0] == files[1]
    assert load_instrument(tmp_path / "a" / "instrument.yaml")
    assert "40 % of the way place 7 to place 12" in files[0]["instrument.yaml"].decode()
