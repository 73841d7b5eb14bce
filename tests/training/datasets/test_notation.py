"""Facts about reading MusicXML and ABC."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from engine.score.chords import parse_chord
from engine.training.datasets import notation
from engine.training.datasets.abc import read_abc, split_tunes
from engine.training.datasets.notation import read_musicxml
from engine.training.datasets.score import UnusableError
from tests.training.datasets.writing import read

ABC = """X:1
T:First
M:4/4
L:1/4
K:G
D|"G"G A B c|"Bb7"d2 z2|"F#m7b5"d c B A|"Eb/G"G4|"Am"G A B c|d2 z2|d c B A|G3|]

X:2
T:Second
M:3/4
L:1/4
K:C
C D E|F G A|]
"""


def note(step, octave, duration, extra=""):
    return (
        f"<note>{extra}<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
        f"<duration>{duration}</duration><voice>1</voice></note>"
    )


def harmony(step, alter, kind, text=""):
    return (
        f"<harmony><root><root-step>{step}</root-step><root-alter>{alter}</root-alter></root>"
        f'<kind text="{text}">{kind}</kind></harmony>'
    )


def musicxml(measures):
    body = "".join(f'<measure number="{k}">{measure}</measure>' for k, measure in enumerate(measures, 1))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<score-partwise version="3.1"><part-list><score-part id="P1"><part-name>Voice</part-name></score-part></part-list>
<part id="P1">{body}</part></score-partwise>""".encode()


def test_chords_are_read_as_the_nottingham_database_spells_them():
    chords = ("G", "D/f+", "f#", "Gm/b-", "Bb/D", "E-7", "^slowly", "Am/c")
    bars = "".join(f'"{chord}"G A B c|' for chord in chords)
    score = read_abc(f"X: 1\nM:4/4\nL:1/4\nK:G\n{bars}]\n".encode())
    assert {beat: parse_chord(figure) for beat, figure in score.chords} == {
        4.0 * k: parse_chord(name)
        for k, name in enumerate(("G", "D/F#", "", "Gm/Bb", "Bb/D", "Eb7", "", "Am/C"))
        if name
    }


START = (
    "<attributes><divisions>2</divisions><key><fifths>-2</fifths></key>"
    "<time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
)
GRACE = "<note><grace/><pitch><step>A</step><octave>4</octave></pitch></note>"
MEASURES = [
    START + harmony("B", -1, "major") + "".join(note(step, 4, 2) for step in "CDEF"),
    harmony("E", -1, "dominant") + note("G", 4, 6) + GRACE + note("A", 4, 2),
    harmony("A", 0, "minor-seventh") + note("C", 5, 8),
    "".join(note(step, 4, 2) for step in "CDEF"),
    "".join(note(step, 4, 2) for step in "CDEF"),
]  # fmt: skip


def test_a_book_of_abc_is_a_piece_for_each_tune_and_chords_are_read_right(tmp_path):
    (tmp_path / "book.abc").write_text(ABC)
    ((piece,), reasons) = read("lead_sheet", tmp_path)
    assert (piece.name, reasons) == ("book/1#0.0.0", {"meter 3/4": 1})
    assert piece.events[12:33:4].tolist() == [62, 67, 69, 71, 72, 74]
    assert piece.chords is not None
    found = [parse_chord(str(piece.chords[16 * bar])) for bar in (1, 2, 3, 4, 5)]
    assert found == [parse_chord(name) for name in ("G", "Bb7", "F#m7b5", "Eb/G", "Am")]


def test_musicxml_has_notes_bars_meter_key_and_harmony_without_grace_notes():
    score = read_musicxml(musicxml(MEASURES))
    assert score.parts[0].notes["pitch"].tolist() == [60, 62, 64, 65, 67, 69, 72, *[60, 62, 64, 65] * 2]
    assert score.bars == (0.0, 4.0, 8.0, 12.0, 16.0)
    assert (score.meters, score.keys) == (((0.0, 4, 4),), ((0.0, -2),))
    assert [(beat, parse_chord(figure)) for beat, figure in score.chords] == [
        (0.0, parse_chord("Bb")), (4.0, parse_chord("Eb7")), (8.0, parse_chord("Am7")),
    ]  # fmt: skip
    assert not score.is_played


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "iso-8859-1"])
def test_musicxml_is_read_in_the_encoding_that_it_says(encoding):
    text = (
        musicxml(MEASURES)
        .decode()
        .replace("UTF-8", encoding)
        .replace("Voice", "Chœur" if encoding != "iso-8859-1" else "Flûte")
    )
    assert len(read_musicxml(text.encode(encoding)).parts[0].notes) == 15


def test_transposing_instruments_are_read_as_they_sound():
    clarinet = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose></attributes>"
    score = read_musicxml(musicxml([MEASURES[0].replace("</attributes>", clarinet), *MEASURES[1:]]))
    assert score.parts[0].notes["pitch"][:4].tolist() == [58, 60, 62, 63]
    assert parse_chord(score.chords[0][1]) == parse_chord("Ab")


def packed(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def test_packed_musicxml_is_what_its_container_names():
    container = '<container><rootfiles><rootfile full-path="in/song.xml"/></rootfiles></container>'
    data = packed({"META-INF/container.xml": container, "other.xml": "<x/>", "in/song.xml": musicxml(MEASURES)})
    assert len(read_musicxml(data).parts[0].notes) == 15
    assert len(read_musicxml(packed({"song.musicxml": musicxml(MEASURES)})).parts[0].notes) == 15


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"<html></html>", "not MusicXML"),
        (musicxml(MEASURES)[:600], "broken MusicXML"),
        (musicxml([START]), "no notes"),
        (b"PK\x03\x04 nothing", "broken .mxl file"),
        (packed({"readme.txt": "x"}), "no score in the .mxl file"),
    ],
)
def test_what_is_no_score_says_why(data, reason):
    with pytest.raises(UnusableError, match=f"^{reason}$"):
        read_musicxml(data)


def test_a_small_file_that_unpacks_to_a_huge_one_is_not_read(monkeypatch):
    monkeypatch.setattr(notation, "LARGEST", 1 << 20)
    with pytest.raises(UnusableError, match="larger than 1 MB"):
        read_musicxml(packed({"bomb.xml": b"<score-partwise>" + b" " * (8 << 20)}))


def test_bytes_that_are_no_text_are_no_abc():
    with pytest.raises(UnusableError, match="not text"):
        read_abc(b"X:1\nK:C\n\x00\xff nothing here")


CASES = Path(__file__).parent / "abc"
"""Small tunes of ABC, written for this project, with their right values; repeats are not written out."""
EXPECTED = json.loads((CASES / "expected.json").read_text())


@pytest.mark.parametrize("name", EXPECTED)
def test_a_tune_of_abc_is_read_as_the_standard_says(name):
    ((_, tune),) = split_tunes((CASES / name).read_bytes())
    notes = [note for part in read_abc(tune).parts for note in part.notes.tolist()]
    assert [pitch for _, _, pitch, _ in notes] == EXPECTED[name]["pitches"]
    if EXPECTED[name]["beats"] is not None:
        assert [end - start for start, end, _, _ in notes] == pytest.approx(EXPECTED[name]["beats"], abs=1e-5)
