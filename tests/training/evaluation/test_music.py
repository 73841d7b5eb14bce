"""Facts about what is measured in music: overlaps, copies and statistics, of samples of pieces and networks."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks import CONFIGS
from engine.score.phrase import moved
from engine.training.datasets import DatasetPiece
from engine.training.evaluation.copies import KnownPieces
from engine.training.evaluation.evaluate import evaluate_music, held_out_figures
from engine.training.evaluation.overlap import FEATURES, overlapping_area, overlaps
from engine.training.evaluation.samples import Sample, corpus_samples, sample_music
from engine.training.evaluation.statistics import (
    describe,
    drum_statistics,
    melody_statistics,
    note_statistics,
    sounding_time,
)
from tests.networks.vae.golden import small_network
from tests.training.evaluation.pieces import (
    beats,
    chorales,
    grooves,
    lead_sheets,
    melodies,
    notes,
    performances,
    small_rnn,
)

KINDS = [
    ("drum_kit", "drums", beats, 32.0),
    ("one_drum", "drums", beats, 32.0),
    ("attention_rnn", "melody", melodies, 32.0),
    ("chord_pitches_improv", "lead_sheet", lead_sheets, 32.0),
    ("polyphony", "polyphony", chorales, 32.0),
    ("multiconditioned_performance_with_dynamics", "performance", performances, 20.0),
]


def tune(*pitches: int) -> Sample:
    """Quarters, one after another."""
    return Sample(notes([(beat, beat + 1.0, pitch, 100) for beat, pitch in enumerate(pitches)]), float(len(pitches)))


def test_equal_distributions_overlap_wholly_and_foreign_ones_not_at_all():
    assert overlapping_area(np.array([1, 3]), np.array([2, 6])) == 1.0
    assert overlapping_area(np.array([1, 0]), np.array([0, 5])) == 0.0
    assert overlapping_area(np.array([1, 1]), np.array([1, 0])) == 0.5
    assert overlapping_area(np.zeros(2), np.array([1, 0])) == 0.0


def test_a_transposed_tune_has_other_pitches_and_the_same_of_all_else():
    low, high = [tune(60, 62, 64, 65)], [tune(72, 74, 76, 77)]
    assert overlaps(low, high, "melody") == {"pitch": 0.0, "interval": 1.0, "duration": 1.0, "density": 1.0}
    assert overlaps(low, [tune(65, 64, 62, 60)], "melody")["interval"] == 0.0


def test_intervals_are_those_of_the_top_notes():
    chords = Sample(notes([(beat, beat + 1.0, pitch + beat, 90) for beat in range(4) for pitch in (48, 64)]), 4.0)
    (count,) = np.flatnonzero(FEATURES["polyphony"]["interval"](chords))
    assert count == 24 + 1
    assert FEATURES["polyphony"]["interval"](Sample(notes([]), 4.0)).sum() == 0


def test_durations_of_performances_are_told_apart_by_their_ratio():
    counted = [
        np.flatnonzero(FEATURES["performance"]["duration"](Sample(notes([(0.0, seconds, 60, 90)]), 20.0)))[0]
        for seconds in (0.1, 0.2, 0.4, 3.2)
    ]
    assert np.diff(counted).tolist() == [4, 4, 12]


def test_a_bar_counts_as_copied_when_onsets_and_intervals_are_those_of_training():
    known = KnownPieces("melody", CONFIGS["attention_rnn"], [one for one in melodies() if one.split == "train"])
    config = CONFIGS["attention_rnn"]
    trained = corpus_samples(config, [one for one in melodies() if one.split == "train"], 4, 0)
    assert known.shares(trained) == {"bars": 1.0, "two_bars": 1.0}
    higher = [Sample(sample.notes.copy(), sample.length) for sample in trained]
    for sample in higher:
        sample.notes["pitch"] += 5
        sample.notes["end"] -= 0.1
    assert known.shares(higher)["two_bars"] == 1.0
    later = [Sample(moved(sample.notes, 0.25), sample.length) for sample in trained]
    assert known.shares(later)["two_bars"] == 0.0
    assert known.shares([tune(60, 60), Sample(notes([]), 8.0)]) == {"bars": 0.0, "two_bars": 0.0}


def test_drums_that_change_places_are_no_copy():
    train = [one for one in beats() if one.split == "train"]
    known = KnownPieces("drums", CONFIGS["drum_kit"], train)
    sample = corpus_samples(CONFIGS["drum_kit"], train, 1, 0)[0]
    assert known.shares([sample])["bars"] == 1.0
    higher = sample.notes.copy()
    higher["pitch"] += 1
    assert known.shares([Sample(higher, sample.length)])["bars"] == 0.0


def test_polyphony_may_be_copied_from_any_beat_on():
    (piece,) = chorales(1)
    known = KnownPieces("polyphony", CONFIGS["polyphony"], [piece])
    from_beat_3 = piece.events[(piece.events["start"] >= 3) & (piece.events["start"] < 11)]
    assert known.shares([Sample(moved(from_beat_3, -3.0), 8.0)]) == {"bars": 1.0, "two_bars": 1.0}
    assert known.shares([Sample(moved(from_beat_3, -2.5), 8.0)])["two_bars"] == 0.0


def test_performances_are_copied_in_runs_of_nine_notes():
    train = performances(2)
    known = KnownPieces("performance", CONFIGS["performance_with_dynamics"], train)
    copied = Sample(train[0].events[10:30], 20.0)
    assert known.shares([copied]) == {"runs": 1.0}
    assert known.shares([Sample(train[0].events[10:18], 20.0)]) == {"runs": 0.0}
    other = Sample(notes([(k / 4, k / 4 + 0.2, 60 + (k * k) % 11, 80) for k in range(40)]), 20.0)
    assert known.shares([other])["runs"] < 0.2


@pytest.mark.parametrize(("name", "kind", "pieces", "length"), KINDS)
def test_every_rnn_makes_samples_like_those_of_its_pieces(name, kind, pieces, length):
    network = small_rnn(name)
    real = corpus_samples(network.config, pieces(), 6, seed=0)
    assert len(real) == 6
    for primed in (False, True):
        made = sample_music(network, real, 6, 1.0, primed, seed=3)
        again = sample_music(network, real, 6, 1.0, primed, seed=3)
        assert [len(one.notes) for one in made] == [len(one.notes) for one in again]
        for sample in (*made, *real):
            assert sample.length == length
            assert (sample.notes["start"] >= 0).all()
            assert (sample.notes["start"] < length).all()
    assert set(describe(kind, real)) == set(describe(kind, made))


def test_improvised_samples_keep_the_chords_they_were_made_over():
    network = small_rnn("chord_pitches_improv")
    real = corpus_samples(network.config, lead_sheets(), 2, seed=0)
    assert [str(span.chord) for span in real[0].chords[:2]] == [str(span.chord) for span in real[1].chords[:2]]
    assert len(real[0].chords) == 16
    made = sample_music(network, real, 2, seed=0)
    assert made[0].chords == real[0].chords


@pytest.mark.parametrize("name", ["cat-mel_2bar_small", "cat-drums_2bar_small"])
def test_a_vae_makes_samples_of_its_two_bars(name):
    network, pieces = small_network(name), melodies() if "mel" in name else beats()
    real = corpus_samples(network.config, pieces, 5, seed=0)
    assert [sample.length for sample in real] == [8.0] * 5
    assert [sample.length for sample in sample_music(network, real, 70, seed=0)] == [8.0] * 70
    music = evaluate_music(network, pieces, samples=2, temperatures=(0.5,), seed=0)
    assert list(music.table) == ["held out", "training", "likeliest", "at 0.5"]


def test_melodies_of_a_vae_are_held_against_music_in_all_keys():
    scale = np.tile(np.array([60, 62, 64, 65, 67, 69, 71, 72], np.int16), 8)
    piece = DatasetPiece("c", "s", "test", scale)
    taken = corpus_samples(CONFIGS["cat-mel_2bar_small"], [piece] * 8, 150, seed=0)
    assert {int(sample.notes["pitch"].min()) for sample in taken} == set(range(55, 67))


def test_music_is_held_against_training_pieces_and_held_out_ones():
    music = evaluate_music(small_rnn("drum_kit"), beats(), samples=4, temperatures=(1.0, 0.5), seed=1)
    assert set(music.figures) == {
        *(f"overlap_{name}{end}" for name in FEATURES["drums"] for end in ("", "_train")),
        *(f"copied_{name}{end}" for name in ("bars", "two_bars") for end in ("", "_held_out")),
    }
    assert music.figures["overlap_pitch_train"] > 0.9 > music.figures["overlap_pitch"]
    assert list(music.table) == ["held out", "training", "at 1", "at 1, primed", "at 0.5", "at 0.5, primed"]
    assert music.table["at 1"]["overlap_pitch"] == music.figures["overlap_pitch"]
    same = evaluate_music(small_rnn("drum_kit"), beats(), samples=4, seed=1)
    assert same.figures == music.figures, "whatever else is asked for"


def test_a_network_without_dynamics_is_not_judged_by_its_velocities():
    music = evaluate_music(small_rnn("performance"), performances(), "train", samples=2, temperatures=(1.0,))
    assert "overlap_pitch" in music.figures
    assert not [name for figures in (music.figures, *music.table.values()) for name in figures if "velocity" in name]


def test_networks_without_music_of_their_own_give_what_they_play():
    music = evaluate_music(small_network("groovae_2bar_humanize"), grooves(), samples=2)
    assert not music.figures
    assert len(music.samples) == len(music.held_out) == 2


def test_pieces_that_are_too_short_give_no_figures():
    short = [DatasetPiece(one.name, one.source, one.split, one.events[:64]) for one in beats()]
    assert not evaluate_music(small_rnn("drum_kit"), short, samples=2).figures


def test_statistics_tell_silence_and_repetition():
    bar = np.zeros(16, np.int16)
    bar[[0, 4, 12]] = [1, 2, 2]
    figures = drum_statistics([np.concatenate([bar, bar, np.zeros(16, np.int16), bar])])
    assert (figures["silent_bars"], figures["backbeat"], figures["hits_per_bar"]) == (0.25, 0.75, 2.25)
    assert figures["repeated_bars"] == pytest.approx(1 / 3)
    melody = np.full(32, -2, np.int16)
    melody[[0, 4, 8]] = [60, 64, -1]
    figures = melody_statistics([melody])
    assert (figures["notes_per_bar"], figures["rest_share"], figures["range"]) == (1.0, 0.75, 4.0)
    assert (figures["mean_length"], figures["on_beat"], figures["in_key"]) == (4.0, 1.0, 1.0)


def test_voices_are_counted_while_anything_sounds():
    rows = [(0.0, 2.0, 60, 80), (0.0, 1.0, 64, 100), (3.0, 4.0, 67, 60)]
    figures = note_statistics([Sample(notes(rows), 8.0), Sample(notes([]), 8.0)])
    assert sounding_time(notes(rows)) == 3.0
    assert figures["voices"] == pytest.approx((4 / 3 + 0) / 2)
    assert figures["silence"] == pytest.approx((5 / 8 + 1) / 2)
    assert (figures["notes"], figures["range"], figures["velocity"]) == (3 / 16, 7.0, 80.0)


def test_one_drum_has_a_rhythm_and_no_kick():
    real = corpus_samples(CONFIGS["one_drum"], beats(), 4, seed=0)
    assert set(describe("drums", real)) == {"hits_per_bar", "silent_bars", "repeated_bars", "different_bars"}
    assert set(overlaps(real, real, "drums")) == {"duration", "density"}


@pytest.mark.parametrize(
    ("network", "pieces"),
    [
        (lambda: small_rnn("drum_kit"), lambda: [*beats(2), DatasetPiece("t", "s", "test", np.ones(16, np.int16))]),
        (
            lambda: small_rnn("drum_kit"),
            lambda: [DatasetPiece("t", "s", "train", np.ones(16, np.int16)), *beats()[3:4]],
        ),
        (
            lambda: small_network("cat-mel_2bar_small"),
            lambda: [*melodies(2), DatasetPiece("t", "s", "test", np.full(64, -2))],
        ),
        (
            lambda: small_network("groovae_2bar_humanize"),
            lambda: [*grooves(2), DatasetPiece("t", "s", "test", np.zeros((64, 27), np.float32))],
        ),
    ],
    ids=["short", "nothing learnt", "silence", "no strokes"],
)
def test_pieces_that_say_nothing_of_a_network_are_a_clear_error(network, pieces):
    with pytest.raises(PerpetuumError, match="long enough to judge on"):
        held_out_figures(network(), pieces())
