"""Timbres in scenes: what is right is played, what is wrong is said at its place, what is missing says what to get."""

import json
import os
import subprocess
import sys

import pytest

from engine.form.digest import scene_digest
from engine.form.scene import Timbre
from engine.scenes.schema.json_schema import scene_schema
from engine.scenes.text.problems import Severity
from tests.scenes.writing import load_text, pointed_at
from tests.timbres.golden import SMALL

SCENE = """\
perpetuum: 1
title: t
tempo: 90 qpm
key: C
parts:
  pad:
    generator: chord_walk
    instrument: INSTRUMENT
sections:
  a: {bars: 4 bars, parts: [pad]}
"""
RIGHT = f"{{kind: gansynth, checkpoint: {SMALL}, latent: 7, to: 9, at: 40 %, every: 12, stand_in: warm_pad}}"


def load_with(tmp_path, instrument):
    return load_text(tmp_path, SCENE.replace("INSTRUMENT", instrument))


def test_a_timbre_is_read_with_its_stand_in(tmp_path):
    scene, found = load_with(tmp_path, RIGHT)
    assert [one for one in found if one.severity is not Severity.WARNING] == []
    part = scene.parts["pad"]
    assert isinstance(part.timbre, Timbre)
    assert (part.timbre.kind, part.timbre.settings.at, part.timbre.settings.every) == ("gansynth", 0.4, 12)
    assert part.timbre.settings.checkpoint == str(SMALL)
    assert part.sound.instrument == part.sound.stand_in
    assert part.sound.stand_in.endswith("warm_pad.yaml")


def test_a_folder_beside_the_scene_is_found(tmp_path):
    (tmp_path / "mine").symlink_to(SMALL)
    scene, _ = load_with(tmp_path, "{kind: gansynth, checkpoint: mine, stand_in: warm_pad}")
    assert scene.parts["pad"].timbre.settings.checkpoint == str(SMALL.resolve())


def test_scenes_of_other_timbres_are_told_apart(tmp_path):
    digests = {
        scene_digest(load_with(tmp_path, text)[0])
        for text in (
            RIGHT,
            RIGHT.replace("latent: 7", "latent: 8"),
            "warm_pad",
            RIGHT.replace("warm_pad", "glass_bell"),
        )
    }
    assert len(digests) == 4


WRONG = {
    "no kind": ("{checkpoint: x, stand_in: warm_pad}", "has no `kind`", "instrument"),
    "unknown kind": ("{kind: gansinth, stand_in: warm_pad}", "unknown kind of timbre `gansinth`", "gansinth"),
    "no stand-in": ("{kind: gansynth, checkpoint: x}", "has no `stand_in`", "gansynth"),
    "empty stand-in": ("{kind: gansynth, checkpoint: x, stand_in: }", "`stand_in` is empty", "stand_in"),
    "unknown stand-in": ("{kind: gansynth, checkpoint: x, stand_in: warm_pat}", "no instrument `warm_pat`", "warm_pat"),
    "no checkpoint": ("{kind: gansynth, stand_in: warm_pad}", "has no `checkpoint`", "gansynth"),
    "unknown key": (RIGHT.replace("latent", "latend"), "unknown key `latend`", "latend"),
    "a latent that is none": (RIGHT.replace("7", "-7"), "`latent`: `-7` is out of range", "-7"),
    "at without to": (RIGHT.replace("to: 9, ", ""), "`at` stands between `latent` and `to`", "40 %"),
    "notes that are unknown": (RIGHT.replace("every: 12", "lowest: C0"), "there are no such notes", "C0"),
    "upside down": (RIGHT.replace("every: 12", "lowest: C5, highest: C3"), "there are no such notes", "C3"),
    "a list": ("[gansynth]", "`instrument`", "instrument"),
    "a number": ("7", "`instrument`", "7"),
    "nothing": ("", "`instrument` is empty", "instrument"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_at_its_place(tmp_path, case):
    text, message, place = WRONG[case]
    scene, found = load_with(tmp_path, text)
    assert scene is None
    [wrong] = [one for one in found if one.severity is Severity.ERROR and message in one.message]
    assert pointed_at(wrong) == place


def test_a_kit_cannot_be_a_timbre(tmp_path):
    text = SCENE.replace("chord_walk", "drum_rules").replace("INSTRUMENT", RIGHT)
    scene, found = load_text(tmp_path, text)
    assert scene is None
    assert any("plays pitches, no drums" in one.message for one in found)


MISSING = {
    "nowhere": lambda folder: None,
    "a file": lambda folder: folder.write_bytes(b"PK\x03\x04 the zip, not unpacked"),
    "a pipe": lambda folder: os.mkfifo(folder),
    "an empty folder": lambda folder: folder.mkdir(),
    "no weights": lambda folder: (folder / "stage_00012").mkdir(parents=True),
    "a stage of noise": lambda folder: (
        (folder / "stage_00012").mkdir(parents=True),
        (folder / "stage_00012" / "model.ckpt-1.index").write_bytes(os.urandom(5_000)),
        (folder / "stage_00012" / "model.ckpt-1.data-00000-of-00001").write_bytes(os.urandom(5_000)),
    ),
    "another network": lambda folder: (
        (folder / "stage_00012").mkdir(parents=True),
        (folder / "experiment.json").write_text('{"data_type": "waves"}'),
    ),
    "a loop of links": lambda folder: folder.symlink_to(folder),
}


@pytest.mark.parametrize("case", MISSING)
def test_without_the_checkpoint_the_scene_plays_and_is_told_what_to_get(tmp_path, case):
    MISSING[case](tmp_path / "acoustic_only")
    text = "{kind: gansynth, checkpoint: acoustic_only, stand_in: warm_pad}"
    scene, found = load_with(tmp_path, text)
    assert scene is not None
    [missing] = [one for one in found if one.severity is Severity.UNAVAILABLE]
    assert pointed_at(missing) == "acoustic_only"
    assert "`warm_pad` plays this part" in missing.hint
    if case == "nowhere":
        assert "acoustic_only.zip" in missing.hint


def test_editors_offer_the_settings_of_a_timbre():
    instrument = scene_schema()["definitions"]["part"]["properties"]["instrument"]
    name, timbre = instrument["anyOf"]
    assert "warm_pad" in name["examples"]
    assert timbre["properties"]["kind"]["enum"] == ["gansynth", "neural"]
    settings = scene_schema()["definitions"]["timbre_gansynth"]
    assert {"checkpoint", "stand_in"} <= set(settings["required"])
    assert "warm_pad" in settings["properties"]["stand_in"]["examples"]
    assert "latent" in settings["properties"]


def test_no_heavy_package_is_imported_to_check_a_timbre(tmp_path):
    path = tmp_path / "scene.yaml"
    path.write_text(SCENE.replace("INSTRUMENT", RIGHT))
    program = (
        "import json, sys; from pathlib import Path; from engine.scenes import load;"
        "load(Path(sys.argv[1])); print(json.dumps([n for n in ('tensorflow', 'pyo', 'ray') if n in sys.modules]))"
    )
    told = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert json.loads(told.stdout) == []
