"""`perpetuum check`, and the verbs that list and describe."""

import json
import os
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from engine import assets
from engine.cli import cli
from engine.generators.contract import GENERATORS, TRANSFORMS
from engine.scenes.text.headings import heading
from engine.scenes.text.parsing import parse
from engine.scenes.text.source import SourceFile
from tests.scenes.writing import RIGHT, spoiled
from tests.test_files import strange


@pytest.fixture
def files(tmp_path):
    (tmp_path / "right.yaml").write_text(RIGHT)
    (tmp_path / "wrong.yaml").write_text(spoiled(("seed: 7", "sede: 7"), ("style: straight", "style: strait")))
    (tmp_path / "other.yaml").write_text(spoiled(("- thin: 30 %", "- thin: 30")))
    return tmp_path


def run(*arguments: object):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_a_valid_file_exits_with_0(files):
    result = run("check", files / "right.yaml")
    assert (result.exit_code, result.stdout) == (0, f"{files / 'right.yaml'}: valid\n")


def test_all_errors_of_all_files_are_told_and_the_exit_is_1(files):
    result = run("check", files / "wrong.yaml", files / "right.yaml", files / "other.yaml")
    assert result.exit_code == 1
    assert f"{files / 'wrong.yaml'}:3:1: error: unknown key `sede`" in result.stdout
    assert f"{files / 'wrong.yaml'}:17:42: error: `style`" in result.stdout
    assert f"{files / 'other.yaml'}:28:15: error: `share`: `30` has no unit" in result.stdout
    assert "did you mean `seed`?" in result.stdout
    assert result.stdout.endswith("3 errors in 2 of 3 files\n")


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"a: \xff", b"[" * 9999, b"a: &a [*a]"])
def test_files_that_are_no_text_or_traps_exit_with_1(tmp_path, text):
    (tmp_path / "trap.yaml").write_bytes(text)
    result = run("check", tmp_path / "trap.yaml")
    assert result.exit_code == 1
    assert result.stdout.count("error:") == 1


def test_a_missing_file_exits_with_2_and_the_others_are_still_checked(files):
    result = run("check", files / "none.yaml", files, files / "wrong.yaml")
    assert result.exit_code == 2
    assert "none.yaml" in result.stderr
    assert "it is a folder" in result.stderr
    assert "sede" in result.stdout


def test_a_missing_file_that_is_named_twice_is_told_once(files):
    result = run("check", files / "none.yaml", files / "right.yaml", files / "none.yaml", files / "gone.yaml")
    assert [result.stderr.count(name) for name in ("none.yaml", "gone.yaml")] == [1, 1]


@pytest.mark.parametrize("arguments", [["check"], ["check", "--form", "x"], ["chek"]])
def test_a_wrong_command_line_exits_with_2(arguments):
    assert run(*arguments).exit_code == 2


def test_json_says_the_same(files):
    result = run("check", files / "wrong.yaml", files / "right.yaml", "--format", "json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["valid"] is False
    assert [file["valid"] for file in report["files"]] == [False, True]
    first = report["files"][0]["diagnostics"][0]
    assert (first["line"], first["column"], first["end_column"]) == (3, 1, 5)
    assert (first["severity"], first["suggestion"]) == ("error", "seed")
    assert first["snippet"] == "    3 | sede: 7\n      | ^^^^"


def test_a_network_without_weights_is_an_error_of_check(files):
    network = "{kind: music_vae, config: nade-drums_2bar_full}\n    role: drums"
    text = RIGHT.replace("{kind: drum_rules, style: straight}", network)
    (files / "network.yaml").write_text(text)
    result = run("check", files / "network.yaml")
    assert result.exit_code == 1
    assert "there are no shipped weights for `nade-drums_2bar_full` of `music_vae`" in result.stdout
    assert "name a file with `weights:`" in result.stdout
    assert "`drum_rules` plays this part" in result.stdout


def test_a_network_needs_no_extra(files, monkeypatch):
    """A player without TensorFlow still has networks."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (files / "network.yaml").write_text(RIGHT.replace("kind: drum_rules, style: straight", "kind: drums_rnn"))
    assert run("check", files / "network.yaml").exit_code == 0


def test_an_instrument_file_can_be_checked_too(files):
    (files / "string.yaml").write_text("perpetuum: 1\nkind: pluck\ntitle: A string\ngain: 3\n")
    result = run("check", files / "string.yaml")
    assert result.exit_code == 1
    assert "string.yaml:4:7: error: `gain`: `3` has no unit" in result.stdout


def test_output_is_plain_where_nobody_looks_and_survives_any_encoding(files):
    (files / "wide.yaml").write_text(RIGHT.replace("A small scene", "夜\nsede: ü"))
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "engine", "check", str(files / "wide.yaml")]
    result = subprocess.run(command, capture_output=True, env=environment)
    assert result.returncode == 1
    assert b"\x1b" not in result.stdout
    assert b"Traceback" not in result.stderr


def test_generators_and_transforms_are_listed_a_line_each():
    lines = run("generators").stdout.splitlines()
    names = [*GENERATORS.names(), *TRANSFORMS.names()]
    assert [line.split()[0] for line in lines] == names


@pytest.mark.parametrize(
    ("verb", "group", "noun"),
    [
        ("generators", "generators", "generator"),
        ("generators", "transforms", "transform"),
        ("instruments", "instruments", "kind of instrument"),
        ("outputs", "outputs", "output"),
    ],
)
def test_plug_ins_that_do_not_load_are_named_with_the_reason(verb, group, noun, tmp_path, monkeypatch):
    about = tmp_path / "odd-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[perpetuum.{group}]\ngone = nosuch_module:KIND\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "engine", verb, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0
    assert json.loads(done.stdout)
    assert f"the {noun} 'gone' is not listed: the plug-in nosuch_module:KIND for the {noun} 'gone'" in done.stderr
    assert "No module named 'nosuch_module'" in done.stderr


@pytest.mark.parametrize("verb", ["generators", "instruments", "scenes"])
def test_every_list_is_there_as_json_too(verb):
    lines = run(verb).stdout.splitlines()
    rows = json.loads(run(verb, "--format", "json").stdout)
    assert [row["name"] for row in rows] == [
        line.split()[0] if line[0] != " " else "" for line in lines
    ]  # a kind of timbre has no name


def test_a_broken_scene_is_still_listed(files, monkeypatch):
    (files / "scenes").mkdir()
    (files / "scenes" / "broken.yaml").write_bytes(b"\xff")
    monkeypatch.setenv("PERPETUUM_PATH", str(files))
    assert "broken" in run("scenes").stdout


@pytest.mark.parametrize("verb", ["scenes", "instruments"])
def test_what_is_no_file_is_not_listed_and_nothing_is_waited_for(tmp_path, monkeypatch, verb):
    folder = tmp_path / verb
    folder.mkdir()
    strange(folder)
    for path in list(folder.iterdir()):
        path.rename(path.with_name(path.name + ".yaml"))
    (folder / "loop.yaml").unlink()
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / "binary.yaml").write_bytes(bytes(range(256)) * 9)
    with (folder / "huge.yaml").open("wb") as file:
        file.truncate(1 << 40)
    (folder / "mine.yaml").write_text('title: "a\\e[31mred\\e[0m title"\n')
    (tmp_path / "more").symlink_to("more")
    monkeypatch.setenv("PERPETUUM_PATH", f"{tmp_path}:{tmp_path / 'more'}:{folder / 'mine.yaml'}:/proc/1/root")
    result = run(verb)
    listed = [line.split()[0] for line in result.stdout.splitlines() if line[0] != " "]
    assert set(listed) - set(assets.names(verb)) == set()
    assert {"binary", "huge", "mine"} <= set(listed)
    assert not {"fifo", "folder", "loop", "nowhere", "socket"} & set(listed)
    assert "red" in result.stdout
    assert "\x1b" not in result.stdout
    assert json.loads(run(verb, "--format", "json").stdout)


def test_the_title_of_a_list_is_the_one_that_the_whole_file_gives(tmp_path):
    for text in (
        "title: plain\nkey: x\n",
        "title:\n  folded\n  over lines # and a remark\nparts: {}\n",
        "title: |\n  a block\n\n  of text\n# a remark\nparts:\n  title: another\n",
        "{title: flow, parts: {title: another}}\n",
        "'title': quoted\n",
        "x-t: &t by an alias\ntitle: *t\n",
        "x-t: &t {title: merged}\n<<: *t\n",
        "--- # a document\ntitle: in it\n",
        "parts: {}\ntitle: at the end",
        "x: 'over\n title: lines'\ntitle: real\n",
        "titled: no\nparts: {title: no}\n",
    ):
        path = tmp_path / "one.yaml"
        path.write_text(text)
        whole = parse(SourceFile.read(path)).get("title")
        assert heading(path, ("title",))["title"] == (" ".join(whole.text.split()) if whole else ""), text


def test_a_thousand_scenes_are_listed_in_three_seconds(tmp_path, monkeypatch):
    (tmp_path / "scenes").mkdir()
    for number in range(1000):
        (tmp_path / "scenes" / f"scene{number}.yaml").write_text(RIGHT)
    monkeypatch.setenv("PERPETUUM_PATH", str(tmp_path))
    start = time.process_time()
    assert run("scenes").stdout.count("A small scene") == 1000
    assert time.process_time() - start < 3


def test_the_schema_is_printed_or_written(tmp_path):
    printed = json.loads(run("schema").stdout)
    assert run("schema", "-o", tmp_path / "schema.json").exit_code == 0
    assert json.loads((tmp_path / "schema.json").read_text()) == printed


@pytest.mark.parametrize("verb", ["check", "schema", "scenes", "generators", "instruments"])
def test_every_help_text_has_examples(verb):
    assert f"perpetuum {verb}" in run(verb, "--help").stdout.partition("Examples:")[2]
