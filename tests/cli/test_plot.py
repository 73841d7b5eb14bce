"""Facts about the drawn figure, read back from matplotlib."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.cli.common import load_playable
from engine.cli.plot import piano_roll_figure
from engine.conductor.recorder import Recording
from engine.score.phrase import NOTE

SCENE = Path(__file__).parents[2] / "scenes" / "slow_groove.yaml"


@pytest.mark.parametrize(("bars", "step"), [(1, 1), (16, 1), (64, 2), (1000, 16)])
def test_bars_are_counted_from_1_in_whole_bars_and_silent_parts_have_no_lane(bars, step):
    plt = pytest.importorskip("matplotlib.pyplot")
    scene = load_playable(str(SCENE), None, None)
    note = np.zeros(1, NOTE)
    note["end"], note["pitch"], note["velocity"] = 1, 60, 90
    playing = list(scene.parts)[1]
    figure = piano_roll_figure(Recording(scene, {playing: [note]}, bars=bars))
    lane, legend = figure.axes
    assert lane.get_ylabel() == playing
    assert lane.get_xticks().tolist() == list(range(0, bars, step))
    assert [text.get_text() for text in lane.get_xticklabels()] == [str(bar) for bar in range(1, bars + 1, step)]
    assert legend.get_ylabel() == "velocity"
    plt.close(figure)
