# pyright: strict
"""Rainbowgrams: what a sound is made of, and how steady, in one picture; and what encodings look like beside it.

A constant-Q transform has a row for each of 40 steps of an octave. Its power in decibels is lightness, and the change
of its phase from frame to frame is the hue: along a steady partial the colour stays, a vibrato ripples, noise flickers.

Source: Engel et al., "Neural Audio Synthesis of Musical Notes with WaveNet Autoencoders", ICML 2017, figure 2; the
constant-Q transform is librosa's, of the extra [rainbowgram].
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import PerpetuumError
from engine.pictures import new_figure, save_picture
from engine.timbres.nsynth.layout import CHANNELS, HOP, RATE

Array = NDArray[np.float32]

OCTAVES = 6
LOWEST = 65.406
"""Hz of C2, where it begins; it ends at C8, 4186 Hz."""
STEPS = 40
"""Rows of an octave."""
RANGE = 70.0
"""Decibels below the loudest place that are still seen."""
_FRAME = 256
_FILTER = 0.8
"""Length of the filters, of those that would have the quality of their row: shorter ones see time more sharply."""
_LONGEST = 60 * RATE
"""Samples that are drawn; a longer sound is drawn to there."""
_SILENT = 32 * _FRAME
"""Samples of silence that are put before and behind a sound: its lowest filters are half a second long."""
_WIDTH, _HEIGHT, _LEFT, _BELOW, _RIGHT, _ABOVE = 3.6, 3.4, 0.5, 0.5, 0.15, 0.4
"""Inches of a panel, and around it."""
_COLUMNS = 4
_SILENCE = 1e-10


def ensure_rainbows() -> None:
    """Raise if rainbowgrams cannot be drawn here.

    Raises:
        PerpetuumError: librosa is not installed.
    """
    if importlib.util.find_spec("librosa") is None:
        raise PerpetuumError(
            "librosa, which sees what sounds are made of, is not installed", "pip install 'librosa>=0.10,<2'"
        )


def rainbow(wave: Array) -> NDArray[np.float64]:
    """A rainbowgram of a sound at 16 kHz: [rows, frames, 3] of red, green and blue, the lowest row first.

    Args:
        wave: [samples].
    """
    import librosa
    from matplotlib import colormaps

    padded = np.pad(wave, (_SILENT, _SILENT + -len(wave) % _FRAME))
    transform: Any = librosa.cqt(  # pyright: ignore[reportPrivateImportUsage]
        padded,
        sr=RATE,
        hop_length=_FRAME,
        fmin=LOWEST,
        n_bins=OCTAVES * STEPS,
        bins_per_octave=STEPS,
        filter_scale=_FILTER,
    )
    begin = _SILENT // _FRAME
    transform = transform[:, begin : begin + 1 + len(wave) // _FRAME]
    power = np.abs(transform) ** 2
    decibels = 10 * np.log10(np.maximum(power, _SILENCE * power.max() + 1e-30) / max(float(power.max()), 1e-30))
    light = np.clip(1 + decibels / RANGE, 0, 1) if power.max() > _SILENCE else np.zeros_like(power)
    turn = np.angle(transform[:, 1:] * np.conj(transform[:, :-1])) / np.pi
    turn = np.concatenate([turn[:, :1], turn], axis=1)
    hues = colormaps["rainbow"]((turn + 1) / 2)[:, :, :3]
    return hues * light[:, :, None]


def draw(drawn: Sequence[tuple[str, Array]], path: Path) -> None:
    """Draw sounds and encodings side by side, all on one scale of time, encodings on one scale of numbers.

    Args:
        drawn: titles, and sounds [samples] at 16 kHz or encodings [frames, 16].
        path: of the picture.

    Raises:
        PerpetuumError: it cannot be drawn or written.
    """
    columns = min(_COLUMNS, max(1, len(drawn)))
    rows = max(1, math.ceil(len(drawn) / columns))
    width = columns * (_LEFT + _WIDTH + _RIGHT)
    tall = rows * (_ABOVE + _HEIGHT + _BELOW)
    figure = new_figure(width, tall)
    seconds = max((_seconds(what) for _, what in drawn), default=1.0)
    numbers = [what for _, what in drawn if what.ndim == 2]
    low, high = (min(float(n.min()) for n in numbers), max(float(n.max()) for n in numbers)) if numbers else (0.0, 1.0)
    for place, (title, what) in enumerate(drawn):
        row, column = divmod(place, columns)
        left = column * (_LEFT + _WIDTH + _RIGHT) + _LEFT
        bottom = tall - (row + 1) * (_ABOVE + _HEIGHT + _BELOW) + _BELOW
        axes = figure.add_axes((left / width, bottom / tall, _WIDTH / width, _HEIGHT / tall))
        if what.ndim == 1:
            _draw_sound(axes, what[:_LONGEST])
        else:
            _draw_encoding(axes, what, (low, high))
        axes.set_xlim(0, seconds)
        axes.set_title(title if len(title) <= 44 else f"{title[:43]}…", fontsize=9, parse_math=False)
        axes.set_xlabel("s", fontsize=7, labelpad=1)
        axes.tick_params(labelsize=7, length=2)
    save_picture(figure, path, dpi=130)


def _seconds(what: Array) -> float:
    """How long a sound or an encoding is."""
    return min(len(what), _LONGEST) / RATE if what.ndim == 1 else len(what) * HOP / RATE


def _draw_sound(axes: Any, wave: Array) -> None:
    axes.set_facecolor("0.93")  # a sound that is over is not one that is silent
    extent = (0, max(len(wave), 1) / RATE, 0, OCTAVES)
    axes.imshow(rainbow(wave), origin="lower", aspect="auto", extent=extent, interpolation="nearest")
    axes.set_ylim(0, OCTAVES)
    axes.set_yticks(range(OCTAVES + 1), [f"C{octave + 2}" for octave in range(OCTAVES + 1)])


def _draw_encoding(axes: Any, encoding: Array, limits: tuple[float, float]) -> None:
    from matplotlib import colormaps

    times = (np.arange(len(encoding) + 1)) * HOP / RATE
    for channel in range(CHANNELS):
        column = np.append(encoding[:, channel], encoding[-1, channel])
        axes.step(times, column, where="post", color=colormaps["turbo"](0.05 + 0.9 * channel / (CHANNELS - 1)), lw=0.9)
    margin = 0.05 * (limits[1] - limits[0]) or 1.0
    axes.set_ylim(limits[0] - margin, limits[1] + margin)
    axes.grid(color="0.9", lw=0.4)
    axes.set_axisbelow(True)
