"""Facts about melody, bass and drums together as pieces."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from engine.networks.vae.converters import converter_of
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track
from engine.training.datasets.contents import _score_of
from engine.training.datasets.filters import Filters
from engine.training.datasets.kinship import duplicates, families
from engine.training.datasets.music.kinds import take
from engine.training.datasets.music.trios import trio_events
from engine.training.datasets.pieces import DatasetPiece
from engine.training.datasets.score import Score, ScorePart, UnusableError


def line(bars, pitches, first=0):
    """Quarters."""
    beats = range(4 * first, 4 * (first + bars))
    return np.array([(beat, beat + 1, pitches[beat % len(pitches)], 90) for beat in beats], NOTE)


TUNE, BASS, KIT = line(8, (60, 64, 67, 65, 62)), line(8, (36, 43)), line(8, (36, 42, 38))


def song(*more, tune=TUNE, bass=BASS):
    return Score((ScorePart((tune,), 0), ScorePart((bass,), 33), ScorePart((KIT,), is_drum=True), *more))


def taken(score):
    return take("trio", score, Filters())[0]


def test_every_melody_goes_with_bass_and_drums():
    guitar, strings = ScorePart((TUNE,), 25), ScorePart((TUNE,), 48)
    found = taken(song(guitar, strings))
    assert [piece.name for piece in found] == ["#0", "#1"]
    events = found[0].events
    assert events.shape == (128, 3)
    assert events[:8, 0].tolist() == [60, -2, -2, -2, 64, -2, -2, -2]
    assert events[:8:4, 1].tolist() == [36, 43]
    assert events[:9:4, 2].tolist() == [1, 4, 2]


def test_it_is_cut_where_one_of_them_rests_for_long():
    rests = np.concatenate([line(5, (36,)), line(6, (36,), first=12)])
    long = song(tune=line(18, (60, 64)), bass=rests)
    long = Score((*long.parts[:2], ScorePart((line(18, (36, 38)),), is_drum=True)))
    found = taken(long)
    assert [len(piece.events) // 16 for piece in found] == [7, 8], "two bars of rest belong to what was played"


def test_where_one_of_the_three_is_missing_there_is_nothing():
    with pytest.raises(UnusableError, match="no melody, bass and drums together"):
        taken(Score((ScorePart((TUNE,), 0), ScorePart((KIT,), is_drum=True))))
    with pytest.raises(UnusableError, match="no melody, bass and drums together"):
        taken(Score((ScorePart((TUNE,), None), ScorePart((BASS,), 33), ScorePart((KIT,), is_drum=True))))


def test_it_is_what_the_converter_hears():
    tracks = (Track(TUNE), Track(BASS, program=33), Track(KIT, is_drum=True))
    (found,) = taken(song())
    slices = converter_of("trio_4bar").to_tensors(Piece(tracks))
    assert len(slices) == 5
    targets = slices[1].targets
    classes = np.stack([part.argmax(axis=1) for part in np.split(targets, [90, 180], axis=1)], axis=1)
    np.testing.assert_array_equal(found.events[16:80], trio_events(classes))
    assert slices[1].inputs.shape == (64, 190)


def test_versions_of_a_song_stay_together_whatever_their_drums_and_key():
    rng = np.random.default_rng(1)

    def made(pitches, drums, shift=0):
        events = np.full((256, 3), -2, np.int16)
        events[::4, 0], events[::8, 1], events[:, 2] = pitches + shift, pitches[::2] - 24 + shift, drums
        return DatasetPiece(f"s{rng.integers(1 << 30)}", "s", "", events)

    tune, other = rng.integers(60, 80, (2, 64))
    one, two = rng.integers(0, 512, (2, 256))
    pieces = [made(tune, one), made(tune, two, 3), made(other, one), made(other, one, 2)]
    groups = families(pieces)
    assert groups[0] == groups[1] != groups[2] == groups[3]
    assert duplicates(pieces) == {3}, "the same in another key"


def test_its_contents_are_three_parts():
    (found,) = taken(song())
    parts = _score_of(found, "trio").parts
    assert [(part.program, part.is_drum, len(part.notes)) for part in parts] == [
        (0, False, 32),
        (33, False, 32),
        (None, True, 32),
    ]
    assert Counter(parts[2].notes["pitch"].tolist()) == {36: 11, 42: 11, 38: 10}
