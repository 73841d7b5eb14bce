"""The picture of a chorale: four voices, how open each note was, and where the network looked."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.networks.chorale.record import ChoraleRecord
from engine.pictures import new_figure, save_picture

_COLOURS = ("#b2182b", "#d98c21", "#35978f", "#2166ac")
"""Of the voices, soprano to bass."""
_STEPS_PER_INCH, _NARROWEST, _WIDEST = 14.0, 7.0, 48.0


def draw_chorale(record: ChoraleRecord, path: Path) -> None:
    """Draw a chorale: notes, the paler the less was certain; entropy by voice; shares of attention by distance.

    Args:
        record: of the chorale.
        path: of a .png, .svg or .pdf.

    Raises:
        PerpetuumError: matplotlib is missing, or the file cannot be written.
    """
    width = float(np.clip(record.steps / _STEPS_PER_INCH, _NARROWEST, _WIDEST))
    figure = new_figure(width, 8.0)
    roll, open_, looked = figure.subplots(3, 1, sharex=True, height_ratios=(4, 1.5, 2.5))
    for note in record.notes:
        certainty = 1 - 0.75 * (note.velocity - 1) / 126
        roll.barh(
            note.pitch,
            4 * (note.end - note.start) - 0.2,
            left=4 * note.start,
            height=0.8,
            color=_COLOURS[note.voice],
            alpha=certainty,
            linewidth=0,
        )
    for token in record.tokens:
        for one in token.expected[1:3]:
            if one.probability >= 0.1 and one.pitch >= 0:
                roll.plot(
                    token.step + 0.5, one.pitch, ".", color=_COLOURS[token.voice], alpha=one.probability, markersize=3
                )
    roll.set_ylabel("pitch")
    roll.set_title(
        f"{record.weights}, temperature {record.temperature:g}, seed {record.seed}: "
        f"{record.nats_per_note:.3f} nats a note. Pale notes were open; dots are what else was likely."
    )
    for voice, name in enumerate(record.voices):
        line = [token.entropy for token in record.tokens if token.voice == voice]
        open_.step(range(record.steps), line, where="post", color=_COLOURS[voice], label=name, linewidth=0.8)
    open_.set_ylabel("entropy, nats")
    open_.legend(loc="upper right", fontsize=6, ncols=4)
    steps = [token.step for token in record.tokens for one in token.attention if one.ago]
    ago = [one.ago / 4 for token in record.tokens for one in token.attention if one.ago]
    shares = [one.share for token in record.tokens for one in token.attention if one.ago]
    sizes = [1 + 30 * share for share in shares]
    looked.scatter(steps, ago, s=sizes, c=shares, cmap="viridis", vmin=0, vmax=1, linewidths=0)
    looked.set_ylabel("attention:\nsixteenths ago")
    looked.set_xlabel("sixteenth")
    figure.tight_layout()
    save_picture(figure, path)
