"""The chorale network in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from engine.networks import build_network
from engine.networks.chorale.configs import CHORALE
from engine.networks.chorale.encoding import COLUMNS, END, FIELDS, LABELS, SILENT, VOICES, ChoraleStream, label_of
from engine.networks.chorale.layout import ChoraleLayout, read_layout
from engine.networks.chorale.network import ChoraleNetwork

LAYOUT = ChoraleLayout((12, 10), embedding=16, attention=8, heads=2, window=40, dense=14)


def random_weights(layout: ChoraleLayout = LAYOUT, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(0, 0.4, shape).astype(np.float32) for name, shape in layout.shapes().items()}


def random_piece(steps: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    piece = np.clip(np.array([70, 64, 58, 50]) + np.cumsum(rng.integers(-1, 2, (steps, 4)), axis=0), 37, 80)
    piece[rng.random((steps, 4)) < 0.05] = SILENT
    return piece


@pytest.fixture
def network() -> ChoraleNetwork:
    return build_network(CHORALE, random_weights())


class TestStream:
    def test_one_column_of_each_field_is_on_and_no_other(self):
        """Each field's column lies among its own, whatever is sung."""
        ends = np.cumsum([size for _, size in FIELDS])
        stream = ChoraleStream()
        for pitch in random_piece(60, 3).reshape(-1).tolist():
            columns = stream.columns()
            assert (columns >= ends - [size for _, size in FIELDS]).all()
            assert (columns < ends).all()
            stream.push(pitch)
        assert ends[-1] == COLUMNS

    def test_what_is_told_depends_on_nothing_that_comes_later(self):
        """Two pieces that part at a note are told alike until that note."""
        one, other = random_piece(20, 1), random_piece(20, 1)
        other[12:] += 1
        first, second = ChoraleStream(), ChoraleStream()
        for a, b in zip(one.reshape(-1).tolist()[:48], other.reshape(-1).tolist()[:48], strict=True):
            assert (first.columns() == second.columns()).all()
            first.push(a)
            second.push(b)


class TestHearing:
    def test_growing_note_by_note_expects_what_hearing_the_whole_piece_does(self, network: ChoraleNetwork):
        """Longer than twice the window of attention, so that what is kept is moved."""
        piece = random_piece(30)
        heard = network.hear(piece)
        growing, made = network.begin(2), []
        for pitch in piece.reshape(-1).tolist():
            made.append(growing.logits()[1])
            growing.push([label_free(pitch), pitch])
        made.append(growing.logits()[1])
        np.testing.assert_allclose(heard.logits, np.array(made), atol=1e-4)

    def test_the_piece_ends_with_the_end(self, network: ChoraleNetwork):
        heard = network.hear(random_piece(10))
        assert heard.labels[-1] == END
        assert len(heard.losses) == 10 * VOICES + 1
        assert heard.logits.shape == (10 * VOICES + 1, LABELS)

    def test_probabilities_of_all_labels_sum_to_one_and_losses_are_their_logarithms(self, network: ChoraleNetwork):
        heard = network.hear(random_piece(10))
        shares = np.exp(heard.logits - heard.logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(np.exp(-heard.losses), shares[np.arange(41), heard.labels], rtol=1e-4)

    def test_attention_is_shared_out_completely_among_what_came_before(self, network: ChoraleNetwork):
        reached = network.hear(random_piece(30), attention=True).reached
        assert reached is not None
        np.testing.assert_allclose(reached.sum(axis=2), 1.0, atol=1e-5)
        assert reached[0, :, 0] == pytest.approx(1.0)
        assert not reached[5, :, 6:].any()

    def test_pieces_that_are_chosen_go_on_as_they_were(self, network: ChoraleNetwork):
        growing = network.begin(2)
        for a, b in zip(random_piece(9, 1).reshape(-1), random_piece(9, 2).reshape(-1), strict=True):
            growing.logits()
            growing.push([int(a), int(b)])
        growing.choose([1, 1])
        one, other = growing.logits()
        np.testing.assert_allclose(one, other, atol=1e-6)
        np.testing.assert_allclose(one, network.hear(random_piece(9, 2)).logits[-1], atol=2e-5)


def label_free(pitch: int) -> int:
    """Another note than that one."""
    return 60 if pitch != 60 else 61


class TestLayout:
    def test_sizes_are_read_off_the_weights(self):
        assert read_layout(LAYOUT.shapes()) == LAYOUT

    def test_a_weight_of_another_shape_is_named(self):
        with pytest.raises(ValueError, match="gru_1/bias"):
            read_layout(LAYOUT.shapes() | {"gru_1/bias": (2, 31)})

    def test_a_missing_weight_is_named(self):
        shapes = LAYOUT.shapes()
        del shapes["dense/bias"]
        with pytest.raises(ValueError, match="dense/bias"):
            read_layout(shapes)


def test_labels_know_silence():
    assert label_of(SILENT) == LABELS - 2
