import numpy as np
import pytest

from engine.networks.ensemble.encoding import STARTS
from engine.training.datasets.pieces import DatasetPiece
from tests.proofs.ensemble.hearing import ALL, NOTHING_TOLD, LineTable, Told
from tests.proofs.ensemble.music import Line

STEPS = 128


def a_line(rng: np.random.Generator, line: np.ndarray | None = None) -> Line:
    """A line by chance, or a given one, beside parts by chance."""
    drawn = rng.choice([-2, -2, -2, -1, 36, 40, 43], STEPS).astype(np.int16)
    chords = np.repeat(rng.choice(["C", "Am", "F7", ""], STEPS // 8), 8)
    drums, sounding, begun = rng.integers(0, 512, (3, STEPS)).astype(np.int16)
    return Line(DatasetPiece("", "", "", drawn if line is None else line, chords), drums, sounding, begun)


@pytest.mark.parametrize("changed", [1, 17, 40, 127])
def test_what_is_told_before_a_sixteenth_says_nothing_of_the_line_from_there_on(changed: int) -> None:
    events = a_line(np.random.default_rng(1)).piece.events
    other = events.copy()
    other[changed:] = np.where(other[changed:] == 38, 39, 38)
    one, two = (LineTable(a_line(np.random.default_rng(2), line), 0).heard(0, STEPS) for line in (events, other))
    np.testing.assert_array_equal(one.columns[: changed + 1], two.columns[: changed + 1])
    np.testing.assert_array_equal(one.places[: changed + 1], two.places[: changed + 1])
    assert (one.labels[changed:] != two.labels[changed:]).any()


def test_told_nothing_all_other_parts_are_as_if_they_were_others() -> None:
    events = a_line(np.random.default_rng(1)).piece.events
    tables = [LineTable(a_line(np.random.default_rng(seed), events), 0) for seed in (2, 3)]
    one, two = (table.heard(16, 64, told=NOTHING_TOLD) for table in tables)
    np.testing.assert_array_equal(one.columns, two.columns)
    np.testing.assert_array_equal(one.places, two.places)


@pytest.mark.parametrize("told", [Told(True, False, False), Told(False, True, False), Told(False, False, True), ALL])
def test_what_is_told_is_heard(told: Told) -> None:
    events = a_line(np.random.default_rng(1)).piece.events
    tables = [LineTable(a_line(np.random.default_rng(seed), events), 0) for seed in (2, 3)]
    one, two = (table.heard(0, STEPS, told=told) for table in tables)
    assert (one.columns != two.columns).any()


def test_in_another_key_only_pitches_are_others() -> None:
    table = LineTable(a_line(np.random.default_rng(4)), 1)
    one, two = table.heard(0, STEPS), table.heard(0, STEPS, 3)
    np.testing.assert_array_equal(one.labels[:, 0], two.labels[:, 0])
    begins = table.events >= 0
    np.testing.assert_array_equal(one.labels[begins, 1] + 3, two.labels[begins, 1])
    known = one.places[:, 2] >= 0
    np.testing.assert_array_equal((one.places[known, 2] + 3) % 12, two.places[known, 2])


def test_in_phrases_a_line_is_the_same_and_others_are_but_at_ends_of_phrases() -> None:
    table = LineTable(a_line(np.random.default_rng(5)), 0)
    whole, phrases = table.heard(16, 100), table.in_phrases(16, 100, ALL, 32)
    np.testing.assert_array_equal(whole.labels, phrases.labels)
    own = slice(0, STARTS["drums"])
    np.testing.assert_array_equal(whole.columns[:, own], phrases.columns[:, own])
    others = (whole.columns != phrases.columns).any(axis=1)
    assert others[[0, 30, 32, 62, 99]].tolist() == [False, True, False, True, False]
