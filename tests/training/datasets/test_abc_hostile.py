"""Facts about ABC that is broken, or made to do harm: it is read or refused, in little time and memory."""

from __future__ import annotations

import random
import re
import time
import tracemalloc

import pytest

from engine.training.datasets.formats.abc import read_abc, split_tunes
from engine.training.datasets.score import UnusableError
from tests.training.datasets.test_abc import KEYS, MUSIC, VOICES

SIGNS = """
|: :| :: [1 [2,3 |] (3 (3:2: (9:0:9 { } [ ] ( ) ! + " & (& - < >>> ^ __ = ' , / // 0 C0 C/0 99999999999999999999 Z99999
z/65536 \\ % %% é 😀 [K: [M:2/ [V:9] [r: y99 $ ` * +CE+ +C
"""
LINES = """
X: V: V:* M:0/4 M:4/0 M:999999/1 L:0 L:1/0 Q:0 Q:1/0=9 Q:1e999 K:H K:C_octave=99999 K:C_transpose=x m:C=CC m:n=nnnn m:=
+: s:"C" %%begintext I:propagate-accidentals %%MIDI_program_999 %%MIDI_transpose_99
"""
FRAGMENTS = [
    *(music for music, _ in (*MUSIC.values(), *VOICES.values())),
    *(f"K:{key}\n" for key in KEYS),
    *SIGNS.split(),
    *("\n" + line.replace("_", " ") for line in LINES.split()),
    *("\n", "\n\n", "\r", "\t", "\0", "\x7f", "\ufeff"),
]


def fuzzed(seed: int) -> bytes:
    """A tune put together at random, or a good one with some of its bytes changed."""
    draw = random.Random(seed)
    text = "X:1\nM:4/4\nL:1/4\nK:C\n" if draw.random() < 0.8 else "X:1\n"
    text += "".join(draw.choice(FRAGMENTS) + draw.choice(("", " ", "\n")) for _ in range(draw.randrange(1, 12)))
    data = bytearray(text.encode())
    for _ in range(draw.choice((0, 0, 1, 3, 20))):
        place = draw.randrange(len(data))
        if place > 3:
            data[place : place + draw.randrange(3)] = draw.randbytes(draw.randrange(3))
    return bytes(data)


def outcome(tune: bytes) -> str:
    """How many notes are read, or why it is refused; whatever else is raised is a failure."""
    try:
        score = read_abc(tune)
    except UnusableError as error:
        said, place = str(error), error.place
    else:
        notes = score.notes(is_drum=False)
        assert ((notes["pitch"] >= 0) & (notes["pitch"] <= 127) & (notes["end"] > notes["start"])).all()
        said, place = f"{len(notes)} notes", ""
    assert said
    assert re.fullmatch(r"(\d+:\d+)?", place)
    return said


def read(data: bytes) -> list[str]:
    """What becomes of the tunes of a file."""
    try:
        tunes = split_tunes(data)
    except UnusableError as error:
        return [str(error)]
    return [outcome(tune) for _, tune in tunes]


def test_five_thousand_broken_tunes_are_read_or_refused():
    begun, slowest = time.process_time(), 0.0
    for seed in range(5000):
        before = time.process_time()
        read(fuzzed(seed))
        slowest = max(slowest, time.process_time() - before)
    assert slowest < 3
    assert time.process_time() - begun < 40


LONG = {
    name: f"X:1\nL:1/4\nK:C\n{music}\n"
    for name, music in {
        "chords that never end": "[" * 40_000,
        "texts that never end": '"' + "C" * 40_000,
        "slurs": "(" * 40_000,
        "tuplets": "(3" * 10_000,
        "tuplets with numbers": "(3:2:" * 10_000,
        "grace notes that never end": "{C" * 20_000,
        "old chords that never end": "+" + "C11/22" * 6_000,
        "plus signs": "+" * 20_000,
        "signs of decorations": "!" * 20_000,
        "names of decorations": "!a" * 10_000,
        "fields that never end": "C[r:" * 10_000,
        "broken rhythms": "C" + ">" * 40_000,
        "many broken rhythms": "C>>>" * 6_000,
        "overlays": "C&" * 10_000,
        "bar lines": "|" * 40_000,
        "colons": ":" * 40_000,
        "digits": "C" + "1" * 40_000,
        "slashes": "C" + "/" * 40_000,
        "accidentals": "^" * 40_000,
        "octaves": "C" + "," * 40_000,
        "spaces": " " * 100_000 + "C",
        "lines": "C\n" * 20_000,
        "fields on lines": "N:\n" * 20_000 + "C",
        "fields that go on": "N:a\n" + "+:b\n" * 12_000 + "C",
        "directives behind a field": "N:a\n" + "%%x\n" * 12_000 + "C",
        "voices": "".join(f"V:{k}\nC\n" for k in range(2_000)),
        "macros": "".join(f"m:~{k}=C\n" for k in range(100)) + "~1C\n" * 2_000,
        "macros that grow": "m:~n=" + "n" * 1_000 + "\n" + "~C" * 2_000,
        "a rest of many bars": "Z999999",
        "a chord of many notes": "[" + "C" * 20_000 + "]",
        "ties": "C-" * 10_000,
        "keys": "[K:G]" * 6_000 + "C",
        "lengths without a common measure": "".join(f"C/{k}" for k in range(1, 2_000)),
    }.items()
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_line_takes_little_time(name):
    before = time.process_time()
    assert read(LONG[name].encode())
    assert time.process_time() - before < 4


def test_many_notes_take_little_memory():
    data = ("X:1\nL:1/4\nK:C\n" + "C\n" * 4_000).encode()
    tracemalloc.start()
    read(data)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 16 << 20
