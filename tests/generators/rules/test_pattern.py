"""The pattern generator: what is written is what is heard, through the real plan and conductor in virtual time."""

from pathlib import Path

import mido
import numpy as np
import pytest

from engine.conductor.clocks import FastClock
from engine.conductor.conductor import Conductor
from engine.conductor.makers.contract import Reply
from engine.form.plan import Plan
from engine.runtime.rules import ladder_over
from tests.conductor.sealed import EachPart
from tests.conductor.virtual import VirtualMakers
from tests.scenes.writing import only_error, pointed_at, right

SCENE = """\
perpetuum: 1
title: As written
meter: {meter}
tempo: {tempo}
key: A minor
parts:
  one:
    generator: {generator}
    phrase: {phrase}
    instrument: {instrument}
sections:
  first: {{bars: 7 bars, parts: [one]}}
  second: {{bars: 5 bars, parts: [one], tempo: 70 -> 130 qpm, key: E major}}
"""
TUNE = "A4:1@101 C5:1/3@33 D5 E5 ~:1/4 [A3 E4]:3/4@90"
GRID = "bd: x..o..|hh: X.|sn: ...x.."


def scene(folder, generator, meter="4/4", tempo="84..92 qpm", phrase="4 bars", instrument="glass_bell"):
    return right(
        folder,
        SCENE.format(generator=generator, meter=meter, tempo=tempo, phrase=phrase, instrument=instrument),
    )


def heard(played, bars=100, seed=3):
    """What the one part of a scene plays, as `heard_by_part`."""
    (found,) = heard_by_part(played, bars, seed).values()
    return found


def heard_by_part(played, bars=100, seed=3):
    """Rows of every section that was played, by part and the section's first bar.

    A row is (start in beats from the section's start, length, pitch, velocity).
    """
    found = {name: {} for name in played.parts}

    def listen(sealed):
        offset = (sealed.bar.index - sealed.visit.first_bar) * played.meter.beats_per_bar
        rows = [(start + offset, end - start, pitch, vel) for start, end, pitch, vel in sealed.phrase.notes.tolist()]
        found[sealed.part].setdefault(sealed.visit.first_bar, []).extend(rows)

    plan = Plan(played, seed)
    each_part = EachPart(listen)
    ladder = ladder_over(VirtualMakers(lambda job: Reply(job.ticket, None, None, "no networks here")))
    each_part.conductor = Conductor(plan, ladder, lambda sent: None, FastClock(), publish=each_part)
    each_part.conductor.run(bars)
    return found


def expected(rows, period, beats):
    """The pattern written out over some beats."""
    turns = range(int(np.ceil(beats / period)))
    return [
        (start + turn * period, end - start, pitch, velocity)
        for turn in turns
        for start, end, pitch, velocity in rows
        if start + turn * period < beats - 1e-6
    ]


def agree(found, wanted):
    assert len(found) == len(wanted)
    order = sorted(found, key=lambda row: (round(row[0], 6), row[2]))
    other = sorted(wanted, key=lambda row: (round(row[0], 6), row[2]))
    np.testing.assert_allclose(np.array(order), np.array(other), atol=1e-9)


TUNE_ROWS = [
    (0.0, 1.0, 69, 101),
    (1.0, 4 / 3, 72, 33),
    (4 / 3, 5 / 3, 74, 33),
    (5 / 3, 2.0, 76, 33),
    (2.25, 3.0, 57, 90),
    (2.25, 3.0, 64, 90),
]
GRID_ROWS = [
    (0.0, 0.25, 36, 90),
    (0.0, 0.25, 42, 115),
    (0.5, 0.75, 42, 115),
    (0.75, 1.0, 36, 45),
    (0.75, 1.0, 38, 90),
    (1.0, 1.25, 42, 115),
]


@pytest.mark.parametrize("meter", ["4/4", "6/8", "7/8"])
@pytest.mark.parametrize(
    ("notes", "rows", "period"), [(TUNE, TUNE_ROWS, 3.0), (GRID, GRID_ROWS, 1.5)], ids=["notes", "grid"]
)
def test_without_variation_a_hundred_bars_are_what_is_written(tmp_path, meter, notes, rows, period):
    """Across phrases, changes of section, key and tempo; lengths that do not divide the bar keep their own period."""
    instrument = "electronic_kit" if notes is GRID else "glass_bell"
    played = scene(tmp_path, f'{{kind: pattern, notes: "{notes}"}}', meter, instrument=instrument)
    found = heard(played)
    assert len(found) > 15
    bars = dict(zip(found, [*list(found)[1:], 100], strict=False))
    for first, end in bars.items():
        agree(found[first], expected(rows, period, (end - first) * played.meter.beats_per_bar))


@pytest.mark.parametrize("ticks", [96, 120, 480, 1000])
def test_a_midi_file_is_heard_as_it_is_written_whatever_its_ticks(tmp_path, ticks):
    rows = [(0, ticks, 60, 11), (ticks + ticks // 3, 2 * ticks, 64, 77), (5 * ticks, 8 * ticks, 67, 127)]
    messages = sorted(
        [(start, 1, pitch, velocity) for start, _, pitch, velocity in rows]
        + [(end, 0, pitch, 0) for _, end, pitch, _ in rows]
    )
    track, before = mido.MidiTrack(), 0
    for tick, _, pitch, velocity in messages:
        track.append(mido.Message("note_on", note=pitch, velocity=velocity, time=tick - before))
        before = tick
    file = mido.MidiFile(ticks_per_beat=ticks)
    file.tracks.append(track)
    file.save(tmp_path / "theme.mid")
    played = scene(tmp_path, "{kind: pattern, notes: {midi: theme.mid}}")
    wanted = [(start / ticks, end / ticks, pitch, velocity) for start, end, pitch, velocity in rows]
    agree(heard(played)[0], expected(wanted, 8.0, 28.0))


@pytest.mark.parametrize(
    ("restart", "starts"),
    [
        ("section", [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]),
        ("phrase", [0, 3, 6, 8, 11, 14, 16, 19, 22, 24, 27]),
        ("bar", [0, 4, 8, 12, 16, 20, 24]),
    ],
)
def test_restart_says_when_a_pattern_of_three_beats_begins_anew(tmp_path, restart, starts):
    played = scene(tmp_path, f'{{kind: pattern, notes: "C4:3", restart: {restart}}}', phrase="2 bars")
    assert [row[0] for row in heard(played)[0]] == starts


def test_a_condition_is_a_turn_or_a_chance(tmp_path):
    played = scene(tmp_path, '{kind: pattern, notes: "C4:2?2:3 D4:2?25%"}')
    rows = [row for part in heard(played, 600).values() for row in part]
    turns = [row[0] // 4 for row in rows if row[2] == 60]
    assert {turn % 3 for turn in turns} == {1.0}
    assert 0.18 < sum(row[2] == 62 for row in rows) / 600 < 0.32


@pytest.mark.parametrize("notes", [TUNE, GRID])
def test_variation_changes_more_notes_the_more_there_is_and_repeats_with_the_seed(tmp_path, notes):
    instrument = "electronic_kit" if notes is GRID else "glass_bell"
    kept = []
    plain = {}
    for share in (0, 25, 50, 100):
        played = scene(tmp_path, f'{{kind: pattern, notes: "{notes}", variation: {share} %}}', instrument=instrument)
        found = heard(played)
        assert found == heard(played)
        plain = plain or found
        same = sum(len(set(found[first]) & set(plain[first])) for first in plain)
        kept.append(same / sum(len(rows) for rows in plain.values()))
        pitches = {row[2] for rows in found.values() for row in rows}
        assert notes is TUNE or pitches <= {36, 38, 42, 45, 46}
    assert kept[0] == 1.0
    assert kept[0] > kept[1] > kept[2] > kept[3]
    assert kept[3] < 0.35


def test_a_section_can_have_other_notes(tmp_path):
    text = SCENE.format(
        generator='{kind: pattern, notes: "C4:4"}',
        meter="4/4",
        tempo="90 qpm",
        phrase="4 bars",
        instrument="glass_bell",
    )
    played = right(tmp_path, text.replace("E major}", 'E major, move: {one.notes: "D4:2 E4:2"}}'))
    found = heard(played, 12)
    assert {row[2] for row in found[0]} == {60}
    assert {row[2] for row in found[7]} == {62, 64}


def scene_text(generator):
    return SCENE.format(generator=generator, meter="4/4", tempo="90 qpm", phrase="4 bars", instrument="glass_bell")


@pytest.mark.parametrize(
    ("generator", "place", "words"),
    [
        ('{kind: pattern, notes: "C4:1 H4"}', "H4", "`H4` is no note"),
        ('{kind: pattern, notes: "C4:3 | D4"}', "|", "no bar ends here"),
        ('{kind: pattern, notes: "C4:1@200"}', "200", "no velocity"),
        ('{kind: pattern, notes: "C4:1?120%"}', "?120%", "no condition"),
        ('{kind: pattern, notes: "C4:1?5:4"}', "?5:4", "no condition"),
        ('{kind: pattern, notes: "C4:1?30 D4"}', "?30", "no condition"),
        ("{kind: pattern, notes: {bd: x..y}}", "y", "no step"),
        ("{kind: pattern, notes: {bx: x...}}", "bx", "unknown drum"),
        ('{kind: pattern, notes: "C4:300"}', "300", "no length"),
        ('{kind: pattern, notes: "C4:1/64"}', '"C4:1/64"', "too dense"),
        ("{kind: pattern, notes: {midi: none.mid}}", "none.mid", "no MIDI file"),
        ("{kind: pattern, notes: {midi: ., bars: 1}}", ".", "no MIDI file"),
        ("{kind: pattern, notes: {midi: text.mid}}", "text.mid", "not a readable MIDI file"),
        ("{kind: pattern, notes: {midi: text.mid, bras: 1}}", "bras", "unknown key"),
        ("{kind: pattern, notes: {midi: text.mid, bars: 4..2}}", "4..2", "no bars"),
        ("{kind: pattern, notes: 5}", "5", "will not do"),
        ("pattern", "pattern", "has no `notes`"),
    ],
)
def test_check_says_what_is_wrong_at_its_place(tmp_path, generator, place, words):
    Path(tmp_path / "text.mid").write_text("no music")
    error = only_error(tmp_path, scene_text(generator))
    assert words in error.message
    assert pointed_at(error) in (place, place.strip('"'))


def test_a_grid_makes_a_part_of_drums_unless_it_says_otherwise(tmp_path):
    played = scene(tmp_path, '{kind: pattern, notes: "bd: x..."}', instrument="electronic_kit")
    assert played.parts["one"].role == "drums"
    text = scene_text('{kind: pattern, notes: "bd: x..."}').replace("    phrase", "    role: melody\n    phrase", 1)
    assert "plays no drums" in only_error(tmp_path, text).message
