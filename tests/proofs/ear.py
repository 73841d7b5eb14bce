# pyright: strict
"""The ear over hours of every shipped scene, and at generators that are stuck.

`python -m tests.proofs.ear [--hours 24] [--scene NAME ...] [--seed 5] [--folder FOLDER]` plays the notes of each scene
in virtual time, networks real, with the ear at it as in an installation, and keeps the figures of every minute of music
in FOLDER. What is told of a scene is a false alarm. Then generators are stuck on purpose, and it says when that was
noticed and when something else played. `--page docs` prints the tables of what FOLDER holds and draws its curves into
`docs/`; it plays no scene.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from engine import assets
from engine.conductor.daytime import CountedDay
from engine.ear.hand import Hand
from engine.ear.part import PartFigures
from engine.events import BarSealed, Event, Heard, PhraseDecided, SceneTookOver
from engine.form.scene import Scene
from engine.generators.contract import Role
from engine.output_file import write_text
from engine.pictures import new_figure, save_picture
from engine.runtime.ending import Ending, networks_of
from engine.runtime.performance.commands import Command, StageCommand
from engine.runtime.performance.course import Course
from engine.runtime.performance.mind.mind import Mind
from engine.runtime.performance.unheard import UnheardLink
from engine.runtime.workers.workers import Workers
from engine.scenes import load
from engine.score.time import SAMPLE_RATE
from tests.ear.sabotaged import SABOTAGES, registered

PATIENCE = 300.0
"""Seconds that a network may take on a busy machine."""

FIGURES = ("repeated", "loop", "one_pitch", "empty", "crowd", "clash", "fit")
"""Of a part, as they are kept: the largest of each minute, of `fit` the least."""

STUCK = """
perpetuum: 1
title: Stuck
seed: 5
tempo: 96 qpm
key: C
parts:
  pad: {{generator: {{kind: chord_walk, chord_length: 2 bars}}, phrase: 4 bars, instrument: warm_pad}}
  groove:
    generator: {{kind: pattern, notes: "C2:1 G2:1 C3:1 G2:1"}}
    role: bass
    phrase: 4 bars
    instrument: round_bass
  theme:
    generator: {{kind: pattern, notes: "C4:1 E4:1 G4:1 E4:1 | A4:2 G4:2 | F4:1 E4:1 D4:2 | C4:4"}}
    phrase: 4 bars
    instrument: soft_lead
  tune: {{generator: {{kind: {tune}, chords: pad}}, role: melody, phrase: 4 bars, instrument: soft_lead}}
  low: {{generator: {{kind: {low}, chords: pad}}, role: bass, phrase: 4 bars, instrument: round_bass}}
sections:
  first: {{bars: 16 bars, parts: [pad, groove, tune, low]}}
  second: {{bars: 8 bars, parts: [pad, theme, tune, low]}}
"""


@dataclass
class HeardScene:
    """What the ear heard of a performance.

    Attributes:
        title: of the scene.
        seed: of the performance.
        hours: of music.
        spent: seconds that it took.
        roles: of the parts, by name; "written" where the notes stand in the scene, "figuration" for broken chords.
        minutes: for each minute of music the figures of each part, as `FIGURES` names them.
        faults: second of the music, and what was told.
        replaced: second at which a part was first played by something else, by the part's name.
    """

    title: str
    seed: int
    hours: float = 0.0
    spent: float = 0.0
    roles: dict[str, str] = field(default_factory=dict[str, str])
    minutes: list[dict[str, list[float | None]]] = field(default_factory=list[dict[str, list[float | None]]])
    faults: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    replaced: dict[str, float] = field(default_factory=dict[str, float])


class Listener:
    """Plays a scene unheard, with the ear at it.

    Args:
        scene: that plays.
        seed: of the performance.
        hours: of music.
        broken: name of a generator; whose part is played by another counts as replaced.
        keep: told what there is, every hour of music and at the end.
    """

    def __init__(
        self,
        scene: Scene,
        seed: int,
        hours: float,
        broken: str = "",
        keep: Callable[[HeardScene], None] = lambda found: None,
    ) -> None:
        self.found = HeardScene(scene.title, seed)
        self._keep = keep
        self._began = time.monotonic()
        self._broken = {part.name: broken for part in scene.parts.values() if part.generator == broken}
        self._minute: dict[str, list[float | None]] = {}
        self._workers = Workers(load=networks_of(scene), patience=PATIENCE)
        course = Course(seed, day=CountedDay(), live=False)
        ending = Ending.after_seconds(course.plan(scene), hours * 3600)
        link = UnheardLink(ending.frames)
        self._mind = Mind(scene, replace(course, ending=ending), self._workers, link, self._hear)
        self._hand = Hand(self, seed, self._hear)

    @property
    def scene(self) -> Scene:
        """What plays now."""
        return self._mind.conductor.scene

    def submit(self, command: Command) -> None:
        """Do what the ear asks."""
        assert not isinstance(command, StageCommand), command
        self._mind.submit(command)

    def run(self) -> HeardScene:
        """Play to the end."""
        with self._workers:
            self._mind.run()
        if self._mind.failure is not None:
            raise self._mind.failure
        self._keep(self.found)
        return self.found

    def _hear(self, event: Event) -> None:
        match event:
            case BarSealed():
                self.found.hours = event.end / SAMPLE_RATE / 3600
                self._hand(event)
                self._take(event)
            case PhraseDecided() | SceneTookOver():
                self._hand(event)
            case Heard():
                self.found.faults.append((self.found.hours * 3600, _words(event)))
            case _:
                pass

    def _take(self, bar: BarSealed) -> None:
        seconds = bar.end / SAMPLE_RATE
        self.found.spent = time.monotonic() - self._began
        notes = self._hand.ear.notes
        assert notes is not None
        for name, figures in notes.parts.items():
            self.found.roles[name] = _role(figures)
            self._minute[name] = _worse(self._minute.get(name), _figures(figures))
        for one in bar.parts:
            maker = one.phrase.provenance.generator
            if one.part in self._broken and maker != self._broken[one.part] and len(one.phrase.notes):
                self.found.replaced.setdefault(one.part, bar.start / SAMPLE_RATE)
        while seconds >= 60 * (len(self.found.minutes) + 1):
            self.found.minutes.append(self._minute)
            self._minute = {}
            if len(self.found.minutes) % 60 == 0:
                self._keep(self.found)


def _role(one: PartFigures) -> str:
    return "written" if one.written else "figuration" if one.figuration else one.role.value


def _figures(one: PartFigures) -> list[float | None]:
    clash = one.clash if one.role is not Role.DRUMS else None
    values = (one.repeated, one.loop, one.one_pitch, one.empty, one.crowd, clash, one.fit)
    return [None if value is None else round(value, 3) for value in values]


def _worse(one: Sequence[float | None] | None, other: list[float | None]) -> list[float | None]:
    if one is None:
        return other
    found: list[float | None] = []
    for name, pair in zip(FIGURES, zip(one, other, strict=True), strict=True):
        known = [value for value in pair if value is not None]
        found.append((min if name == "fit" else max)(known) if known else None)
    return found


def _words(heard: Heard) -> str:
    if heard.over:
        return f"{heard.part}: {heard.fault} is over"
    return f"{heard.part}: {heard.fault}, {heard.figure:.3g} of {heard.limit:.3g}; {heard.answer}"


def hear_scene(path: Path, seed: int, hours: float, kept: Path) -> HeardScene:
    """Hours of a scene; what there is of it is kept every hour of music."""
    scene, problems = load(path)
    assert scene is not None, problems
    return Listener(scene, seed, hours, keep=lambda found: write_text(kept, json.dumps(asdict(found)))).run()


def hear_stuck(name: str, part: str, minutes: float) -> HeardScene:
    """Minutes of a scene in which one part is stuck, beside a groove and a theme that are form."""
    kinds = {"tune": "melody_rules", "low": "bass_line", part: f"sabotaged_{name}"}
    with registered(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stuck.yaml"
        path.write_text(STUCK.format(**kinds))
        scene, problems = load(path)
        assert scene is not None, problems
        return Listener(scene, 5, minutes / 60, f"sabotaged_{name}").run()


def stuck_table() -> list[str]:
    """When what is stuck was noticed and replaced, as lines of Markdown."""
    lines = ["| stuck | part | first told | something else plays from |", "|---|---|---|---|"]
    for name in SABOTAGES:
        for part in ("tune", "low"):
            found = hear_stuck(name, part, 3)
            told = [(at, words) for at, words in found.faults if not words.endswith("is over")]
            wrong = [words for _, words in told if not words.startswith(f"{part}:")]
            assert not wrong, wrong
            first = f"{told[0][1].partition(';')[0].partition(': ')[2]}, at {told[0][0]:.0f} s" if told else "**never**"
            at = found.replaced.get(part)
            lines.append(
                f"| {name.replace('_', ' ')} | {part} | {first} | {'**never**' if at is None else f'{at:.0f} s'} |"
            )
    return lines


def scenes_table(heard: Sequence[HeardScene]) -> list[str]:
    """The largest figures of each scene, as lines of Markdown."""
    lines = [
        "| scene | hours | one pitch, s | loop, s | empty, s | notes/s in two bars | least fit | most clash "
        "| repeated, melodies: mean, most | false alarms |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in heard:
        columns: dict[str, list[float]] = {name: [] for name in FIGURES}
        for minute in one.minutes:
            for part, values in minute.items():
                role = one.roles[part]
                for name, value in zip(FIGURES, values, strict=True):
                    judged = name in ("empty", "crowd") or (role != "written" and (name == "loop" or role != "drums"))
                    if value is not None and judged and (name != "repeated" or role == "melody"):
                        columns[name].append(value)
        most = {name: (min if name == "fit" else max)(values, default=float("nan")) for name, values in columns.items()}
        repeated = columns["repeated"]
        share = f"{sum(repeated) / len(repeated):.2f}, {max(repeated):.2f}" if repeated else "no melody"
        alarms = [words for _, words in one.faults if not words.endswith("is over")]
        lines.append(
            f"| {one.title} | {one.hours:.1f} | {most['one_pitch']:.0f} | {most['loop']:.0f} | {most['empty']:.0f} "
            f"| {most['crowd']:.1f} | {most['fit']:.2f} | {most['clash']:.2f} | {share} | {len(alarms) or 'none'} |"
        )
    return lines


def draw_scenes(heard: Sequence[HeardScene], path: Path) -> None:
    """Repetition and loops of every part over the hours."""
    figure = new_figure(12, 1.9 * len(heard))
    for row, one in enumerate(heard):
        for column, (name, words) in enumerate((("repeated", "heard within 3 h"), ("loop", "same bars, s"))):
            axes: Any = figure.add_subplot(len(heard), 2, 2 * row + column + 1)
            for part in sorted(one.roles):
                points = [
                    (place / 60, minute[part][FIGURES.index(name)])
                    for place, minute in enumerate(one.minutes)
                    if part in minute and minute[part][FIGURES.index(name)] is not None
                ]
                # Dashed: its notes stand in the scene, or follow its chords.
                style = "--" if one.roles[part] in ("written", "figuration") else "-"
                axes.plot([x for x, _ in points], [y for _, y in points], style, linewidth=0.7, label=part)
            if name == "loop":
                axes.axhline(40, color="black", linewidth=0.5)
                axes.set_yscale("symlog", linthresh=10)
            else:
                axes.set_ylim(0, 1.02)
                axes.axhline(0.98, color="black", linewidth=0.5)
                axes.legend(fontsize=5, ncol=4, loc="upper right")
            axes.set_title(f"{one.title}: {words}", fontsize=8)
            axes.tick_params(labelsize=6)
    figure.tight_layout()
    save_picture(figure, path, dpi=80)


def draw_stuck(path: Path) -> None:
    """A tune that goes round two bars, beside a groove and a theme that do so, too, and are form."""
    found = hear_stuck("two_bars", "tune", 12)
    figure = new_figure(9, 4)
    for row, name in enumerate(("loop", "repeated")):
        axes: Any = figure.add_subplot(2, 1, row + 1)
        for part in ("groove", "theme", "tune"):
            place = FIGURES.index(name)
            points = [(at, minute[part][place]) for at, minute in enumerate(found.minutes) if part in minute]
            known = [(x, y) for x, y in points if y is not None]
            axes.plot([x for x, _ in known], [y for _, y in known], "-" if part == "tune" else "--", label=part)
        if name == "loop":
            axes.axhline(40, color="black", linewidth=0.5)
            for at, words in found.faults:
                if "; " in words and not words.endswith("; "):
                    axes.axvline(at / 60, color="red", linewidth=0.5)
        axes.set_ylabel({"loop": "same bars, s", "repeated": "heard within 3 h"}[name], fontsize=8)
        axes.legend(fontsize=7, loc="upper right")
    figure.tight_layout()
    save_picture(figure, path, dpi=80)


def main() -> None:
    """Run it and print what came of it."""
    words = argparse.ArgumentParser(prog="python -m tests.proofs.ear", description="The ear over hours.")
    words.add_argument("--hours", type=float, default=24.0, help="of each scene")
    words.add_argument("--scene", action="append", help="name of a shipped scene; all without it")
    words.add_argument("--seed", type=int, default=5)
    words.add_argument("--folder", type=Path, default=Path("ear"), help="where the figures are kept")
    words.add_argument("--page", type=Path, help="folder of the pictures and tables; nothing is played")
    options = words.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.page is None:
        for name, path in assets.shipped_names("scenes").items():
            if not options.scene or name in options.scene:
                found = hear_scene(path, options.seed, options.hours, options.folder / f"{name}.json")
                print("\n".join(scenes_table([found])[2:]), *found.faults, sep="\n", flush=True)
        if not options.scene:
            print("\n".join(stuck_table()))
        return
    heard = [HeardScene(**json.loads(path.read_text())) for path in sorted(options.folder.glob("*.json"))]
    print("\n".join([*scenes_table(heard), "", *stuck_table()]))
    draw_scenes(heard, options.page / "ear-hours.png")
    draw_stuck(options.page / "ear-stuck.png")


if __name__ == "__main__":
    main()
