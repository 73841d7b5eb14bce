"""The measures of hours of notes find what was put there, and not what was not."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.proofs.hours import drums, form, harmony, melodies, notes, room
from tests.proofs.hours.notes import PartInBar


def row(bar: int, part: str, *played: tuple[float, float, int, int], **more: object) -> PartInBar:
    """A bar of four beats at 120 qpm in C major, of a pass of eight bars."""
    known: dict[str, object] = {
        "t": bar * 2.0,
        "qpm": 120.0,
        "sec": "ab"[bar // 8 % 2],
        "ps": bar // 8,
        "pb": bar % 8,
        "pn": 8,
        "key": "C major",
        "scale": (0, 2, 4, 5, 7, 9, 11),
        "heard": True,
        "org": "rules",
        "gen": "",
        "why": "",
        "chords": (),
    }
    return PartInBar(bar=bar, part=part, notes=tuple(played), **(known | more))  # type: ignore[arg-type]


def by_chance(bars: int, seed: int = 1) -> list[PartInBar]:
    chance = random.Random(seed)
    return [
        row(bar, "tune", *((beat, beat + 1, chance.randrange(50, 80), chance.randrange(40, 127)) for beat in range(4)))
        for bar in range(bars)
    ]


def test_a_melody_that_comes_back_in_another_key_is_recalled_and_a_random_one_is_not():
    once = by_chance(8)
    again = [row(one.bar + 8, "tune", *((a, b, pitch + 5, v) for a, b, pitch, v in one.notes)) for one in once]
    found = melodies.recall(melodies.cells(melodies.melody_of([*once, *again], "tune")))
    assert found.near == pytest.approx(28 / 60)
    assert melodies.recall(melodies.cells(melodies.melody_of(by_chance(64), "tune"))).near < 0.01
    assert melodies.whole_bars_again([*once, *(row(one.bar + 8, "tune", *one.notes) for one in once)], "tune") == 0.5


def test_a_section_that_takes_up_another_of_ten_minutes_ago_recalls_it_and_one_of_two_minutes_ago_does_not():
    theme = by_chance(8)
    for later, share in ((300, 0.5), (60, 0.0)):
        back = [row(one.bar + later - later % 8, "tune", *one.notes) for one in theme]
        assert melodies.passes_that_recall([*theme, *back], "tune") == share


def test_keys_that_change_are_heard_and_sevens_of_one_collection_are_not():
    white = [
        row(bar, "tune", *((beat, beat + 1, 60 + (0, 2, 4, 5, 7, 9, 11)[(bar + beat) % 7], 80) for beat in range(4)))
        for bar in range(60)
    ]
    black = [
        row(one.bar + 60, "tune", *((a, b, pitch + 6, v) for a, b, pitch, v in one.notes), key="F# major")
        for one in white
    ]
    still = harmony.keys(white)
    assert (still.windows, still.whole, list(still.collections)) == (1.0, 1.0, [0])
    moving = harmony.keys([*white, *black])
    assert moving.windows == 1.0
    assert moving.whole < 0.7
    assert moving.collections == pytest.approx({0: 0.5, 6: 0.5})
    assert moving.apart > 0.5


def test_runs_of_chords_and_cadences_are_counted():
    names = ["C", "F", "G", "C", "Am", "Dm", "G", "C"]
    rows = [row(bar, "pad", chords=((0.0, 4.0, names[bar % 8]),)) for bar in range(64)]
    changes = harmony.chord_changes(rows, "pad")
    assert harmony.chord_runs_again(changes) > 0.8
    ends, others = harmony.cadences(rows, "pad")
    assert ends == 1.0
    assert others == pytest.approx(3 / 7, abs=0.03)
    bass = [row(bar, "bass", (0, 4, 36 if bar % 16 == 7 else 43, 80)) for bar in range(64)]
    assert harmony.tonic_in_bass_at_ends(bass) == 0.5
    # A note that began bars ago sounds at the end, too.
    held = [row(bar, "bass", *([(0, 16, 36, 80)] if bar % 16 == 4 else [])) for bar in range(64)]
    assert harmony.tonic_in_bass_at_ends([*held, *(row(bar, "top", (3, 4, 67, 80)) for bar in range(64))]) == 0.5


def test_of_a_choir_that_means_no_chords_those_count_that_it_sings():
    sung = {"C": (48, 64, 67), "F": (53, 60, 69), "G": (55, 62, 71)}
    rows = [
        row(bar, "choir", *((0, 4, pitch, 80) for pitch in sung["CFGC"[bar % 4]] + (72,) * (bar % 4 == 0)))
        for bar in range(64)
    ]
    assert harmony.cadences(rows, "choir") == (1.0, pytest.approx(3 / 7, abs=0.1))


def test_what_differs_between_hours_and_sections_is_measured():
    assert form.divergence(Counter({0: 1}), Counter({1: 1})) == 1.0
    assert form.divergence(Counter({0: 3}), Counter({0: 9})) == 0.0
    rows = [
        row(
            bar,
            "tune",
            *((beat / 2, beat / 2 + 0.4, 60, 60 + 20 * (bar // 8 % 2)) for beat in range(1 + 7 * (bar // 300 % 2))),
        )
        for bar in range(1800)
    ]
    assert form.form(rows).density == pytest.approx(8, abs=0.1)
    assert form.velocity_range_of_sections(rows, "tune") == pytest.approx(20, abs=0.1)
    assert form.rhythms_of_an_hour(rows, "tune") == (2.0, 0.5)


def test_a_machine_at_the_drums_is_told_from_a_hand():
    chance = random.Random(2)
    machine = [row(bar, "kit", *((step / 4, step / 4 + 0.1, 38, 127) for step in range(16))) for bar in range(64)]
    hand = [
        row(
            bar,
            "kit",
            *(
                (step / 4 + chance.gauss(0, 0.03), step / 4 + 0.1, 38, chance.choice((30, 60, 90, 120)))
                for step in range(16)
                if chance.random() < 0.6
            ),
        )
        for bar in range(64)
    ]
    stiff, loose = drums.drums(machine, "kit"), drums.drums(hand, "kit")
    assert (stiff.loudest, stiff.ghosts, stiff.commonest, stiff.likeness, stiff.timing) == (1.0, 0.0, 1.0, 1.0, 0.0)
    assert loose.loudest == 0
    assert loose.ghosts == pytest.approx(0.25, abs=0.05)
    assert loose.likeness < 0.6
    fills = [
        row(bar, "kit", *((step, step + 0.1, 38, 90) for step in range(4 if bar % 8 < 7 else 2))) for bar in range(64)
    ]
    assert drums.drums(fills, "kit").changes == (0.5, pytest.approx(0.5 / 7, abs=0.01))
    assert loose.timing == pytest.approx(15, abs=2)
    assert loose.velocities > 25


def test_a_melody_under_a_pad_has_no_room_and_one_above_it_has():
    def with_melody(pitch: int) -> room.Room:
        bars = range(16)
        return room.room(
            [
                *(row(bar, "pad", (0, 4, 60, 70), (0, 4, 64, 70), (0, 4, 40, 70), (0, 4, 43, 70)) for bar in bars),
                *(row(bar, "tune", (1, 2, pitch, 80)) for bar in bars),
            ],
            "tune",
        )

    assert (with_melody(72).doubled, with_melody(72).highest) == (0.0, 1.0)
    assert (with_melody(60).doubled, with_melody(60).highest) == (1.0, 0.0)
    assert with_melody(65).beside == 1.0
    assert with_melody(72).low == 1.0
    ringing = [
        *(row(bar, "tune", (1, 2, 72, 80)) for bar in range(16)),
        *(row(bar, "bell", (1, 2, 80, 80)) for bar in range(16)),
    ]
    assert (room.room(ringing, "tune").highest, room.room(ringing, "tune", above=["bell"]).highest) == (0.0, 1.0)


def test_hours_are_kept_as_they_were_played(tmp_path):
    rows = by_chance(3)
    notes.save(rows, tmp_path / "hours.jsonl.gz")
    assert [one.notes for one in notes.load(tmp_path / "hours.jsonl.gz")] == [one.notes for one in rows]
