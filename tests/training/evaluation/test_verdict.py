"""Facts about what is said of a trained network's music; the music is written here, note for note."""

import numpy as np
import pytest

from engine.score.phrase import NOTE
from engine.training.evaluation.samples import Sample
from engine.training.evaluation.statistics import typical
from engine.training.evaluation.verdict import compared, drums_at_once, nearest, traits_of, warning


def chords(voices, length=1.0):
    """Twenty seconds of chords of some voices in C major, one after another."""
    scale = (48, 52, 55, 60, 64, 67, 72, 76, 79, 84, 88, 91, 96, 36, 40, 43)
    rows = [(now, now + length, pitch, 80) for now in np.arange(0, 20, length) for pitch in sorted(scale[:voices])]
    return Sample(np.array(rows, NOTE), 20.0)


def test_far_too_many_voices_are_said_with_both_figures():
    made, real = (traits_of("performance", [chords(voices)]) for voices in (14, 4))
    first, second = compared("performance", 1.0, made, real)
    assert "14 voices at once (4)" in first
    assert "notes of 1 s (1)" in first
    assert "far off held-out music: too many voices at once, too many notes." in second


def test_music_like_what_was_held_out_is_said_to_be_so():
    real = traits_of("performance", [chords(4)])
    assert compared("performance", 0.9, real, real)[1] == "In all of that it is like held-out music."


def test_the_temperature_to_begin_with_is_that_whose_music_is_nearest():
    rows = {t: traits_of("performance", [chords(voices)]) for t, voices in ((0.7, 1), (0.9, 4), (1.0, 14), (1.1, 4))}
    assert nearest("performance", rows, traits_of("performance", [chords(4)])) == 0.9


def test_drums_that_are_struck_together_are_counted():
    rows = [(beat, beat + 0.1, pitch, 90) for beat in range(8) for pitch in (36, 42, 49)[: 2 + beat % 2]]
    assert drums_at_once([Sample(np.array(rows, NOTE), 8.0)]) == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("figures", "warned"),
    [
        ({"network": 2.0, "bigram": 1.9}, True),
        ({"network": 1.8, "bigram": 1.9}, False),
        ({"reconstructed": 0.7, "all_hold": 0.8}, True),
        ({"timing_mae_ms": 20.0, "quantised_mae_ms": 14.0}, True),
        ({}, False),
    ],
)
def test_what_is_no_better_than_guessing_is_warned_of(figures, warned):
    assert bool(warning(figures)) is warned


def test_typical_samples_are_the_middle_ones_and_never_silent_before_heard():
    samples = [Sample(np.zeros(0, NOTE), 20.0), *(chords(voices) for voices in (1, 3, 4, 5, 15))]
    chosen = typical("performance", samples, 6)
    assert len(chosen[0].notes) == len(chords(4).notes)
    assert len(chosen[-1].notes) == 0
