"""Facts about the pictures of docs/models.md, read back from matplotlib."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from engine.score.phrase import NOTE
from engine.training.evaluation.page import _typical
from engine.training.evaluation.picture import deviations_figure, excerpts_figure
from engine.training.evaluation.samples import Sample


def sample(*notes: tuple[float, int], source: str = "", qpm: float = 120.0) -> Sample:
    """Eight beats with notes (start, pitch)."""
    rows = [(start, start + 0.25, pitch, 90) for start, pitch in notes]
    return Sample(np.array(rows, NOTE), 8.0, (), source, qpm)


def test_strokes_of_drummer_and_network_stand_at_their_milliseconds_behind_the_grid():
    # At 100 qpm a beat is 600 ms.
    drummer = sample((0.02, 36), (0.97, 38), (2.0, 42), source="groove, drummer1/1", qpm=100.0)
    network = sample((0.01, 36), (1.05, 38), (3.0, 42), source="groove, drummer1/1", qpm=100.0)
    figure = deviations_figure([drummer], [network])
    (panel,) = figure.axes
    rings, dots = panel.collections
    assert (rings.get_label(), dots.get_label()) == ("drummer", "network")
    np.testing.assert_allclose(rings.get_offsets(), [(0, 12), (1, -18), (2, 0)], atol=1e-6)
    np.testing.assert_allclose(dots.get_offsets(), [(0, 6), (1, 30), (3, 0)], atol=1e-6)
    *joined, grid = panel.lines
    np.testing.assert_allclose([line.get_ydata() for line in joined], [(12, 6), (-18, 30)], atol=1e-6)
    assert list(grid.get_ydata()) == [0, 0]
    assert panel.get_title(loc="left") == "held out: groove, drummer1/1, 100 qpm"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "drummer",
        "network",
        "kick",
        "snare",
        "closed hat",
    ]
    low, high = panel.get_ylim()
    assert low == -high < -30


def test_excerpts_stand_beside_each_other_with_their_sources():
    held_out = [sample((0, 60), source="nottingham, tune $5"), sample((1, 72), source="lieder, song")]
    figure = excerpts_figure(held_out, [sample((2, 64)), sample((3, 48), source="lieder, chords")], drums=False)
    titles = [axes.get_title(loc="left") for axes in figure.axes[:4]]
    assert titles == [
        "held out: nottingham, tune $5",
        "network",
        "held out: lieder, song",
        "network, told of: lieder, chords",
    ]
    starts = [axes.collections[0].get_paths()[0].get_extents().x0 for axes in figure.axes[:4]]
    assert starts == [0, 2, 1, 3]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["C3", "C4", "C5"]
    assert figure.axes[4].get_ylabel() == "velocity"


def test_of_one_piece_only_the_most_typical_excerpt_is_shown():
    notes = [(beat, 60 + beat) for beat in range(8)]
    samples = [sample(*notes[: 3 + place % 5], source=f"piece {place % 4}") for place in range(20)]
    chosen = _typical("performance", samples)
    assert len(chosen) == len({one.source for one in chosen}) == 3
    unknown = [replace(one, source="") for one in samples]
    assert len(_typical("performance", unknown)) == 3
