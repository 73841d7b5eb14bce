"""Which kind a file is, what editors say of installations, and hostile files."""

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest

import engine.installation
from engine import assets
from engine.installation.loading import check_file
from engine.installation.reading.schema import installation_schema, settings_reference
from engine.scenes.text.parsing import parse
from engine.scenes.text.problems import Severity
from engine.scenes.text.source import SourceFile
from tests.installation.making import HEAD, SCENES, SHARED
from tests.installation.test_reading import WRONG
from tests.scenes.writing import RIGHT

DOCS = Path(__file__).parents[2] / "docs"


# Which kind of file it is.


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (RIGHT, "scene", None),
        (HEAD + SCENES, "installation", None),
        ((assets.shipped("instruments") / "warm_pad.yaml").read_text("utf-8"), "instrument", None),
        (HEAD + "hours: {monday: closed}\n", "installation", "has no `scenes`"),
        (
            HEAD + "scenes: {still_water: {}}\nparts: {}\n",
            "scene",
            "this could be a scene (`parts`) or an installation",
        ),
        (HEAD, "scene", "the scene has no"),
        ("- perpetuum: 1\n", "scene", "must be a mapping"),
    ],
)
def test_what_a_file_holds_says_what_it_is(tmp_path, text, kind, message):
    path = tmp_path / "some.yaml"
    path.write_text(text)
    checked = check_file(path, SHARED)
    assert checked.kind == kind
    told = [one.message for one in checked.diagnostics if one.severity is Severity.ERROR]
    assert told == [] if message is None else message in " ".join(told)


# The schema, and the pages that are made from it.


def test_the_schema_in_the_repository_is_current():
    """If this fails: perpetuum schema --installation -o engine/installation/installation.schema.json."""
    written = Path(engine.installation.__file__).with_name("installation.schema.json").read_text("utf-8")
    assert json.loads(written) == installation_schema()


def test_the_table_of_settings_is_current():
    """If this fails: perpetuum schema --installation --settings -o docs/installation-settings.md."""
    assert (DOCS / "installation-settings.md").read_text("utf-8") == settings_reference()


def test_the_schema_is_draft_7_and_describes_every_setting():
    schema = installation_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    text = json.dumps(schema)
    assert not [word for word in ('"$defs"', '"prefixItems"', "Infinity", "NaN") if word in text]
    described = [*schema["properties"].values()]
    for definition in schema["definitions"].values():
        described += definition.get("properties", {}).values()
    assert all(one["description"] for one in described)


# What the shape of a value cannot say: that a date exists, that names are known, what belongs together.
BEYOND_THE_SCHEMA = re.compile(
    r"no day `2026|overlaps|reaches into|is in `|begins when|days in common|ends before|has a year|3026|time zone|"
    r"no scene|range|only follow|two clocks|needs a|`keep`|no time of day|not for|no path|no folder|twice|no numeric|"
    r"nothing says how|and no `switch|is no command|names no output|from other machines|stands for a whole day|`25:00`|"
    r"` already|cannot write"
)


@pytest.mark.parametrize("text", [text for text, _, message, _ in WRONG if not BEYOND_THE_SCHEMA.search(message)])
def test_editors_say_that_it_is_wrong_too(tmp_path, text):
    path = tmp_path / "here.yaml"
    path.write_text(HEAD + SCENES + text)
    tree = parse(SourceFile.read(path)).plain()
    assert list(jsonschema.Draft7Validator(installation_schema()).iter_errors(tree))


# Hostile files.


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"b{n}: &b{n} [*{'a' if n == 0 else f'b{n - 1}'}, *a]\n" for n in range(40)),
        "scenes: " + "{a: " * 60 + "}" * 60,
        "scenes: {" + ", ".join(f"s{n}: {{file: still_water}}" for n in range(500)) + "}\n",
        "exceptions: {"
        + ", ".join(f"2026-{1 + n % 12:02d}-{1 + n // 12:02d}: closed" for n in range(300))
        + "}\n"
        + "x: " * 9,
        "followers: [" + "wav:a/, " * 9000 + "]\n",
        "title: " + "x" * 300_000,
        "scenes: {a: {file: " + "../" * 2000 + "etc/passwd}}\n",
        'scenes: {a: {file: "a\\0b"}}\n',
        'time_zone: "\\0"\n',
        'state: "/\\0"\n',
        "state: " + "x/" * 5000 + "\n",
        "\0",
        "\xff\xfe",
        "scenes: !!python/object/apply:os.system ['true']\n",
        "hours: {every_day: " + "[" * 30 + "]" * 30 + "}\n",
        "seed: " + "9" * 60 + "\n",
        "loudness: {target: {" + ", ".join(f"{n // 60:02d}:{n % 60:02d}: -20 LUFS" for n in range(1440)) + "}}\n",
    ],
    ids=range(17),
)
def test_a_hostile_file_is_answered_at_once_and_in_sentences(read, text):
    head = "perpetuum: 1\n" if text.startswith("title") else HEAD
    found, diagnostics = read(text, head)
    assert found is None
    assert 0 < len(diagnostics) <= 400
    assert all(len(one.message) <= 400 for one in diagnostics)


def test_a_pipe_a_device_or_a_folder_is_no_scene_and_no_installation(read, tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    for name in ("pipe.yaml", "folder.yaml", "loop.yaml", "/dev/zero"):
        found, diagnostics = read("", HEAD + f"scenes: {{a: {{file: {name}}}}}\n")
        assert found is None
        assert "there is no scene" in diagnostics[0].message
