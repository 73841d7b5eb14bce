"""Drums by rules."""

import numpy as np
import pytest

from engine.generators.pulse import accents, euclid, pulse_lengths, pulses, strong_pulses
from engine.generators.rules.drum_rules import KICK, SNARE, grid_of
from engine.score.drums import CLASS_OF_PITCH, PITCHES
from engine.score.phrase import Origin, Phrase, Provenance
from engine.score.time import Meter
from tests.generators.asking import METERS, made, phrase

STYLES = ("straight", "half_time", "brushed", "four_on_floor", "minimal", "broken")


@pytest.mark.parametrize(
    ("meter", "expected"),
    [("4/4", (0, 4, 8, 12)), ("3/4", (0, 4, 8)), ("6/8", (0, 6)), ("7/8", (0, 4, 8)), ("5/8", (0, 6)), ("2/2", (0, 8))],
)
def test_pulses_fall_where_the_foot_taps(meter, expected):
    assert pulses(Meter.parse(meter)) == expected


@pytest.mark.parametrize("numerator", range(1, 33))
@pytest.mark.parametrize("denominator", [1, 2, 4, 8, 16])
def test_the_pulses_of_every_meter_fill_its_bar(numerator, denominator):
    meter = Meter(numerator, denominator)
    assert sum(pulse_lengths(meter)) == meter.steps_per_bar
    assert set(strong_pulses(meter)) <= set(pulses(meter))
    assert accents(meter)[0] == accents(meter).max() == 1.0


def test_euclidean_rhythms_have_their_hits_as_even_as_can_be():
    assert "".join("x" if hit else "." for hit in euclid(3, 8)) == "x..x..x."
    for steps in range(1, 20):
        for hits in range(1, steps + 1):
            places = np.flatnonzero(euclid(hits, steps))
            gaps = np.diff(np.append(places, places[0] + steps))
            assert len(places) == hits
            assert gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("meter", METERS)
def test_every_bar_begins_with_a_kick_and_all_notes_are_drums(style, meter):
    for seed in range(10):
        found = made("drum_rules", seed=seed, meter=meter, settings={"style": style})
        kicks = found.notes["start"][found.notes["pitch"] == PITCHES[KICK]]
        bar = Meter.parse(meter).beats_per_bar
        assert {0.0, bar, 2 * bar, 3 * bar} <= set(kicks.tolist())
        assert {int(pitch) for pitch in found.notes["pitch"]} <= set(PITCHES)


def test_styles_differ():
    grids = {style: grid_of(made("drum_rules", settings={"style": style, "fills": "0 %"})) > 0 for style in STYLES}
    assert len({grid.tobytes() for grid in grids.values()}) == len(STYLES)


def test_straight_time_has_its_backbeat():
    for seed in range(20):
        grid = grid_of(made("drum_rules", seed=seed, settings={"fills": "0 %"}))
        assert np.all(grid[4::16, SNARE] > 80)
        assert np.all(grid[12::16, SNARE] > 80)


def test_the_kick_follows_the_rhythm_it_is_given():
    bass = phrase([(beat, beat + 1, 40, 90) for beat in (0, 1.5, 2.5, 4, 6.75, 8, 12, 13.5)])
    found = made("drum_rules", rhythm=bass, settings={"fills": "0 %"})
    kicks = found.notes["start"][found.notes["pitch"] == PITCHES[KICK]]
    assert kicks.tolist() == bass.notes["start"].tolist()


def test_fills_come_at_the_end_of_phrases_when_they_are_wanted():
    def ends(fills, section_bars):
        found = [made("drum_rules", seed=s, settings={"fills": fills}, section_bars=section_bars) for s in range(40)]
        toms = [np.isin([CLASS_OF_PITCH[int(p)] for p in f.notes["pitch"]], (4, 5, 6)) for f in found]
        assert all(f.notes["start"][t].min() >= 14.0 for f, t in zip(found, toms, strict=True) if t.any())
        return np.mean([t.any() for t in toms])

    assert ends("0 %", 16) == 0
    assert 0.1 < ends("50 %", 16) < ends("100 %", 4)


def test_ghost_notes_are_soft_and_come_with_their_setting():
    def ghosts(share):
        return sum(
            int(((found.notes["pitch"] == PITCHES[SNARE]) & (found.notes["velocity"] < 50)).sum())
            for found in (made("drum_rules", seed=s, settings={"ghost": share, "fills": "0 %"}) for s in range(20))
        )

    assert ghosts("0 %") == 0
    assert ghosts("30 %") < ghosts("90 %")


def test_a_sparse_groove_has_fewer_strokes():
    def count(density):
        return sum(len(made("drum_rules", seed=seed, settings={"density": density}).notes) for seed in range(10))

    assert count("10 %") < 0.7 * count("60 %") < count("100 %")


def test_a_primer_gives_the_groove():
    primer = phrase([(0, 0.25, 36, 100), (1.25, 1.5, 38, 90), (2.5, 2.75, 46, 80)], beats=4)
    found = made("drum_rules", primer=primer, settings={"ghost": "0 %", "fills": "0 %", "density": "0 %"})
    assert found.notes["start"].tolist() == [bar * 4 + at for bar in range(4) for at in (0, 1.25, 2.5)]


def test_what_a_network_drummed_before_goes_on():
    drummed = Phrase.of(
        [(bar * 4 + at, bar * 4 + at + 0.25, pitch, 90) for bar in range(4) for at, pitch in ((0.25, 36), (2.75, 49))],
        16.0,
        Provenance("drums_rnn", Origin.NETWORK),
    )
    found = made("drum_rules", history=drummed, settings={"ghost": "0 %", "fills": "0 %", "density": "0 %"}, bar=4)
    assert found.notes["start"].tolist() == drummed.notes["start"].tolist()
    assert found.notes["pitch"].tolist() == drummed.notes["pitch"].tolist()
