"""What a pattern takes of a MIDI file: a track by name or number, some bars; and the ends of its variation.

Files are written and counted by mido; what should be heard is reckoned here from the ticks.
"""

import mido
import pytest

from engine.score.time import Meter
from tests.generators.rules.test_pattern import agree, expected, heard, scene, scene_text
from tests.scenes.writing import errors, pointed_at, right

TICKS = 120
TRACKS = {
    "Lead": (0, [(0, 60), (2, 62), (4, 64), (7, 65), (9, 67), (13, 69)]),
    "Bass": (1, [(0, 36), (6, 38), (12, 40)]),
    "Drums": (9, [(0, 36), (1, 42), (2, 38), (5, 46), (8, 20)]),
    "Gute Nacht": (2, [(3, 72), (14, 74)]),
}
"""Channel, and (beat, pitch) of notes that last a beat, by track."""


@pytest.fixture
def folder(tmp_path):
    file = mido.MidiFile(ticks_per_beat=TICKS, charset="utf-8")
    head = mido.MidiTrack([mido.MetaMessage("track_name", name="Head"), mido.MetaMessage("set_tempo", tempo=400_000)])
    file.tracks.append(head)
    for name, (channel, notes) in TRACKS.items():
        messages = [(beat * TICKS, "note_on", pitch) for beat, pitch in notes]
        messages += [((beat + 1) * TICKS, "note_off", pitch) for beat, pitch in notes]
        track, before = mido.MidiTrack([mido.MetaMessage("track_name", name=name)]), 0
        for tick, kind, pitch in sorted(messages):
            track.append(mido.Message(kind, channel=channel, note=pitch, velocity=70, time=tick - before))
            before = tick
        file.tracks.append(track)
    file.save(tmp_path / "theme.mid")
    return tmp_path


def rows(names, first=0.0, end=1e9):
    found = [
        (beat - first, beat + 1 - first, pitch, 70)
        for name in names
        for beat, pitch in TRACKS[name][1]
        if first <= beat < end and pitch != 20
    ]
    return sorted(found)


def played(folder, given, meter="4/4", instrument="glass_bell", role=""):
    text = f"{{kind: pattern, notes: {{midi: theme.mid{given}}}}}"
    return heard(scene(folder, text + role, meter, instrument=instrument))[0]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("", ["Lead", "Bass", "Gute Nacht"]),
        (", track: Lead", ["Lead"]),
        (", track: Bass", ["Bass"]),
        (", track: Gute Nacht", ["Gute Nacht"]),
        (", track: 1", ["Lead"]),
        (", track: 2", ["Bass"]),
        (", track: 3", ["Gute Nacht"]),
    ],
)
def test_a_track_is_chosen_by_its_name_or_its_number_among_those_with_such_notes(folder, given, names):
    notes = rows(names)
    skipped = min(start for start, *_ in notes) // 4 * 4
    notes = [(start - skipped, end - skipped, pitch, velocity) for start, end, pitch, velocity in notes]
    # It ends with the bar of its last note.
    period = 4.0 * (max(start for start, *_ in notes) // 4 + 1)
    agree(played(folder, given), expected(notes, period, 28.0))


@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "7/8", "5/4"])
@pytest.mark.parametrize(("first", "last"), [(1, 1), (2, 2), (1, 2), (2, 3)])
def test_bars_are_counted_from_1_in_the_meter_of_the_scene(folder, meter, first, last):
    bar = Meter.parse(meter).beats_per_bar
    notes = rows(["Lead"], (first - 1) * bar, last * bar)
    given = f", track: Lead, bars: {first if first == last else f'{first}..{last}'}"
    agree(played(folder, given, meter), expected(notes, (last + 1 - first) * bar, 7 * bar))


def test_bars_begin_at_their_first_beat_even_where_it_is_silent(folder):
    assert played(folder, ", track: Gute Nacht, bars: 1")[0][0] == 3.0


def test_a_part_of_drums_takes_the_drums_of_the_nine_classes(folder):
    text = scene_text("{kind: pattern, notes: {midi: theme.mid, bars: 1..2}}").replace(
        "    phrase", "    role: drums\n    phrase", 1
    )

    agree(heard(right(folder, text.replace("glass_bell", "electronic_kit")))[0], expected(rows(["Drums"]), 8.0, 28.0))


@pytest.mark.parametrize(
    ("given", "marked", "words"),
    [
        (", track: Led", "Led", "track"),
        (", track: Drums", "Drums", "track"),
        (", track: 9", "9", "track"),
        (", track: 0", "0", "track"),
        (", track: true", "true", "track"),
        (", bars: 40", "40", "no notes in these bars"),
        (", bars: 0..2", "0..2", "no bars"),
        (", bars: 3..2", "3..2", "no bars"),
        (", bars: two", "two", "no bars"),
        (", bars: 1.5", "1.5", "no bars"),
    ],
)
def test_a_track_or_bars_that_there_are_not_are_pointed_at(folder, given, marked, words):
    (found,) = errors(folder, scene_text(f"{{kind: pattern, notes: {{midi: theme.mid{given}}}}}"))
    assert words in found.message
    assert pointed_at(found) == marked


@pytest.mark.parametrize("meter", ["4/4", "6/8", "7/8"])
def test_without_variation_a_file_is_heard_as_it_is_written_over_a_hundred_bars(folder, meter):
    bar = Meter.parse(meter).beats_per_bar
    text = "{kind: pattern, notes: {midi: theme.mid, track: Lead, bars: 1..3}, variation: 0 %}"
    found = heard(scene(folder, text, meter))
    ends = [*list(found)[1:], 100]
    for (first, part), end in zip(found.items(), ends, strict=True):
        agree(part, expected(rows(["Lead"], 0, 3 * bar), 3 * bar, (end - first) * bar))


@pytest.mark.parametrize("meter", ["4/4", "6/8", "7/8"])
def test_full_variation_leaves_little_as_it_was_and_stays_in_the_bars_and_within_midi(folder, meter):
    text = "{{kind: pattern, notes: {{midi: theme.mid, track: Lead, bars: 1..3}}, variation: {} %}}"
    plain, free = (heard(scene(folder, text.format(share), meter)) for share in (0, 100))
    assert list(plain) == list(free)
    bar, kept, total = Meter.parse(meter).beats_per_bar, 0, 0
    for (first, written), end in zip(plain.items(), [*list(plain)[1:], 100], strict=True):
        kept += len(set(written) & set(free[first]))
        total += len(written)
        assert all(0 <= start < (end - first) * bar and 0 <= pitch <= 127 for start, _, pitch, _ in free[first])
    assert kept < 0.35 * total


def test_a_note_that_is_varied_at_some_share_is_varied_at_more_of_it_too(folder):
    text = "{{kind: pattern, notes: {{midi: theme.mid, track: Lead, bars: 1..4}}, variation: {} %}}"
    plain, some, more = (heard(scene(folder, text.format(share)))[0] for share in (0, 30, 60))
    left = [set(plain) & set(one) for one in (some, more)]
    assert left[1] <= left[0]
    assert len(left[1]) < len(left[0]) < len(plain)
