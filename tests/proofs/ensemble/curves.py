"""The held-out losses of the trainings, as a picture."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.figure import Figure

_PANELS = {
    "bass: rhythm": ("bass_rhythm",),
    "bass: pitch": ("bass_pitch",),
    "melody": ("melody_rhythm", "melody_pitch"),
}
_LINES = {
    "hears": ("hearing", "", "#1f6f8b", "-"),
    "the same network, told nothing": ("hearing", "_deaf", "#1f6f8b", ":"),
    "trained without hearing": ("deaf", "", "#b5543c", "-"),
}


def draw(run: Path, seed: int, picture: Path) -> None:
    """Nats per sixteenth of the validation split over the batches of both trainings of a run's folder."""
    found = {
        name: [json.loads(line) for line in (run / f"{name}-{seed}" / "log.jsonl").read_text().splitlines()]
        for name in ("hearing", "deaf")
    }
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    for axes, (title, names) in zip(figure.subplots(1, len(_PANELS)), _PANELS.items(), strict=True):
        for label, (training, suffix, colour, style) in _LINES.items():
            values = [sum(line[name + suffix] for name in names) for line in found[training]]
            axes.plot([line["step"] for line in found[training]], values, style, color=colour, label=label)
        axes.set_title(title)
        axes.set_xlabel("batches")
    figure.axes[0].set_ylabel("nats per sixteenth, validation")
    figure.axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(picture, dpi=90)
