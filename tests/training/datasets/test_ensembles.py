"""Facts about pieces of a line beside others: which lines there are, and what each of them hears."""

from __future__ import annotations

import numpy as np
import pytest

from engine.score.phrase import NOTE
from engine.training.datasets.contents import _score_of
from engine.training.datasets.filters import Filters
from engine.training.datasets.kinship import duplicates, families
from engine.training.datasets.music.ensembles import BEGUN, DRUMS, LINE, PART, SOUNDING, beside_chords
from engine.training.datasets.music.kinds import take
from engine.training.datasets.pieces import DatasetPiece
from engine.training.datasets.score import Score, ScorePart, UnusableError


def notes(*rows: tuple[float, float, int]) -> np.ndarray:
    return np.array([(start, end, pitch, 90) for start, end, pitch in rows], NOTE)


def bars(count: int, *rows: tuple[float, float, int], first: int = 0) -> np.ndarray:
    """The same bar again and again."""
    again = range(first, first + count)
    return notes(*((4 * bar + start, 4 * bar + end, pitch) for bar in again for start, end, pitch in rows))


BASS = ScorePart((bars(8, (0, 1, 36), (2, 3, 43)),), 33)
KIT = ScorePart((bars(8, (0, 0.25, 36), (1, 1.25, 38), (2, 2.25, 36)),), is_drum=True)
KEYS = ScorePart((bars(8, (0, 2, 60), (0, 2, 64), (0, 2, 67), (2, 4, 59), (2, 4, 62), (2, 4, 67)),), 4)
TUNE = ScorePart((bars(8, *((beat, beat + 1, 60 + 2 * beat) for beat in range(4))),), 73)
CHORDS = tuple((4.0 * bar, name) for bar, name in enumerate(["C", "Am"] * 4))
WRITTEN = Score((TUNE,), ((0.0, 4, 4),), tuple(4.0 * bar for bar in range(8)), chords=CHORDS)


def taken(score: Score, filters: Filters | None = None) -> list[DatasetPiece]:
    return take("ensemble", score, filters or Filters())[0]


def song(*more: ScorePart) -> Score:
    return Score((BASS, KIT, *more), ((0.0, 4, 4),), is_played=True)


def test_a_bass_hears_drums_notes_and_the_chord_of_each_half_bar() -> None:
    (found,) = taken(song(KEYS))
    events = found.events
    assert events.shape == (128, 5)
    assert events[:16:4, LINE].tolist() == [36, -1, 43, -1]
    assert set(events[:, PART].tolist()) == {0}
    assert events[:16:4, DRUMS].tolist() == [1, 2, 1, 0], "kick, snare, kick, nothing"
    c, g = 1 << 0 | 1 << 4 | 1 << 7, 1 << 11 | 1 << 2 | 1 << 7
    assert events[:16:4, SOUNDING].tolist() == [c, c, g, g]
    assert events[:16:4, BEGUN].tolist() == [c, 0, g, 0]
    assert found.chords is not None
    assert found.chords[:16:4].tolist() == ["C", "C", "G", "G"]


def test_what_doubles_a_bass_is_not_heard_nor_is_another_bass_nor_an_effect() -> None:
    doubled = ScorePart((bars(8, (0, 1, 60), (2, 3, 67), (3, 3.5, 71)),), 25)
    other = ScorePart((bars(8, (1, 2, 38)),), 38)
    gun = ScorePart((bars(8, (1, 2, 62)),), 127)
    (alone, *_) = taken(song())
    first, second = taken(song(doubled, other, gun))
    np.testing.assert_array_equal(first.events, alone.events)
    assert second.events[4, LINE] == 38
    assert second.events[0, SOUNDING] == 1 << 0, "what doubles one bass is heard by another"
    assert alone.events[:, SOUNDING].any() == np.False_
    assert set(alone.chords.tolist()) == {""}


def test_a_melody_hears_its_chords_alone() -> None:
    (found,) = taken(WRITTEN)
    assert set(found.events[:, PART].tolist()) == {1}
    assert set(found.events[:, DRUMS:].reshape(-1).tolist()) == {-1}
    assert found.chords is not None
    assert found.chords[::16].tolist() == ["C", "Am"] * 4
    (sheet,) = take("lead_sheet", WRITTEN, Filters())[0]
    np.testing.assert_array_equal(found.events[:, LINE], sheet.events)


def test_a_lead_sheet_with_bass_and_drums_has_both() -> None:
    found = taken(Score((TUNE, BASS, KIT), WRITTEN.meters, WRITTEN.bars, chords=CHORDS))
    assert [piece.events[0, PART] for piece in found] == [1, 0]
    assert len({piece.name for piece in found}) == 2


def test_a_bass_is_cut_where_it_or_the_drums_rest_for_long() -> None:
    rests = ScorePart((np.concatenate([bars(5, (0, 1, 36)), bars(6, (0, 1, 36), first=12)]),), 33)
    kit = ScorePart((bars(18, (0, 0.25, 36)),), is_drum=True)
    assert [len(one.events) // 16 for one in taken(Score((rests, kit), is_played=True))] == [7, 8]
    found, dropped = take("ensemble", Score((rests, kit), is_played=True), Filters(min_bars=8))
    assert [len(one.events) // 16 for one in found] == [8]
    assert dropped == {"shorter than 8 bars": 1}


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        (Score((KEYS, KIT), is_played=True), "no bass, and no melody over chord symbols"),
        (Score((BASS, KEYS), is_played=True), "a bass without drums"),
        (Score((BASS, KIT), ((0.0, 2, 4),), is_played=True), "a bass in another meter than 4/4"),
        (Score((BASS, KIT), ((0.0, 3, 4),), is_played=True), "meter 3/4"),
        (Score((ScorePart((bars(8, (0.12, 1, 36), (1.63, 2, 40)),), 33), KIT), is_played=True), "off the grid"),
        (Score((TUNE,), ((0.0, 4, 4),), (0.0, 9.0), chords=CHORDS), "bars longer than their signature"),
    ],
)
def test_what_cannot_be_taken_says_why(score: Score, reason: str) -> None:
    with pytest.raises(UnusableError, match=reason):
        taken(score)


def test_versions_of_a_song_stay_together_by_the_bass_or_by_what_others_begin() -> None:
    rng = np.random.default_rng(3)
    lines, others = rng.integers(30, 50, (3, 64)), rng.integers(1, 4096, (3, 256))

    def made(line: int, other: int, shift: int = 0) -> DatasetPiece:
        events = np.zeros((256, 5), np.int16)
        events[:, LINE] = -2
        events[::4, LINE] = lines[line] + shift
        rolled = (others[other] << shift | others[other] >> 12 - shift) & 4095
        events[:, DRUMS], events[:, SOUNDING], events[:, BEGUN] = rng.integers(0, 512, 256), rolled, rolled
        return DatasetPiece(f"s{rng.integers(1 << 30)}", "s", "", events)

    pieces = [made(0, 0), made(0, 1, 2), made(1, 1), made(2, 2), made(2, 2, 5)]
    groups = families(pieces)
    assert groups[0] == groups[1] == groups[2] != groups[3] == groups[4]
    assert duplicates(pieces) == {1, 4}, "the same line in another key"


def test_its_contents_are_the_line_and_the_drums() -> None:
    (bass,), (tune,) = taken(song(KEYS)), taken(WRITTEN)
    assert [(part.is_drum, len(part.notes)) for part in _score_of(bass, "ensemble").parts] == [(False, 16), (True, 24)]
    assert [len(part.notes) for part in _score_of(tune, "ensemble").parts] == [32]


def test_a_melody_beside_chords_has_nothing_else_to_hear() -> None:
    assert beside_chords(np.array([60, -2, -1], np.int16)).tolist() == [
        [60, 1] + 3 * [-1],
        [-2, 1] + 3 * [-1],
        [-1, 1] + 3 * [-1],
    ]
