"""What the ensemble network is told of lines, and what it is judged by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.networks import build_network
from engine.networks.ensemble.configs import ENSEMBLE, ensemble_shapes
from engine.networks.ensemble.encoding import BASS, BEGINS, MELODY, PITCHES, STARTS
from engine.training.datasets.pieces import DatasetPiece
from engine.training.lines import (
    ALL,
    NOTHING_TOLD,
    STRETCH,
    LineTable,
    ToldParts,
    judge_each,
    judge_stretches,
    together,
)

STEPS = 128


def a_line(rng: np.random.Generator, line: np.ndarray | None = None, part: int = BASS) -> DatasetPiece:
    """A line by chance, or a given one, beside parts by chance."""
    drawn = rng.choice([-2, -2, -2, -1, 36, 40, 43], STEPS).astype(np.int16)
    chords = np.repeat(rng.choice(["C", "Am", "F7", ""], STEPS // 8), 8)
    drums, sounding, begun = rng.integers(0, 512, (3, STEPS)).astype(np.int16)
    columns = (drawn if line is None else line, np.full(STEPS, part), drums, sounding, begun)
    return DatasetPiece("", "", "", np.stack(columns, axis=1).astype(np.int16), chords)


@pytest.mark.parametrize("changed", [1, 17, 40, 127])
def test_what_is_told_before_a_sixteenth_says_nothing_of_the_line_from_there_on(changed: int) -> None:
    events = a_line(np.random.default_rng(1)).events[:, 0]
    other = events.copy()
    other[changed:] = np.where(other[changed:] == 38, 39, 38)
    one, two = (LineTable(a_line(np.random.default_rng(2), line)).heard(0, STEPS) for line in (events, other))
    np.testing.assert_array_equal(one.columns[: changed + 1], two.columns[: changed + 1])
    np.testing.assert_array_equal(one.places[: changed + 1], two.places[: changed + 1])
    assert (one.labels[changed:] != two.labels[changed:]).any()


def test_told_nothing_all_other_parts_are_as_if_they_were_others() -> None:
    events = a_line(np.random.default_rng(1)).events[:, 0]
    tables = [LineTable(a_line(np.random.default_rng(seed), events)) for seed in (2, 3)]
    one, two = (table.heard(16, 64, told=NOTHING_TOLD) for table in tables)
    np.testing.assert_array_equal(one.columns, two.columns)
    np.testing.assert_array_equal(one.places, two.places)


@pytest.mark.parametrize(
    "told", [ToldParts(True, False, False), ToldParts(False, True, False), ToldParts(False, False, True), ALL]
)
def test_what_is_told_is_heard(told: ToldParts) -> None:
    events = a_line(np.random.default_rng(1)).events[:, 0]
    tables = [LineTable(a_line(np.random.default_rng(seed), events)) for seed in (2, 3)]
    one, two = (table.heard(0, STEPS, told=told) for table in tables)
    assert (one.columns != two.columns).any()


def test_in_another_key_only_pitches_are_others() -> None:
    table = LineTable(a_line(np.random.default_rng(4), part=MELODY))
    one, two = table.heard(0, STEPS), table.heard(0, STEPS, 3)
    np.testing.assert_array_equal(one.labels[:, 0], two.labels[:, 0])
    begins = table.events >= 0
    np.testing.assert_array_equal(one.labels[begins, 1] + 3, two.labels[begins, 1])
    known = one.places[:, 2] >= 0
    np.testing.assert_array_equal((one.places[known, 2] + 3) % 12, two.places[known, 2])


def test_in_phrases_a_line_is_the_same_and_others_are_but_at_ends_of_phrases() -> None:
    table = LineTable(a_line(np.random.default_rng(5)))
    whole, phrases = table.heard(16, 100), table.in_phrases(16, 100, ALL, 32)
    np.testing.assert_array_equal(whole.labels, phrases.labels)
    own = slice(0, STARTS["drums"])
    np.testing.assert_array_equal(whole.columns[:, own], phrases.columns[:, own])
    others = (whole.columns != phrases.columns).any(axis=1)
    assert others[[0, 30, 32, 62, 99]].tolist() == [False, True, False, True, False]


def test_who_knows_nothing_loses_the_logarithms_of_what_there_is_to_choose() -> None:
    """Three things may happen on each sixteenth, and where a note begins it is one of all pitches."""
    weights = {name: np.zeros(shape, np.float32) for name, shape in ensemble_shapes(8, 8).items()}
    table = LineTable(a_line(np.random.default_rng(6)))
    (found,) = judge_each(build_network(ENSEMBLE, weights), [table], ALL)
    begins = float((table.events >= 0).mean())
    assert found.sixteenths == STEPS
    assert found.rhythm == pytest.approx(np.log(3))
    assert found.pitch == pytest.approx(begins * np.log(PITCHES))
    assert together([found, found]) == (pytest.approx(found.rhythm), pytest.approx(found.pitch), 2 * STEPS)


def test_lines_are_judged_in_stretches_of_sixteen_bars_and_a_rest_of_two() -> None:
    """Each from nothing: two stretches of one line are two lines."""
    rng = np.random.default_rng(7)
    weights = {name: rng.normal(0, 0.3, shape).astype(np.float32) for name, shape in ensemble_shapes(8, 8).items()}
    network, one = build_network(ENSEMBLE, weights), a_line(rng)
    long = replace(
        one, events=np.tile(one.events, (5, 1))[: 2 * STRETCH + 31], chords=np.tile(one.chords, 5)[: 2 * STRETCH + 31]
    )
    found = list(judge_stretches(network, [LineTable(long)], NOTHING_TOLD))
    assert [len(each.losses) for each in found] == [STRETCH, STRETCH]
    np.testing.assert_allclose(found[0].losses, found[1].losses, atol=1e-5)
    assert found[0].labels[:, 0].tolist().count(BEGINS) == int((long.events[:STRETCH, 0] >= 0).sum())
