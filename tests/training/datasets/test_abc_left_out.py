"""Facts about what ABC holds and its score does not: all of it is said, with file, line and column."""

from __future__ import annotations

import json

import pytest

from engine.training.datasets import open_dataset
from engine.training.datasets.formats.abc import read_abc, split_tunes
from engine.training.datasets.score import UnusableError
from tests.cli.networks.test_dataset import run
from tests.training.datasets.test_abc import first

BEHIND = "after an empty line, which ends a tune"
NO_NOTE = "a note of no length, or out of range"
SHORT = "an overlay that is not as long as its bar, left as it is"
LEAVING = {
    "music behind an empty line": ("C D|\n\nE F|\nG\n", [(f"a line of music {BEHIND}", 2, "7:1")]),
    "music without bar lines behind an empty line": ("C\n\nE F G\n", [(f"a line of music {BEHIND}", 1, "7:1")]),
    "text between tunes": ("C\n\nPlayed by Anna.\n", [(f"a line of text {BEHIND}", 1, "7:1")]),
    "signs that mean nothing": (
        "C D#E\nF ¿ G ¿\n",
        [("'\\xbf', which means nothing", 2, "6:3"), ("'#', which means nothing", 1, "5:4")],
    ),
    "a text that is no chord": ('C "slowly"D E "Am"F\n', [("a text that is no chord symbol", 1, "5:3")]),
    "a note that MIDI has not": ("C c''''''''''D\n", [(NO_NOTE, 1, "5:3")]),
    "a note of no length": ("C D0 E\n", [(NO_NOTE, 1, "5:3")]),
    "an overlay that is too short": ("C2 D2&E2|\n", [(SHORT, 1, "5:6")]),
    "a voice of drums": ("V:1\nC\nV:2 clef=perc\nC\n", [("a voice in a drum clef", 1, "7:1")]),
    "a file that is included": ("C D\n%%abc-include other.abc\nE\n", [("a file that is included", 1, "6:1")]),
    "rests of bars in free meter": (
        "M:none\nC Z D\n",
        [("a rest of whole bars in free meter, taken as bars of 4/4", 1, "6:3")],
    ),
    "words in a key": ("C [K:G strange]D\n", [("a word in K: that is not understood ('strange')", 1, "5:3")]),
    "behind a macro": ("m: ~C2 = C D\n~C2 ¿\n", [("'\\xbf', which means nothing", 1, "6:5")]),
}


@pytest.mark.parametrize("name", LEAVING)
def test_what_is_left_out_is_said_with_its_place(name):
    music, right = LEAVING[name]
    score = read_abc(first(f"X:1\nM:4/4\nL:1/4\nK:C\n{music}".encode()))
    assert sorted((each.what, each.count, each.place) for each in score.left_out) == sorted(right)


def test_what_stands_before_the_first_tune_is_said():
    (_, tune), (_, second) = split_tunes(b"My tunes\nT:lost\nK:C\nCDE|\n\nX:1\nK:C\nC\n\nX:2\nK:C\nC\n")
    before = "before the first tune (a tune begins with X:)"
    assert [(each.what, each.count, each.place) for each in read_abc(tune).left_out] == [
        (f"a line of text {before}", 1, "1:1"),
        (f"a line of fields or directives {before}", 2, "2:1"),
        (f"a line of music {before}", 1, "4:1"),
    ]
    assert read_abc(second).left_out == ()


REFUSED = {
    "/": ("a length without a note", "5:3"),
    "[CE": ("a chord without its ]", "5:3"),
    '"C': ("a text without its closing quote", "5:3"),
    "{CE": ("grace notes without their }", "5:3"),
    "(&": ("a voice overlay over several bars", "5:3"),
    "C/0": ("a length that is not understood", "5:3"),
    "(1C": ("a tuplet that is not understood", "5:3"),
    "^": ("an accidental without a note", "5:3"),
    "7": ("a number without a note", "5:3"),
    "[M:x]": ("meter (M:) is not understood", "5:3"),
    "\n%%begintext\nC": ("%%begintext without its %%endtext", "6:1"),
    "\nL:1/0": ("unit note length (L:) is not understood", "6:1"),
    "\nK:C octave=high": ("octave= is not a number", "6:1"),
}


@pytest.mark.parametrize("music", REFUSED)
def test_a_tune_that_would_be_read_wrongly_is_refused_with_the_place(music):
    with pytest.raises(UnusableError) as refused:
        read_abc(first(f"X:1\nM:4/4\nL:1/4\nK:C\nC {music}\n".encode()))
    assert (str(refused.value), refused.value.place) == REFUSED[music]


BOOK = """X:1
T:One
M:4/4
L:1/4
K:C
"C"C D E F|"slowly"G A B c|C D E F|G A B c|
C D E F|G A B c|C D E F|G A B c|

C D E F|

X:2
K:C
C D|[CE
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tunes")
    (folder / "book.abc").write_text(BOOK)
    return folder


LEFT_OUT = [
    {"what": "a text that is no chord symbol", "count": 1, "place": "6:12", "file": "book.abc"},
    {"what": f"a line of music {BEHIND}", "count": 1, "place": "9:1", "file": "book.abc"},
    {"what": "a whole piece: a chord without its ]", "count": 1, "place": "13:5", "file": "book.abc"},
]


@pytest.mark.parametrize("again", [False, True])
def test_building_says_where_something_was_left_out_also_from_its_cache(book, tmp_path_factory, again):
    folder = tmp_path_factory.getbasetemp() / "left_out"
    out, status = run("build", book, "--for", "attention_rnn", "-o", folder, "--jobs", 1, "--min-bars", 2)
    assert status == 0, out
    (file,) = json.loads((folder / "manifest.json").read_text())["files"]
    assert file["left_out"] == LEFT_OUT
    for each in LEFT_OUT:
        assert f"{each['count']} left out: {each['what']}; the first at book.abc:{each['place']}" in out
    said = f"3 times something in the files could not be read ({LEFT_OUT[0]['what']}, book.abc:{LEFT_OUT[0]['place']})"
    assert said in open_dataset([folder], "attention_rnn").describe()
    out, _ = run("stats", folder, "--format", "json")
    assert json.loads(out)["left_out"] == LEFT_OUT


def test_stats_say_where_something_was_left_out(book):
    out, status = run("stats", book, "--format", "json", "--jobs", 1)
    assert (status, json.loads(out)["left_out"]) == (0, LEFT_OUT)
    out, _ = run("stats", book / "book.abc", "--jobs", 1)
    for each in LEFT_OUT:
        assert f"{each['count']} left out: {each['what']}; the first at book.abc:{each['place']}" in out


def test_where_nothing_can_be_used_the_place_is_told(tmp_path):
    (tmp_path / "book.abc").write_text(BOOK[BOOK.index("X:2") :])
    out, status = run("build", tmp_path, "--for", "attention_rnn", "-o", tmp_path / "set", "--jobs", 1)
    assert status == 2
    assert "1 time a chord without its ], book.abc:3:5" in out


def test_one_process_and_two_build_the_same_bytes_of_abc(tmp_path):
    for k in range(6):
        (tmp_path / "in" / f"book{k}.abc").parent.mkdir(exist_ok=True)
        (tmp_path / "in" / f"book{k}.abc").write_text(BOOK.replace("C D E F|G", f"C D E F|{'CDEFGA'[k]}"))
    for jobs in (1, 2):
        out, status = run(
            "build", tmp_path / "in", "--for", "attention_rnn", "-o", tmp_path / f"{jobs}", "--jobs", jobs
        )
        assert status == 0, out
    for name in ("pieces.npz", "manifest.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_names_of_files_bring_no_control_characters_to_a_terminal(tmp_path):
    (tmp_path / "book\x1b[2J.abc").write_text(BOOK)
    out, status = run("stats", tmp_path, "--jobs", 1)
    assert status == 0
    assert ".abc:6:12" in out
    assert "\x1b" not in out
