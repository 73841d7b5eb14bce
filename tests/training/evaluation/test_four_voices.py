"""Held-out figures of the chorale network."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks import build_network
from engine.networks.chorale.configs import CHORALE
from engine.training.datasets.pieces import DatasetPiece
from engine.training.evaluation.evaluate import evaluate_music
from engine.training.evaluation.held_out.four_voices import evaluate_chorale
from tests.networks.chorale.test_network import LAYOUT, random_piece


def pieces(steps=140):
    splits = ("train", "train", "test")
    return [DatasetPiece(f"{k}", "s", split, random_piece(steps, k).astype(np.int16)) for k, split in enumerate(splits)]


@pytest.fixture
def network():
    """One that knows nothing: all labels are as likely."""
    return build_network(CHORALE, {name: np.zeros(shape, np.float32) for name, shape in LAYOUT.shapes().items()})


def test_who_knows_nothing_loses_the_logarithm_of_the_labels_for_each_note_and_for_the_end(network):
    figures = evaluate_chorale(network, pieces(), "test")
    assert figures["network"] == pytest.approx(np.log(48) * 561 / 560)
    assert figures["events"] == 560
    assert figures["per_bar"] == pytest.approx(64 * figures["network"])


def test_the_share_of_copied_notes_is_counted_within_voices(network):
    held = [
        DatasetPiece(split, "s", split, np.repeat(random_piece(9, seed), 8, axis=0))
        for seed, split in enumerate(("train", "test"))
    ]
    events = held[1].events
    same = sum(int(a == b) for voice in events.T for a, b in pairwise(voice))
    figures = evaluate_chorale(network, held, "test")
    assert figures["copied"] == pytest.approx(same / (4 * 71))
    assert figures["placed_bigram"] < figures["unigram"]


def test_without_held_out_pieces_nothing_is_judged(network):
    with pytest.raises(PerpetuumError, match="no piece of the validation split"):
        evaluate_chorale(network, pieces(), "validation")


def test_what_it_makes_is_compared_as_polyphony(network):
    music = evaluate_music(network, pieces(), "test", 2, (1.0,))
    assert {"overlap_pitch", "copied_bars"} <= set(music.figures)
    assert len(music.samples) == 2
