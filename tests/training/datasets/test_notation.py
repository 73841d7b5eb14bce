"""Facts about reading MusicXML, and the cases of ABC that once went wrong."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from engine.score.harmony.chords import parse_chord
from engine.training.datasets.formats import musicxml as reader
from engine.training.datasets.formats.abc import read_abc, split_tunes
from engine.training.datasets.formats.musicxml import read_musicxml
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


TRANSPOSITIONS = {
    "-2 semitones, 1 step": ("<diatonic>-1</diatonic><chromatic>-2</chromatic>", -2),
    "-2 semitones": ("<chromatic>-2</chromatic>", -2),
    "-9 semitones": ("<chromatic>-9</chromatic>", -9),
    "-14 semitones": ("<chromatic>-14</chromatic>", -14),
    "3 semitones": ("<chromatic>3</chromatic>", 3),
    "an octave": ("<chromatic>0</chromatic><octave-change>1</octave-change>", 12),
    "an octave down, with steps": (
        "<diatonic>0</diatonic><chromatic>0</chromatic><octave-change>-1</octave-change>",
        -12,
    ),
    "an octave and a tone": ("<diatonic>-1</diatonic><chromatic>-2</chromatic><octave-change>-1</octave-change>", -14),
    "an octave and a sixth": ("<chromatic>-9</chromatic><octave-change>-1</octave-change>", -21),
}


@pytest.mark.parametrize("name", TRANSPOSITIONS)
def test_a_transposition_needs_no_diatonic_steps(name):
    said, semitones = TRANSPOSITIONS[name]
    start = START.replace("</attributes>", f"<transpose>{said}</transpose></attributes>")
    score = read_musicxml(musicxml([start + "".join(note(step, 5, 2) for step in "CDEF")]))
    assert score.parts[0].notes["pitch"].tolist() == [pitch + semitones for pitch in (72, 74, 76, 77)]


CUE = "<cue/>"
CUES = {
    "alone": (note("C", 4, 2) + note("G", 5, 2, CUE) + note("D", 4, 4), [(0.0, 60), (2.0, 62)], 1),
    "a chord": (
        note("C", 4, 2) + note("G", 5, 2, CUE) + note("B", 5, 2, CUE + "<chord/>") + note("D", 4, 4),
        [(0.0, 60), (2.0, 62)],
        2,
    ),
    "of a chord its first": (
        note("G", 5, 2, CUE) + note("E", 4, 2, "<chord/>") + note("G", 4, 2, "<chord/>"),
        [(0.0, 64), (0.0, 67)],
        1,
    ),
    "of a chord its second": (
        note("E", 4, 2) + note("G", 5, 2, CUE + "<chord/>") + note("F", 4, 2),
        [(0.0, 64), (1.0, 65)],
        1,
    ),
    "a grace note": (
        note("C", 4, 2) + GRACE.replace("<grace/>", "<grace/><cue/>") + note("D", 4, 2),
        [(0.0, 60), (1.0, 62)],
        1,
    ),
    "in another voice": (
        note("C", 4, 8)
        + "<backup><duration>8</duration></backup>"
        + note("G", 5, 8, CUE).replace("<voice>1", "<voice>2"),
        [(0.0, 60)],
        1,
    ),
}


@pytest.mark.parametrize("name", CUES)
def test_cue_notes_are_left_out_and_what_follows_keeps_its_time(name):
    music, right, count = CUES[name]
    score = read_musicxml(musicxml([START + music]))
    assert [(start, pitch) for start, _, pitch, _ in score.parts[0].notes.tolist()] == right
    assert [(each.what, each.count) for each in score.left_out] == [
        ("a cue note, which another instrument plays", count)
    ]


def test_a_score_that_is_written_bar_by_bar_is_read_like_one_part_by_part():
    bars = (START + note("C", 4, 8), note("D", 4, 8))
    body = "".join(
        f'<measure number="{k}"><part id="P1">{bar}</part><part id="P2">{bar}</part></measure>'
        for k, bar in enumerate(bars, 1)
    )
    parts = "".join(f'<score-part id="P{k}"><part-name>{k}</part-name></score-part>' for k in (1, 2))
    score = read_musicxml(
        f'<score-timewise version="4.0"><part-list>{parts}</part-list>{body}</score-timewise>'.encode()
    )
    assert [part.notes[["start", "pitch"]].tolist() for part in score.parts] == [[(0.0, 60), (4.0, 62)]] * 2


def test_a_bar_lasts_in_all_parts_as_long_as_in_the_fullest():
    full = [START + note("C", 4, 8), note("D", 4, 8), note("E", 4, 8)]
    short = [full[0], note("D", 4, 2) + "<backup><duration>1</duration></backup>", full[2]]
    parts = "".join(
        f'<part id="P{number}">{"".join(f"<measure>{bar}</measure>" for bar in bars)}</part>'
        for number, bars in enumerate((full, short), 1)
    )
    named = "".join(f'<score-part id="P{k}"><part-name>{k}</part-name></score-part>' for k in (1, 2))
    score = read_musicxml(f"<score-partwise><part-list>{named}</part-list>{parts}</score-partwise>".encode())
    assert [part.notes["start"].tolist() for part in score.parts] == [[0.0, 4.0, 8.0]] * 2


def test_staves_that_are_transposed_differently_are_refused_and_doublings_said():
    def with_transposes(said):
        return musicxml([START.replace("</attributes>", f"<staves>2</staves>{said}</attributes>") + note("C", 5, 8)])

    staff = '<transpose number="{}"><chromatic>{}</chromatic></transpose>'.format
    for said in (staff(1, -2), staff(1, -2) + staff(2, 0)):
        with pytest.raises(UnusableError, match="staves of one part that are transposed differently"):
            read_musicxml(with_transposes(said))
    assert read_musicxml(with_transposes(staff(1, -2) + staff(2, -2))).parts[0].notes["pitch"].tolist() == [70]
    doubled = read_musicxml(with_transposes("<transpose><chromatic>0</chromatic><double/></transpose>"))
    assert [(each.what, each.count) for each in doubled.left_out] == [("a doubling an octave away", 1)]


def tied(step, duration, ties, chord=False):
    said = "".join(f'<tie type="{each}"/>' for each in ties.split())
    written = note(step, 4, duration, "<chord/>" * chord)
    return written.replace("<voice>", f"{said}<voice>")


TIES = {
    "a note": ([tied("C", 4, "start") + tied("C", 4, "stop")], [(0.0, 4.0, 60)]),
    "over bars": (
        [tied("C", 8, "start"), tied("C", 8, "stop start"), tied("C", 4, "stop") + note("C", 4, 4)],
        [(0.0, 10.0, 60), (10.0, 12.0, 60)],
    ),
    "one note of a chord into a note": (
        [tied("C", 4, "start") + tied("E", 4, "", True) + tied("C", 4, "stop")],
        [(0.0, 2.0, 64), (0.0, 4.0, 60)],
    ),
    "a note into a chord": (
        [tied("C", 4, "start") + tied("C", 4, "stop") + tied("E", 4, "", True)],
        [(0.0, 4.0, 60), (2.0, 4.0, 64)],
    ),
    "one note of two chords": (
        [tied("C", 4, "start") + tied("E", 4, "", True) + tied("C", 4, "stop") + tied("F", 4, "", True)],
        [(0.0, 2.0, 64), (0.0, 4.0, 60), (2.0, 4.0, 65)],
    ),
    "chords that end one after the other": (
        [
            tied("C", 8, "start") + tied("E", 8, "start", True),
            tied("C", 4, "stop") + tied("E", 4, "stop start", True) + tied("E", 4, "stop"),
        ],
        [(0.0, 6.0, 60), (0.0, 8.0, 64)],
    ),
    "that nothing ends": ([tied("C", 4, "start") + note("C", 4, 4)], [(0.0, 2.0, 60), (2.0, 4.0, 60)]),
    "that nothing begins": ([note("C", 4, 4) + tied("C", 4, "stop")], [(0.0, 2.0, 60), (2.0, 4.0, 60)]),
    "under another voice": (
        [
            tied("C", 4, "start")
            + tied("C", 4, "stop")
            + "<backup><duration>8</duration></backup>"
            + note("E", 4, 2).replace("<voice>1", "<voice>2")
            + note("C", 4, 2).replace("<voice>1", "<voice>2")
        ],
        [(0.0, 1.0, 64), (0.0, 4.0, 60), (1.0, 2.0, 60)],
    ),
    "over a rest": (
        [tied("C", 2, "start") + "<note><rest/><duration>2</duration></note>" + tied("C", 4, "stop")],
        [(0.0, 1.0, 60), (2.0, 4.0, 60)],
    ),
}


@pytest.mark.parametrize("name", TIES)
def test_ties_join_pitch_by_pitch(name):
    bars, right = TIES[name]
    score = read_musicxml(musicxml([START + bars[0], *bars[1:]]))
    assert sorted((start, end, pitch) for start, end, pitch, _ in score.parts[0].notes.tolist()) == right


def test_a_drawn_accidental_does_not_alter_what_sounds():
    drawn = note("A", 4, 2).replace("</note>", "<accidental>sharp</accidental></note>")
    altered = note("A", 4, 2).replace("<step>A</step>", "<step>A</step><alter>1</alter>")
    score = read_musicxml(musicxml([START + drawn + altered + note("A", 4, 4)]))
    assert score.parts[0].notes["pitch"].tolist() == [69, 70, 69]


def test_a_note_without_a_staff_is_there_once():
    two = START.replace("</key>", "</key><staves>2</staves>")
    back = "<backup><duration>8</duration></backup>"
    low = note("E", 3, 8).replace("<voice>1</voice>", "<voice>2</voice>")
    high = note("A", 4, 8).replace("</note>", "<staff>1</staff></note>")
    on_second = note("C", 3, 8).replace("<voice>1</voice>", "<voice>3</voice><staff>2</staff>")
    score = read_musicxml(musicxml([two + high + back + low + back + on_second]))
    assert sorted(int(pitch) for part in score.parts for pitch in part.notes["pitch"]) == [48, 52, 69]


def packed(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            # A date of its own: a name without one takes the clock's, and the bytes differ from second to second.
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
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
    ids=["empty", "HTML", "cut short", "no notes", "no archive", "no score in the archive"],
)
def test_what_is_no_score_says_why(data, reason):
    with pytest.raises(UnusableError, match=f"^{reason}$"):
        read_musicxml(data)


def test_a_small_file_that_unpacks_to_a_huge_one_is_not_read(monkeypatch):
    monkeypatch.setattr(reader, "LARGEST", 1 << 20)
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
