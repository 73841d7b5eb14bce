"""YAML 1.2 whatever the header says, and every trap that a file can be."""

import math
import tracemalloc

import pytest

from engine.scenes.text.nodes import ListNode, MapNode, resolve
from engine.scenes.text.parsing import parse
from engine.scenes.text.source import LARGEST, MOST_TOLD, SourceFile, UnreadableError
from tests.scenes.writing import errors, only_error


def tree(tmp_path, text: str):
    path = tmp_path / "file.yaml"
    path.write_text(text)
    source = SourceFile.read(path)
    node = parse(source)
    assert source.found == []
    return node


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("012", 12),
        ("0o14", 12),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("2001-01-01", "2001-01-01"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-3", -3),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        (".inf", math.inf),
        ("x...x...", "x...x..."),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(text, value):
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize("header", ["", "%YAML 1.1\n---\n", "%YAML 1.2\n---\n"])
def test_a_header_changes_nothing(tmp_path, header):
    node = tree(tmp_path, header + "a: no\nb: 010\nc: 1:30\nd: [on, 'no', \"1\"]\n")
    assert node.plain() == {"a": "no", "b": 10, "c": "1:30", "d": ["on", "no", "1"]}


def test_every_key_and_value_knows_its_place(tmp_path):
    text = "a: 1\nbc:\n  - x\n  - 'y z'\n"
    node = tree(tmp_path, text)
    assert isinstance(node, MapNode)
    items = node.get("bc")
    assert isinstance(items, ListNode)
    spans = [node.key("a").span, node.key("bc").span, *(item.span for item in items.items), items.span]
    assert [text[span.start : span.end] for span in spans] == ["a", "bc", "x", "'y z'", "- x\n  - 'y z'"]


def test_merged_keys_give_way_to_own_ones_and_first_merges_to_later_ones(tmp_path):
    node = tree(tmp_path, "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {z: 3, <<: [*a, *b]}\n")
    assert node.plain()["c"] == {"z": 3, "x": 1, "y": 1}


def test_a_quoted_merge_key_is_a_key_like_any_other(tmp_path):
    assert tree(tmp_path, '"<<": 1\n').plain() == {"<<": 1}


def test_free_keys_are_not_meant(tmp_path):
    assert tree(tmp_path, "a: 1\nx-a: 2\nx-a: 3\n").plain() == {"a": 1}


BOMB = "x-a: &a [l, l, l, l, l, l, l, l, l]\n" + "".join(
    f"x-{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGE_BOMB = "x-a: &a {" + ", ".join(f"k{k}: 1" for k in range(900)) + "}\n" + "x-b: {<<: [" + "*a, " * 900 + "]}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "is empty"),
        (b"# only a remark\n", "is empty"),
        (b"---\n...\n", "a scene must be a mapping"),
        (b"\xef\xbb\xbf", "is empty"),
        ("perpetuum: 1".encode("utf-16"), "encoded in UTF-16"),
        ("perpetuum: 1".encode("utf-32"), "encoded in UTF-16"),
        (b"title: caf\xe9\n", "not UTF-8"),
        (b"title: a\0b\n", "NUL byte"),
        (b"title: a\x1b[31mb\n", "control character U+001B"),
        (b"a: 1\n---\nb: 2\n", "a second document"),
        (b"- a\n- b\n", "must be a mapping"),
        (b"just text", "must be a mapping"),
        (b"\t- a", "not YAML"),
        (b"a: b: c", "not YAML"),
        (b"a: [1, 2", "not YAML"),
        (b"a: 'x", "not YAML"),
        (b"a: *b", "undefined alias"),
        (b"a: &a [*a]", "inside the value that it repeats"),
        (b"a: &a {<<: *a}", "inside the value that it repeats"),
        (b"? [a]\n: b", "cannot be a key"),
        (b"{a: b}: c", "cannot be a key"),
        (b"%YAML 3.0\n---\na: b", "not YAML"),
        (BOMB.encode(), "aliases written out"),
        (MERGE_BOMB.encode(), "more than"),
        (b"[" * 100_000, "nested"),
        (b"{a: " * 50_000, "nested"),
        (b"- " * 100_000, "nested"),
        (b"\n".join(b" " * k + b"a:" for k in range(600)), "nested"),
        (b"? " * 50_000, "nested"),
        (b"[a, " + b"b, " * 60_000 + b"c]", "more than"),
        (b"a: " + b"x" * (LARGEST + 1), "larger than"),
    ],
)
def test_a_trap_gives_one_clean_error_and_costs_little_memory(tmp_path, text, words):
    tracemalloc.start()
    found = only_error(tmp_path, text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert words in found.message
    assert peak < 100e6


def test_of_thousands_of_errors_the_first_are_told(tmp_path):
    found = errors(tmp_path, "perpetuum: 1\nsections: {a: {bars: 1 bar, parts: [" + "xx, " * 5000 + "]}}\n")
    assert len(found) == MOST_TOLD
    assert any("the rest is left out" in one.message for one in found)
    assert sum(len(one.text()) for one in found) < 200_000


def test_a_message_about_an_endless_value_is_short(tmp_path):
    found = errors(tmp_path, "perpetuum: 1\nkey: " + "D" * 100_000 + "\ntempo: '" + "1 -> " * 1000 + "'\n")
    assert all(len(one.text()) < 3000 for one in found)


def test_of_an_endless_file_one_thing_is_said(tmp_path):
    with (tmp_path / "endless.yaml").open("wb") as file:
        file.truncate(1 << 40)
    source = SourceFile.read(tmp_path / "endless.yaml")
    with pytest.raises(UnreadableError):
        parse(source)
    assert len(source.found) == 1


def test_a_wrong_byte_is_pointed_at(tmp_path):
    found = only_error(tmp_path, b"title: x\nkey: caf\xe9\n")
    assert (found.line, found.column) == (2, 9)
