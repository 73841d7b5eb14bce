"""Hours of a scene as notes, without sound: the engine's own plan, conductor and networks, with a clock that leaps.

One line of JSON a part and bar, so that hours can be kept and measured again.
"""

# pyright: strict

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.conductor.clocks import FastClock
from engine.conductor.conductor import Conductor
from engine.conductor.daytime import CountedDay
from engine.events.vocabulary import BarSealed, Event
from engine.form.plan import Plan
from engine.form.scene import Scene
from engine.runtime.ending import networks_of
from engine.runtime.rules import ladder_over
from engine.runtime.workers.workers import Workers
from engine.score.time import SAMPLE_RATE

PATIENCE = 120.0
"""Seconds that a network may take on a busy machine: hours of notes must not depend on how busy it is."""

NOTE = tuple[float, float, int, int]


@dataclass(frozen=True, slots=True)
class PartInBar:
    """What one part plays in one bar.

    Attributes:
        bar: its number.
        t: seconds from the start of the performance to the bar line.
        qpm: tempo.
        sec, ps: section, and passes of sections before it.
        pb, pn: the bar's number in its pass, and how many the pass has.
        key, scale: in words, and its pitch classes.
        part, heard: whose notes; False where only other parts listen.
        org, gen, why: where the phrase came from.
        notes: start, end (beats from the bar line), pitch, velocity.
        chords: start, end (beats from the bar line), name.
        beats: of the bar.
        theme, variation: what the phrase takes up, and what becomes of it; empty where it is free.
    """

    bar: int
    t: float
    qpm: float
    sec: str
    ps: int
    pb: int
    pn: int
    key: str
    scale: tuple[int, ...]
    part: str
    heard: bool
    org: str
    gen: str
    why: str
    notes: tuple[NOTE, ...]
    chords: tuple[tuple[float, float, str], ...]
    beats: float = 4.0
    theme: str = ""
    variation: str = ""


def play(scene: Scene, seed: int, hours: float, told: Callable[[float], None] = lambda hours: None) -> list[PartInBar]:
    """Play a scene.

    Args:
        scene: what plays.
        seed: of the performance.
        hours: of music.
        told: how many hours there are, now and then.
    """
    found: list[PartInBar] = []
    with Workers(load=networks_of(scene), patience=PATIENCE) as workers:
        plan = Plan(scene, seed)

        def hear(event: Event) -> None:
            if isinstance(event, BarSealed):
                found.extend(_rows(plan, event))

        conductor = Conductor(
            plan, ladder_over(workers), lambda message: None, FastClock(), day=CountedDay(), publish=hear
        )
        end, next_word = hours * 3600 * SAMPLE_RATE, 0.0
        while (now := plan.bar(conductor.next_bar).start) < end:
            conductor.step()
            if now / SAMPLE_RATE / 3600 >= next_word:
                told(now / SAMPLE_RATE / 3600)
                next_word += 0.25
    return found


def _rows(plan: Plan, event: BarSealed) -> Iterator[PartInBar]:
    visit = plan.pass_at(event.bar)
    for one in event.parts:
        phrase = one.phrase
        yield PartInBar(
            bar=event.bar,
            t=round(event.start / SAMPLE_RATE, 3),
            qpm=event.qpm,
            sec=event.section,
            ps=event.pass_index,
            pb=event.bar - visit.first_bar,
            pn=visit.bars,
            key=str(visit.key),
            scale=tuple(sorted(visit.key.scale)),
            part=one.part,
            heard=one.heard,
            org=str(phrase.provenance.origin),
            gen=phrase.provenance.generator,
            why=phrase.provenance.reason,
            notes=tuple((round(a, 4), round(b, 4), p, v) for a, b, p, v in phrase.notes.tolist()),
            chords=tuple((round(span.start, 3), round(span.end, 3), span.chord.name) for span in phrase.chords),
            beats=plan.scene.meter.beats_per_bar,
            theme=phrase.provenance.theme,
            variation=phrase.provenance.variation,
        )


def save(rows: Iterable[PartInBar], path: Path) -> None:
    """Keep some hours, as lines of JSON."""
    with gzip.open(path, "wt", compresslevel=3) as file:
        file.writelines(json.dumps(asdict(row)) + "\n" for row in rows)


def load(path: Path) -> list[PartInBar]:
    """Hours that were kept."""
    with gzip.open(path, "rt") as file:
        lines = [json.loads(line) for line in file]
    return [
        PartInBar(
            **line | {"notes": tuple(map(tuple, line["notes"])), "chords": tuple(map(tuple, line["chords"]))}  # pyright: ignore
        )
        for line in lines
    ]
