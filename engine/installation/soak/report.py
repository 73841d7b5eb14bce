# pyright: strict
"""The page of a soak, in Markdown."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence

from engine import __version__
from engine.installation.soak.growth import Slope, slope_of
from engine.installation.soak.kept import StoredSample, StoredSoak, StoredSound
from engine.score.time import DAY

WARM_UP = 6 / 24
"""Days at the start of each run that do not count for memory: caches fill, and the ear learns three hours."""

STEEPEST = 1.0
"""MB a day that memory may grow."""

MB = 1e6

HEAD = """# Soak

Made by `perpetuum soak`: days of a scene in virtual time, with the engine's own mind, workers, networks and ear; notes
without sound, or with `--sound` the sound, too, every second of it measured and heard by the ear. Everything is
measured once an hour of music. The bars: memory of no process grows by 1 MB a day of music, nothing else grows, and the
frames counted are those of the tempi.
"""


def page(soaks: Sequence[StoredSoak]) -> str:
    """The page of some soaks."""
    return "\n".join([HEAD, *(section(one) for one in soaks)])


def section(soak: StoredSoak) -> str:
    """What one soak measured."""
    last = soak.samples[-1] if soak.samples else None
    lines = [f"## {soak.title}, seed {soak.seed}", ""]
    if last is None:
        return "\n".join([*lines, "Nothing was measured: less than an hour of music.", ""])
    rate = last.days * DAY / soak.spent if soak.spent else 0.0
    lines += [
        f"{last.days:.2f} days of music in {_hours(soak.spent)} ({rate:.0f} times real time), {soak.bars} bars; "
        f"started {soak.runs} time{'s' * (soak.runs > 1)}; perpetuum {__version__}, "
        f"Python {platform.python_version()}, {platform.machine()}.",
        "",
        "| what | first | last | a day of music | bar | met |",
        "|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(one.name for sample in soak.samples for one in sample.processes):
        lines += _process_rows(soak.samples, name)
    drift = max(abs(one.drift) for one in soak.samples)
    lines += [
        f"| most frames between bars counted and their tempi | | {drift:.2f} | | < 1 | {_mark(drift < 1)} |",
        f"| bars that rules played in place of what failed | | {soak.fallbacks} | | 0 | {_mark(not soak.fallbacks)} |",
    ]
    lines += [f"| steps down from {rung} | | {count} | | | |" for rung, count in sorted(soak.stepped_down.items())]
    found = [one for one in soak.faults if not one.endswith("is over")]
    lines += _sound_rows(soak.sound) if soak.sound is not None else []
    lines += [f"| faults that the ear found | | {len(found)} | | 0 | {_mark(not found)} |", ""]
    lines += ["Share of each part's runs of five onsets that it had played within three hours, mean and most:", ""]
    lines += ["| part | mean | most |", "|---|---|---|"]
    for part in sorted({name for sample in soak.samples for name in sample.repeated}):
        shares = [sample.repeated[part] for sample in soak.samples if part in sample.repeated]
        lines.append(f"| {part} | {sum(shares) / len(shares):.2f} | {max(shares):.2f} |")
    lines += ["", *(f"- {one}" for one in soak.faults[:20])]
    return "\n".join(lines).rstrip() + "\n"


def _process_rows(samples: Sequence[StoredSample], name: str) -> list[str]:
    def runs(figure: str, scale: float) -> list[list[tuple[float, float]]]:
        found: dict[int, list[tuple[float, float]]] = {}
        for sample in samples:
            begun = next(one.days for one in samples if one.run == sample.run)
            for one in sample.processes:
                if one.name == name and sample.days >= begun + WARM_UP:
                    found.setdefault(sample.run, []).append((sample.days, getattr(one, figure) / scale))
        return list(found.values())

    rows: list[str] = []
    for figure, words, scale, steepest in (
        ("memory", "memory, MB", MB, STEEPEST),
        ("files", "open files", 1.0, 0.5),
        ("threads", "threads", 1.0, 0.5),
    ):
        points = runs(figure, scale)
        every = [value for run in points for _, value in run]
        slope = slope_of(points)
        if not every or slope is None:
            rows.append(f"| {name}: {words} | | | too short: {WARM_UP * 24:.0f} h of warm-up do not count | | |")
            continue
        unsure = slope.error is not None and abs(slope.mean - steepest) <= slope.error
        met = "too short to tell" if unsure else _mark(slope.mean < steepest)
        digits = ".1f" if scale > 1 else ".0f"
        rows.append(
            f"| {name}: {words} | {every[0]:{digits}} | {every[-1]:{digits}} | {_slope(slope)} | < {steepest:g} "
            f"| {met} |"
        )
    return rows


def _sound_rows(sound: StoredSound) -> list[str]:
    peak = 20 * math.log10(sound.true_peak) if sound.true_peak > 0 else -math.inf
    levels = "" if sound.softest is None else f"{sound.softest:.1f} to {sound.loudest:.1f}"
    return [
        f"| sound: seconds measured | | {sound.seconds} | | | |",
        f"| sound: longest silence, s | | {sound.silence} | | < 10 | {_mark(sound.silence < 10)} |",
        f"| sound: true peak, dBTP | | {peak:.1f} | | < -1 | {_mark(peak < -1)} |",
        f"| sound: loudness of 3 s, LUFS | | {levels} | | | |",
        f"| sound: trim that the ear came to, dB | | {sound.trim:+.1f} | | | |",
    ]


def _slope(slope: Slope) -> str:
    interval = f" ± {slope.error:.3f}" if slope.error is not None else ""
    return f"{slope.mean:+.3f}{interval} ({slope.points} points)"


def _mark(met: bool) -> str:
    return "yes" if met else "**no**"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"
