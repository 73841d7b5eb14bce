# pyright: strict
"""What a bank of notes sounds like, in some hundred numbers beside it: so one is held against another in no time.

A bank is made in another process, or on another machine; whoever decides whether it is taken has milliseconds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from engine.errors import PerpetuumError
from engine.files import read_bytes
from engine.output_file import write_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PORTRAIT = "portrait.json"
"""The file of a bank's folder that has its portrait."""

LEAP = 30.0
"""Decibels by which the notes of a bank may differ from those before, where a scene says nothing else.

Of 144 pairs of places that were drawn the one in the middle differs by 13, the farthest by 26; a step on a way that is
gone in fifty by less than 5. From white noise half of these places are farther than that.
"""

LOUDER = 12.0
"""Decibels by which they may be louder or softer: all banks are made equally loud, as far as their peaks let them."""

_EDGES = (0, 2_400, 4_800, 9_600, 19_200, 38_400, 76_800, 144_000)
"""Frames between which a note is looked at: its attack more closely than its end."""

_LOWEST, _BANDS = 50.0, 25
"""Hz of the lowest of so many bands of a third of an octave."""

_RANGE = 60.0
"""Decibels under the loudest band; what is softer is not heard beside it."""

_LARGEST = 1 << 16


@dataclass(frozen=True, slots=True)
class Portrait:
    """What one note of a bank is like: the one nearest to the middle of its keys.

    Attributes:
        level: LUFS as the instrument plays it.
        bands: decibels of each stretch of time and each band under the loudest one.
        reach: decibels from the one to the other of two timbres that it lies between; 0 where there are none.
    """

    level: float
    bands: tuple[tuple[float, ...], ...]
    reach: float = 0.0


Ends = Callable[[int], "Sequence[NDArray[np.float32]]"]
"""Notes [frames] at 48 kHz, of a MIDI pitch, of the two timbres that a bank lies between."""


def portray(instrument: Path, ends: Ends | None = None) -> None:
    """Write the portrait of a bank beside its instrument file.

    Args:
        instrument: file of the bank.
        ends: makes notes of what it lies between; None where it lies between nothing.

    Raises:
        PerpetuumError: it is no sampler, a sample cannot be read, or the portrait not be written.
    """
    portrait = _portrait(instrument, ends)
    write_text(instrument.parent / PORTRAIT, json.dumps(asdict(portrait)))


def objection(before: Path, after: Path, leap: float | None = LEAP) -> str:
    """Why a bank should not follow another; empty where nothing speaks against it. Never raises.

    Nothing speaks against what has no portrait.

    Args:
        before: instrument file of what plays.
        after: that of the bank that would.
        leap: decibels of difference that are taken; None: as many as lie between the two timbres that either bank lies
            between, whichever are farther from each other, and `LEAP` where neither lies between any.
    """
    one, two = _read(before.parent / PORTRAIT), _read(after.parent / PORTRAIT)
    if two is None:
        return ""
    if not math.isfinite(two.level):
        return "its notes are silent"
    if one is None or not math.isfinite(one.level):
        return ""
    if abs(louder := two.level - one.level) > LOUDER:
        return f"its notes are {abs(louder):.0f} dB {'louder' if louder > 0 else 'softer'} than those before"
    most = (max(one.reach, two.reach) or LEAP) if leap is None else leap
    if (away := difference(one, two)) > most:
        way_out = "; more `steps`, or a `leap`, let them come in" if leap is None else ""
        return f"its notes are {away:.1f} dB from those before, and {most:.3g} dB are the most{way_out}"
    return ""


def difference(one: Portrait, two: Portrait) -> float:
    """Mean difference in decibels over times and bands, of sounds that are equally loud."""
    pairs = [(a, b) for rows in zip(one.bands, two.bands, strict=False) for a, b in zip(*rows, strict=False)]
    return sum(abs(a - b) for a, b in pairs) / len(pairs) if pairs else 0.0


def _portrait(instrument: Path, ends: Ends | None) -> Portrait:
    # Imported when needed: who only compares has no use for them.
    import numpy as np

    from engine.score.time import SAMPLE_RATE
    from engine.sound.instruments.instrument_file import load_instrument
    from engine.sound.instruments.samples import read_raw_sample, resampled
    from engine.sound.settings import SamplerSettings
    from engine.timbres.samples.loudness import line_loudness

    _, settings = load_instrument(instrument)
    if not isinstance(settings, SamplerSettings):
        raise PerpetuumError(f"{instrument} is no sampler")
    pitches = sorted(sample.pitch for sample in settings.samples)
    middle = (pitches[0] + pitches[-1]) / 2.0
    # The one that is struck hard, where several share a key.
    chosen = min(settings.samples, key=lambda one: (abs(one.pitch - middle), one.pitch, -one.high))
    raw, rate = read_raw_sample(instrument.parent / chosen.file)
    sound = np.asarray(resampled(raw, rate, SAMPLE_RATE), np.float32)
    level = line_loudness(sound) + settings.gain if sound.size else -math.inf
    found = Portrait(round(float(level), 2), _bands(sound.mean(axis=1)))
    if ends is None:
        return found
    first, last = (replace(found, bands=_bands(note)) for note in ends(chosen.pitch))
    return replace(found, reach=round(difference(first, last), 2))


def _bands(sound: NDArray[np.float32]) -> tuple[tuple[float, ...], ...]:
    """See `Portrait`, of a sound [frames] at 48 kHz."""
    import numpy as np

    from engine.score.time import SAMPLE_RATE

    padded = np.pad(sound, (0, max(0, _EDGES[-1] - len(sound))))
    powers = np.zeros((len(_EDGES) - 1, _BANDS))
    for row, (begin, end) in enumerate(pairwise(_EDGES)):
        piece = padded[begin:end]
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)))) ** 2 / len(piece) ** 2
        hertz = np.fft.rfftfreq(len(piece), 1.0 / SAMPLE_RATE)
        band = np.floor(3.0 * np.log2(np.maximum(hertz, 1.0) / _LOWEST) + 0.5).astype(np.int64)
        kept = (band >= 0) & (band < _BANDS)
        powers[row] = np.bincount(band[kept], spectrum[kept], _BANDS)
    decibels = 10.0 * np.log10(np.maximum(powers, 1e-18))
    bands = np.maximum(decibels - decibels.max(), -_RANGE)
    return tuple(tuple(round(float(one), 1) for one in row) for row in bands)


def _read(path: Path) -> Portrait | None:
    try:
        found: Any = json.loads(read_bytes(path, _LARGEST))
        rows = tuple(tuple(float(one) for one in row) for row in cast("list[list[float]]", found["bands"]))
        reach = float(found.get("reach", 0.0))  # those of some versions ago have none
        if not all(math.isfinite(one) for row in (*rows, (reach,)) for one in row):
            return None
        return Portrait(float(found["level"]), rows, reach)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None
