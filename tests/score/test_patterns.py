"""Pattern strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.score import drums
from engine.score.notation import NotationError
from engine.score.patterns import is_grid, parse_pattern
from engine.score.phrase import Origin
from engine.score.time import Meter


def rows(text: str, meter: str = "4/4"):
    return [tuple(row) for row in parse_pattern(text, Meter.parse(meter)).phrase().notes.tolist()]


def test_a_cell_of_a_grid_is_a_sixteenth():
    assert rows("bd: x..x") == [(0.0, 0.25, 36, 90), (0.75, 1.0, 36, 90)]


def test_accents_are_louder_and_ghost_notes_softer_than_hits():
    accent, hit, ghost = (row[3] for row in rows("sn: Xxo."))
    assert accent > hit > ghost


def test_lanes_stand_behind_bars_or_on_lines_of_their_own():
    assert rows("bd: x... | sn: ..x.") == rows("bd: x...\nsn: ..x.\n") == rows("| bd: x... | sn: ..x. |")


def test_spaces_and_bar_lines_within_a_lane_only_help_the_eye():
    assert rows("bd: x... x... | x... x...") == rows("bd: x...x...x...x...")


def test_a_short_lane_is_repeated_to_the_length_of_the_longest():
    assert rows("bd: x.......|hh: x.") == rows("bd: x.......|hh: x.x.x.x.")


@pytest.mark.parametrize(("symbol", "name", "pitch"), zip(drums.SYMBOLS, drums.CLASSES, drums.PITCHES, strict=True))
def test_every_drum_has_a_short_and_a_long_name(symbol, name, pitch):
    assert rows(f"{symbol}: x") == rows(f"{name}: x") == [(0.0, 0.25, pitch, 90)]


def test_notes_have_lengths_in_beats():
    assert rows("D4:1 F#4:1/2 Bb3:0.25") == [(0, 1, 62, 90), (1, 1.5, 66, 90), (1.5, 1.75, 58, 90)]


def test_a_note_without_a_length_has_that_of_the_one_before():
    assert [row[1] - row[0] for row in rows("C4 D4:1/2 E4 F4:2 G4")] == [1, 0.5, 0.5, 2, 2]


def test_rests_and_chords_take_time_too():
    phrase = parse_pattern("~:1 [D4 A4 D4]:2 ~:1", Meter()).phrase()
    assert phrase.notes["pitch"].tolist() == [62, 69]
    assert phrase.notes["start"].tolist() == [1, 1]
    assert phrase.length == 4.0
    assert phrase.provenance.origin is Origin.RULES


def test_bar_lines_are_checked_against_the_meter():
    assert rows("C4:3 | C4:3 |", "3/4")
    assert rows("C4:3 | C4:3 |", "6/8")
    with pytest.raises(NotationError, match=r"3 of 4 beats"):
        rows("C4:3 | C4:3")


def test_a_pattern_is_a_grid_if_a_drum_lane_begins_it():
    assert is_grid("bd: x...")
    assert is_grid("  kick:x")
    assert is_grid("bx: x...")
    assert not is_grid("D4:1 E4")
    assert not is_grid("D:1")
    assert not is_grid("~ D4")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("bd: x..y", "y", "no step"),
        ("bx: x...", "bx", "unknown drum `bx`"),
        ("bd: x... | bd: x", "bd", "two lanes"),
        ("bd: x... | sn:", "sn", "is empty"),
        ("bd: x... | sn: x..", "x..", "3 steps, the longest has 4"),
        ("bd: x... | hello", "h", "no step"),
        ("bd: " + "x" * 2000, "b", "too long"),
        ("D4:1 H4:1", "H4", "no note"),
        ("D4:1 D:1", "D", "no note"),
        ("D4:x", "x", "no length"),
        ("D4:0", "0", "no length"),
        ("D4:1/0", "1/0", "no length"),
        ("D4:", ":", "no length"),
        ("D4 1/2", "1/2", "no note"),
        ("D4:1 :2", ":", "without a note"),
        ("D4:1 ]", "]", "without a note"),
        ("[D4 F4", "[", "does not end"),
        ("[]:1", "[]", "no notes"),
        ("[D4 [F4]]", "[", "no place in a chord"),
        ("[D4:1 F4]", ":", "no place in a chord"),
        ("C4:200 C4", "C4", "too long"),
        ("C12", "C12", "no note"),
        ("", "", "is empty"),
        ("| |", "|", "is empty"),
    ],
)
def test_an_error_has_its_place_in_the_string(text, place, words):
    with pytest.raises(NotationError, match=words) as caught:
        rows(text)
    assert text[caught.value.start : caught.value.end] in (place, "")


@given(st.text(alphabet="bdsnhxXo.:|~[]CDEFG#b0123456789/ \n", max_size=60))
def test_any_text_is_a_phrase_or_a_pattern_error_inside_it(text):
    try:
        length, problem = parse_pattern(text, Meter()).length, None
    except NotationError as error:
        length, problem = 0.0, error
    assert length > 0 or (problem is not None and 0 <= problem.start <= len(text) and problem.start < problem.end)
