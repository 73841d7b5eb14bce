"""Requests and phrases for the tests of generators."""

from dataclasses import replace

import numpy as np

from engine.generators.chain import make_phrase
from engine.generators.contract import GENERATORS, Link, Place, Request
from engine.score.harmony.keys import Key
from engine.score.phrase import Origin, Phrase, Provenance
from engine.score.time import STEPS_PER_BEAT, Meter

RULES = ("chord_walk", "bass_line", "melody_rules", "arpeggio", "drum_rules")
MELODIC_RULES = RULES[:-1]
KEYS = ("C major", "D dorian", "A minor", "E phrygian", "F lydian", "G mixolydian", "B locrian", "A harmonic minor")
KEYS += ("C# melodic minor", "Eb major pentatonic", "A minor pentatonic", "C whole tone", "F# chromatic")
METERS = ("4/4", "3/4", "5/4", "7/8", "6/8")
GIVEN = Provenance("given", Origin.RULES)


def request(
    kind_name: str,
    *,
    bars: int = 4,
    meter: str = "4/4",
    key: str = "D dorian",
    seed: int = 1,
    bar: int = 0,
    section_bars: int = 16,
    pass_index: int = 0,
    chords: Phrase | None = None,
    rhythm: Phrase | None = None,
    settings: dict | None = None,
    **more,
) -> Request:
    described = GENERATORS.get(kind_name)
    sources = {link: phrase for link, phrase in ((Link.CHORDS, chords), (Link.RHYTHM, rhythm)) if phrase is not None}
    return Request(
        part=kind_name,
        role=described.roles[0],
        bars=bars,
        meter=Meter.parse(meter),
        qpm=90.0,
        key=Key.parse(key),
        seed=seed,
        settings=described.settings(**(settings or {})),
        place=Place("a", pass_index, bar, section_bars, bar),
        sources=sources,
        **more,
    )


def made(kind_name: str, **how) -> Phrase:
    return make_phrase(kind_name, request(kind_name, **how), {})[0]


def changed(asked: Request, **how) -> Request:
    return replace(asked, **how)


def phrase(notes, beats: float = 16.0, chords=()) -> Phrase:
    return Phrase.of(notes, beats, GIVEN, chords)


def pitches(made_phrase: Phrase) -> list[int]:
    return made_phrase.notes["pitch"].astype(int).tolist()


def starts_in_steps(made_phrase: Phrase) -> set[int]:
    return set(np.rint(made_phrase.notes["start"] * STEPS_PER_BEAT).astype(int).tolist())


def same_notes(one: Phrase, other: Phrase) -> bool:
    return len(one.notes) == len(other.notes) and bool(np.all(one.notes == other.notes))
