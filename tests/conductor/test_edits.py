"""Random walks of edits, in virtual time: whatever is saved, the music goes on, and the last good edit plays.

`PERPETUUM_EDITS=30000` takes that many steps instead of a few hundred.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from engine.form.curves import Curve
from engine.form.scene import Form, Modulation, PlannedQuiet, Section, Tempo
from engine.form.shapes import SHAPES
from engine.score.harmony.keys import Key
from engine.score.harmony.relations import RELATIONS, Relation
from engine.score.time import SAMPLE_RATE, Meter
from engine.sound.messages import Forget, Notes, Release
from engine.units import Range
from tests.conductor.stage import Performance, kinds, part, scene  # noqa: F401

pytestmark = pytest.mark.usefixtures("kinds")

STEPS = int(os.environ.get("PERPETUUM_EDITS", "400"))


def edited(rng: np.random.Generator):
    """A scene with sections, parts, lengths, meter and tempi as they come."""
    pool = [
        part("pad", "rule", int(rng.integers(1, 6))),
        part("lead", "net", int(rng.integers(1, 6)), chords="pad"),
        part("felt", "rule", int(rng.integers(1, 9)), transforms=("feel",)),
        part("other", "net", int(rng.integers(1, 4))),
    ]
    chosen = [pool[0], *(one for one in pool[1:] if rng.random() < 0.6)]
    names = [str(name) for name in rng.permutation(list("abcde"))[: rng.integers(1, 5)]]
    sections = []
    for name in names:
        low = int(rng.integers(1, 9))
        parts = tuple(one.name for one in chosen if rng.random() < 0.7) or ("pad",)
        follows = {str(rng.choice(names)): 1.0} if rng.random() < 0.5 else {}
        repeat = Range(1, int(rng.integers(1, 4)))
        tempo = Tempo(Range(60, 200), Curve((90.0, 150.0))) if rng.random() < 0.2 else None
        key = (None, Key(int(rng.integers(12)), "minor"), Relation(str(rng.choice(list(RELATIONS)))))[rng.integers(3)]
        dynamics = Curve((-2.0, 1.5)) if rng.random() < 0.3 else None
        bars = Range(low, low + int(rng.integers(0, 5)))
        sections.append(Section(name, bars, parts, repeat, follows, (), tempo, key, dynamics))
    made = scene(chosen, sections, opening=int(rng.choice([0, 3])), qpm=float(rng.integers(40, 240)))
    return replace(
        made,
        meter=Meter.parse(str(rng.choice(["4/4", "3/4", "7/8", "5/4"]))),
        key=Key(int(rng.integers(12))),
        period=int(rng.choice([0, 3, 8])),
        modulation=wandering(rng) if rng.random() < 0.5 else None,
        form=formed(rng, names) if rng.random() < 0.5 else None,
    )


def wandering(rng: np.random.Generator) -> Modulation:
    """A home key that wanders, in seconds rather than minutes."""
    return Modulation(str(rng.choice(["fifths", "thirds", "mediants"])), Range(5.0, 40.0), int(rng.integers(1, 4)))


def formed(rng: np.random.Generator, names: list[str]) -> Form:
    """A form whose movements last seconds rather than minutes."""

    def some() -> str | None:
        return str(rng.choice(names)) if rng.random() < 0.5 else None

    quiet = some()
    return Form(
        movement=Range(20.0, 90.0),
        shapes={str(rng.choice(list(SHAPES))): 1.0, "arc": 1.0},
        dynamics=Range(-2.0, float(rng.integers(-2, 3))),
        tempo=Range(0.9, 1.1),
        density=Range(0.5, 1.3),
        parts=Range(0.3, 1.0),
        reach=int(rng.integers(0, 8)),
        opening=some(),
        closing=some(),
        refrain=some(),
        tutti=some(),
        quiet=PlannedQuiet(quiet, Range(30.0, 60.0)) if quiet is not None else None,
    )


def heard(messages: list[object]) -> tuple[list[tuple], list[int]]:
    """The notes that the sound has in the end, after what was forgotten, and the frames that were released."""
    notes: list[tuple] = []
    released = []
    for message in messages:
        if isinstance(message, Notes):
            notes += [(message.part, *row) for row in message.notes.tolist()]
        elif isinstance(message, Forget):
            notes = [note for note in notes if note[1] < message.frame]
        elif isinstance(message, Release):
            released.append(message.frame)
    return notes, released


@pytest.mark.parametrize("seed", range(4))
def test_a_walk_of_edits_never_stops_the_music_and_the_last_edit_plays(seed):
    rng = np.random.default_rng(seed)
    played = Performance(edited(rng), seed, duration=lambda job: int(rng.integers(0, 3 * SAMPLE_RATE)))
    conductor, counted, end = played.conductor, 0, 0
    for _ in range(STEPS // 4):
        for _ in range(int(rng.choice([1, 2, 3, 10], p=[0.4, 0.3, 0.2, 0.1]))):
            last = edited(rng)
            bar = conductor.reload(last)
            assert bar.start == end or conductor.next_bar == 0
        before = heard(played.sent)[0]
        conductor.run(conductor.next_bar + int(rng.integers(0, 12)))
        after = heard(played.sent)[0]
        assert after[: len(before)] == before, "notes of sealed bars were changed"
        bars: dict = {}
        for sealed in played.sealed[counted:]:
            bars[sealed.bar.index] = sealed.bar
            assert last.parts[sealed.part] is not None
            assert sealed.visit.section is last.sections[sealed.visit.section.name]
            assert sealed.bar.beats == pytest.approx(last.meter.beats_per_bar)
            assert sealed.phrase.length == pytest.approx(sealed.bar.beats)
            assert sealed.visit.first_bar <= sealed.bar.index < sealed.visit.end_bar
        for index in sorted(bars):
            assert bars[index].start == end, "bars are to follow each other without gap or overlap"
            end = bars[index].end
        counted = len(played.sealed)
        played.sent = [message for message in played.sent[-200:] if not isinstance(message, Notes)]
    released = heard(played.sent)[1]
    assert released == sorted(released)


@pytest.mark.parametrize("seed", range(30))
def test_of_several_edits_before_the_next_bar_only_the_last_counts(seed):
    """As if the others had never been saved: the same notes."""
    rng = np.random.default_rng(seed)
    first, between, last = edited(rng), [edited(rng) for _ in range(3)], edited(rng)
    bars = int(rng.integers(0, 20))
    walks = []
    for edits in ([last], [*between, last]):
        played = Performance(first, seed, duration=lambda job: 0).play(bars)
        for edit in edits:
            played.conductor.reload(edit)
        walks.append(heard(played.play(bars + 24).sent)[0])
    assert walks[0] == walks[1]


def test_an_edit_that_cannot_be_played_changes_nothing(monkeypatch):
    rng = np.random.default_rng(1)
    first, bad = edited(rng), replace(edited(rng), sections={})
    played, other = (Performance(first).play(9) for _ in range(2))
    with pytest.raises(StopIteration):
        played.conductor.reload(bad)
    assert heard(played.play(30).sent) == heard(other.play(30).sent)
