"""The JSON Schema for editors says what `check` says."""

import json
from pathlib import Path

import jsonschema
import pytest

import engine.scenes
from engine import assets
from engine.generators.contract import GENERATORS, TRANSFORMS
from engine.scenes.schema.json_schema import scene_schema
from engine.scenes.text.parsing import parse
from engine.scenes.text.source import SourceFile
from tests.scenes.writing import RIGHT, spoiled

SCHEMA = scene_schema()
KINDS = [
    *(("generator", kind) for kind in GENERATORS.kinds().values()),
    *(("transform", kind) for kind in TRANSFORMS.kinds().values()),
]


def faults(tmp_path, text: str) -> list[list[object]]:
    """Places of the schema's errors."""
    path = tmp_path / "scene.yaml"
    path.write_text(text)
    return [
        list(error.path)
        for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(parse(SourceFile.read(path)).plain())
    ]


def test_the_schema_in_the_repository_is_current():
    """If this fails: perpetuum schema -o engine/scenes/scene.schema.json."""
    written = Path(engine.scenes.__file__).with_name("scene.schema.json").read_text("utf-8")
    assert json.loads(written) == SCHEMA


def test_the_schema_is_draft_7():
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_it_uses_nothing_that_draft_7_does_not_know():
    text = json.dumps(SCHEMA)
    assert not [word for word in ('"$defs"', '"prefixItems"', '"discriminator"', "Infinity", "NaN") if word in text]


@pytest.mark.parametrize(("what", "kind"), KINDS, ids=[kind.name for _, kind in KINDS])
def test_every_setting_of_every_kind_is_described(what, kind):
    settings = SCHEMA["definitions"][f"{what}_{kind.name}"]["properties"]
    own = {name for name in settings if name not in ("kind", "chords", "rhythm", "primer", "leader")}
    assert own == set(kind.settings.model_fields)
    assert all(settings[name]["description"] for name in own)


def test_a_right_scene_fits(tmp_path):
    assert faults(tmp_path, RIGHT) == []


@pytest.mark.parametrize("path", assets.names("scenes").values(), ids=str)
def test_every_shipped_scene_fits_and_names_the_schema(tmp_path, path):
    text = path.read_text("utf-8")
    assert faults(tmp_path, text) == []
    assert text.splitlines()[0].startswith("# yaml-language-server: $schema=")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("title: A", "titel: A", []),
        ("tempo: 84..92 qpm", "tempo: 90", ["tempo"]),
        ("generator: chord_walk", "generator: chord_wolk", ["parts", "pad", "generator"]),
        ("style: straight", "style: strait", ["parts", "drums", "generator"]),
        ("style: straight", "stile: straight", ["parts", "drums", "generator"]),
        ("level: -14 dB", "level: -14", ["parts", "pad", "level"]),
        ("level: -14 dB", "levle: -14 dB", ["parts", "pad"]),
        ("- thin: 30 %", "- thin: 30", ["parts", "tune", "transforms", 1]),
        ("- thin: 30 %", "- thyn: 30 %", ["parts", "tune", "transforms", 1]),
        ("bars: 8 bars", "bars: 8", ["sections", "bloom", "bars"]),
        ("parts: [pad, tune]", "parts: []", ["sections", "drift", "parts"]),
        ("time: 4 s", "time: 4", ["mix", "reverb", "time"]),
    ],
)
def test_what_check_refuses_the_schema_refuses_too(tmp_path, old, new, place):
    assert place in faults(tmp_path, spoiled((old, new)))
