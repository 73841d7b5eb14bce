"""What choosing among several phrases buys: hours of scenes with one candidate for each phrase, and with several.

    python -m tests.proofs.curator [SCENE...] [--candidates 1,4] [--hours 1] [--seeds 5] [--keep FOLDER]

Prints the measures of `docs/hours.md` side by side, which are no terms of the curator's score, and what the processor
did for them. Each course is a performance of its own: what is chosen is remembered, and so is asked for again.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine import assets
from engine.form.scene import Scene
from engine.generators.neural.curating.settings import CuratedSettings
from engine.scenes import load as load_scene
from tests.proofs.hours import notes
from tests.proofs.hours.__main__ import figures
from tests.proofs.hours.notes import PartInBar

SCENES = ("long_way", "slow_groove")


def with_candidates(scene: Scene, count: int) -> Scene:
    """A scene in which all networks make so many phrases for each that is played; choirs keep their own number."""
    parts = {
        name: replace(part, settings=part.settings.model_copy(update={"candidates": count}))
        if isinstance(part.settings, CuratedSettings) and part.generator != "chorale"
        else part
        for name, part in scene.parts.items()
    }
    return replace(scene, parts=parts)


def course(scene: Scene, name: str, seed: int, hours: float, count: int, keep: Path | None) -> list[PartInBar]:
    """Some hours with so many candidates: played, or taken from where they were kept."""
    path = keep / f"{name}-{seed}-{hours:g}h-{count}.jsonl.gz" if keep is not None else None
    if path is not None and path.exists():
        return notes.load(path)
    before = _seconds()
    rows = notes.play(with_candidates(scene, count), seed, hours)
    print(f"{name}, seed {seed}, {count} candidates: {_seconds() - before:.0f} s of a processor", flush=True)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        notes.save(rows, path)
    return rows


def _seconds() -> float:
    """Seconds of processors that this process and its children took that have ended."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def compared(
    scene: Scene, name: str, counts: Sequence[int], seeds: Sequence[int], hours: float, keep: Path | None
) -> str:
    """The measures of a scene, in Markdown: a column for each number of candidates, means over seeds."""
    courses = [[course(scene, name, seed, hours, count, keep) for seed in seeds] for count in counts]
    columns = [list(figures(scene, name, one)) for one in courses]
    lines = [
        f"## {name}",
        "",
        f"| measure | {' | '.join(map(str, counts))} | bar |",
        "|---|" + "---|" * (len(counts) + 1),
    ]
    for row in zip(*columns, strict=True):
        wanted = row[0].wanted
        bar = "" if wanted is None else f"{wanted[0]:g} to {wanted[1]:g}"
        means = [sum(one.values) / len(one.values) for one in row]
        lines.append(f"| {row[0].name} | {' | '.join(f'{mean:.3g}' for mean in means)} | {bar} |")
    met = [sum(one.right is True for one in column) for column in columns]
    return "\n".join([*lines, f"| bars met | {' | '.join(map(str, met))} | |", ""])


def main() -> int:
    """Play, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", nargs="*", default=[*SCENES])
    parser.add_argument("--candidates", default="1,4")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seeds", default="5")
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    counts, seeds = ([int(one) for one in text.split(",")] for text in (asked.candidates, asked.seeds))
    for name in asked.scenes:
        scene, _ = load_scene(assets.scene(name))
        if scene is None:
            parser.error(f"{name} is no scene that can be played: perpetuum check {name}")
        print(compared(scene, Path(name).stem, counts, seeds, asked.hours, asked.keep), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
