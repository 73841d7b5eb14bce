"""What the shipped scenes play over hours, beside the bars for it. See `docs/hours.md` for the last results.

    python -m tests.proofs.hours [SCENE...] [--hours 4] [--seeds 5,6,7] [--keep FOLDER] [-o FILE]

Not a test: an hour of notes takes half a minute to a minute on a quiet machine. `--keep` saves the notes, and measures
what it finds there without playing it again.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine import assets
from engine.form.scene import Scene
from engine.generators.contract import Link, Role
from engine.scenes import load as load_scene
from tests.proofs.hours import drums, form, harmony, melodies, notes, room
from tests.proofs.hours.notes import PartInBar

MELODIES = {
    "daylight": "piano",
    "evensong": "solo",
    "ground": "tune",
    "glass_pulse": "song",
    "long_way": "tune",
    "slow_groove": "melody",
    "still_water": "voice",
    "four_vessels": "voice",
    "metamorphoses": "piano",
    "bronze_and_glass": "tune",
    "one_thought": "tune",
}
LETTERS = {
    "still_water": "A",
    "slow_groove": "G",
    "glass_pulse": "P",
    "evensong": "C",
    "daylight": "D",
    "long_way": "W",
    # The page does not know these three; they are slow and without drums, as still_water is.
    "four_vessels": "A",
    "metamorphoses": "A",
    "bronze_and_glass": "A",
}


@dataclass(frozen=True)
class Figure:
    """Something measured.

    Attributes:
        name: what.
        values: a value for each seed.
        wanted: the lowest and the highest right value; None where no bar is set.
    """

    name: str
    values: Sequence[float]
    wanted: tuple[float, float] | None

    @property
    def right(self) -> bool | None:
        """Whether the value of every seed is; None without a bar."""
        if self.wanted is None:
            return None
        return all(self.wanted[0] - 1e-9 <= value <= self.wanted[1] + 1e-9 for value in self.values)


def wanted(letter: str, **bars: tuple[float, float]) -> tuple[float, float] | None:
    """The bar of a scene, of bars by their letters: `GW=(0.15, 0.5)`."""
    return next((bar for letters, bar in bars.items() if letter in letters), None)


def figures(scene: Scene, name: str, hours: Sequence[Sequence[PartInBar]]) -> Iterator[Figure]:
    """All figures of a scene, out of its hours with each seed."""
    letter = LETTERS.get(name, "?")
    melody = MELODIES.get(name) or next((one.name for one in scene.parts.values() if one.role is Role.MELODY), "")
    beaten = [one.name for one in scene.parts.values() if one.role is Role.DRUMS]
    chords = harmony_of(scene)

    def each(measure: Callable[[Sequence[PartInBar]], float]) -> list[float]:
        return [measure(rows) for rows in hours]

    recalls = [melodies.recall(melodies.cells(melodies.melody_of(rows, melody))) for rows in hours]
    cells = wanted(letter, GW=(0.15, 0.5), C=(0.1, 0.35), AD=(0.08, 0.4), P=(0.4, 0.9))
    yield Figure(f"1 cells of {melody} heard within 32 bars", [one.near for one in recalls], cells)
    yield Figure("1 the same above chance", [one.near - one.chance for one in recalls], (0.1, 1.0))
    copies = None if letter == "P" else (0.0, 0.25)
    yield Figure("1 whole bars again", each(lambda rows: melodies.whole_bars_again(rows, melody)), copies)
    returning = (0.15, 1.0) if letter in "AD" else (0.25, 1.0)
    yield Figure(
        "1 passes with half of their cells from 5 to 60 min before",
        each(lambda rows: melodies.passes_that_recall(rows, melody)),
        returning,
    )
    # Themes that are written are the same with every seed: another seed's hours are foreign only where all are found.
    all_found = all("melody" not in theme.written for theme in scene.themes)
    if len(hours) > 1:
        foreign = [
            melodies.passes_that_recall(rows, melody, of=hours[(place + 1) % len(hours)])
            for place, rows in enumerate(hours)
        ]
        yield Figure("1 the same of the hours of another seed", foreign, (0.0, 0.05) if all_found else None)
    known = [melodies.known_by_contour(rows, melody) for rows in hours]
    yield Figure("1 variations known by contour", [one[0] for one in known], None)
    yield Figure("1 the same, times chance", [one[0] / max(1e-9, one[1]) for one in known], (3.0, 1e12))
    heard = [harmony.keys(rows, beaten) for rows in hours]
    yield Figure(
        "2 fit to seven pitch classes, 20 s", [one.windows for one in heard], (0.88 if letter in "CGW" else 0.85, 0.99)
    )
    yield Figure("2 the same less that of the whole", [one.windows - one.whole for one in heard], (0.05, 1.0))
    often = [float(sum(share >= 0.1 for share in one.collections.values())) for one in heard]
    yield Figure("2 collections best in a tenth of windows", often, (2, 12))
    yield Figure("2 total variation between keys", [one.apart for one in heard], (0.15, 1.0))
    at_ends = wanted(letter, C=(0.95, 1.0), GWD=(0.8, 1.0), AP=(0.5, 1.0))
    yield Figure("2 tonic in the bass at ends", each(lambda rows: harmony.tonic_in_bass_at_ends(rows, beaten)), at_ends)
    forms = [form.form(rows, beaten) for rows in hours]
    yield Figure(
        "3 density, fullest to thinnest 5 min", [one.density for one in forms], (1.6 if letter in "AC" else 2.0, 99)
    )
    longest = (0.0, 0.5) if letter in "AP" else (0.0, 0.35)
    yield Figure("3 longest section of an hour", [one.longest_section for one in forms], longest)
    apart = [sum(d >= 0.03 for d in one.hours_apart) / max(1, len(one.hours_apart)) for one in forms]
    several = all(one.hours_apart for one in forms)
    yield Figure("3 hours whose pitch classes differ", apart, (1 / 3, 1.0) if several else None)
    yield Figure("3 pitch classes that sounded", [float(one.pitch_classes) for one in forms], None)
    least = (8.0, 127.0) if letter in "AP" else (12.0, 127.0)
    loudness = each(lambda rows: form.velocity_range_of_sections(rows, melody))
    yield Figure("4 range of section means in velocity", loudness, least)
    yield Figure("4 sd of means of four bars", each(lambda rows: form.velocity_wave(rows, melody)), (5.0, 15.0))
    runs = wanted(letter, G=(0.25, 0.6), W=(0.15, 0.5), APD=(0.08, 0.4))
    changes = [harmony.chord_changes(rows, chords) for rows in hours]
    yield Figure("5 runs of four chords within 32 bars", [harmony.chord_runs_again(one) for one in changes], runs)
    closes = [harmony.cadences(rows, chords) for rows in hours]
    needed = wanted(letter, GWC=(0.6, 1.0), D=(0.5, 1.0))
    yield Figure("5 cadences at ends of eight bars", [one[0] for one in closes], needed)
    yield Figure("5 the same above other bars", [one[0] - one[1] for one in closes], needed and (0.12, 1.0))
    rhythms = [form.rhythms_of_an_hour(rows, chords) for rows in hours]
    comped = letter in "GW"
    yield Figure("5 rhythms of the chords an hour", [one[0] for one in rhythms], (6, 9999) if comped else None)
    yield Figure("5 share of the commonest", [one[1] for one in rhythms], (0.0, 0.4) if comped else None)
    bells = [one.name for one in scene.parts.values() if letter == "A" and "bell" in one.sound.instrument]
    rooms = [room.room(rows, melody, beaten, bells) for rows in hours]
    yield Figure("8 melody doubled at its pitch", [one.doubled for one in rooms], (0.0, 0.25))
    yield Figure("8 a second beside it", [one.beside for one in rooms], (0.0, 0.15))
    yield Figure("8 highest within an octave", [one.highest for one in rooms], (0.85 if letter == "C" else 0.7, 1.0))
    yield Figure("8 under C3 closer than a fourth", [one.low for one in rooms], (0.0, 0.02))
    for part in beaten:
        beats_of = [drums.drums(rows, part) for rows in hours]
        yield Figure(f"9 {part}: snare at 127", [one.loudest for one in beats_of], (0.0, 0.2))
        yield Figure(f"9 {part}: ghosts", [one.ghosts for one in beats_of], (0.2, 1.0) if letter == "G" else None)
        most = (0.0, 0.25) if letter == "P" else (0.0, 0.1)
        yield Figure(f"9 {part}: commonest bar of an hour", [one.commonest for one in beats_of], most)
        alike = (0.45, 0.85) if letter == "P" else (0.45, 0.75)
        yield Figure(f"9 {part}: likeness to the bar before", [one.likeness for one in beats_of], alike)
        yield Figure(f"9 {part}: change at ends of eight bars", [one.changes[0] for one in beats_of], (0.35, 1.0))
        more = [one.changes[0] - one.changes[1] for one in beats_of]
        yield Figure(f"9 {part}: the same above other bars", more, (0.1, 1.0))
        hands = (12.0, 22.0), (20.0, 127.0)
        timing, touch = hands if letter != "P" else (None, None)
        yield Figure(f"9 {part}: timing within drum and step, ms", [one.timing for one in beats_of], timing)
        yield Figure(f"9 {part}: velocity within drum and step", [one.velocities for one in beats_of], touch)


def harmony_of(scene: Scene) -> str:
    """The part whose chords most others follow, or else the first that plays chords."""
    led = Counter(one.sources[Link.CHORDS].part for one in scene.parts.values() if Link.CHORDS in one.sources)
    first = (one.name for one in scene.parts.values() if one.role is Role.CHORDS)
    return led.most_common(1)[0][0] if led else next(first, "")


def hours_of(scene: Scene, name: str, seed: int, hours: float, keep: Path | None) -> list[PartInBar]:
    """Some hours of a scene: played, or taken from where they were kept."""
    path = keep / f"{name}-{seed}-{hours:g}h.jsonl.gz" if keep is not None else None
    if path is not None and path.exists():
        return notes.load(path)
    rows = notes.play(scene, seed, hours, lambda done: print(f"  {name}, seed {seed}: {done:.2f} h", file=sys.stderr))
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        notes.save(rows, path)
    return rows


def table(name: str, found: Sequence[Figure], seeds: Sequence[int]) -> str:
    """The figures of a scene in Markdown."""
    marks = {True: "yes", False: "**no**", None: ""}
    lines = [f"## {name}", "", f"| measure | {' | '.join(f'seed {seed}' for seed in seeds)} | bar | met |"]
    lines.append("|---|" + "---|" * (len(seeds) + 2))
    for one in found:
        bar = "" if one.wanted is None else f"{one.wanted[0]:g} to {one.wanted[1]:g}"
        values = " | ".join(f"{value:.3g}" for value in one.values)
        lines.append(f"| {one.name} | {values} | {bar} | {marks[one.right]} |")
    met = sum(one.right is True for one in found)
    lines += ["", f"{met} of {sum(one.right is not None for one in found)} bars are met.", ""]
    return "\n".join(lines)


def main() -> int:
    """Play, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", nargs="*", default=[*MELODIES])
    parser.add_argument("--hours", type=float, default=4.0)
    parser.add_argument("--seeds", default="5,6,7")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    asked = parser.parse_args()
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    pages: list[str] = []
    for name in asked.scenes:
        scene, _ = load_scene(assets.scene(name))
        if scene is None:
            parser.error(f"{name} is no scene that can be played: perpetuum check {name}")
        hours = [hours_of(scene, Path(name).stem, seed, asked.hours, asked.keep) for seed in seeds]
        pages.append(table(Path(name).stem, list(figures(scene, Path(name).stem, hours)), seeds))
        print(pages[-1], flush=True)
    if asked.output:
        asked.output.write_text("\n".join(pages), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
