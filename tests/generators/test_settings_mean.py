"""Settings do what docs/scene-settings.md says of them, at both of their ends and in all meters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.generators.harmony import chords_of
from engine.score.harmony.chords import Chord
from engine.score.harmony.keys import Key
from engine.score.phrase import ChordSpan
from engine.score.time import Meter
from tests.conductor.sealed import EachPart
from tests.generators.asking import KEYS, made, phrase, request
from tests.generators.rules.test_pattern import heard_by_part
from tests.generators.transforms.test_transforms import applied
from tests.scenes.writing import load_text, right

METERS = {
    "4/4": (0, 1, 2, 3),
    "3/4": (0, 1, 2),
    "2/2": (0, 2),
    "2/4": (0, 1),
    "5/4": (0, 1, 2, 3, 4),
    "3/8": (0,),
    "6/8": (0, 1.5),
    "9/8": (0, 1.5, 3),
    "12/8": (0, 1.5, 3, 4.5),
    "5/8": (0, 1.5),
    "7/8": (0, 1, 2),
    "3/2": (0, 2, 4),
    "6/16": (0, 0.75),
}
"""Main beats of a bar in quarter notes: dotted ones in compound meters, 3 + 2 and 2 + 2 + 3 in uneven ones."""
TIMES = st.lists(st.integers(0, 63), min_size=1, max_size=20, unique=True)
FOUR = "4/4"


def asked(meter, name="melody_rules", **how):
    return request(name, meter=meter, bars=4, **how)


def sixteenths(meter, bars=4):
    beats = bars * Meter.parse(meter).beats_per_bar
    return phrase([(step / 4, step / 4 + 0.2, 60, 80) for step in range(round(beats * 4))], beats)


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("grid", ["eighths", "sixteenths"])
@pytest.mark.parametrize("amount", ["1 %", "30 %", "100 %"])
def test_no_swing_moves_a_main_beat(meter, grid, amount):
    source, bar = sixteenths(meter), Meter.parse(meter).beats_per_bar
    found = applied("swing", source, asked=asked(meter), amount=amount, grid=grid)
    kept = set(np.round(found.notes["start"], 9).tolist())
    assert {number * bar + beat for number in range(4) for beat in METERS[meter]} <= kept
    assert len(found.notes) == len(source.notes)
    assert np.all(found.notes["start"] >= source.notes["start"] - 1e-9)


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("grid", ["eighths", "sixteenths"])
def test_without_swing_nothing_moves_and_a_full_one_makes_triplets(meter, grid):
    source = sixteenths(meter)
    straight = applied("swing", source, asked=asked(meter), amount="0 %", grid=grid)
    np.testing.assert_allclose(straight.notes["start"], source.notes["start"], atol=1e-9)
    found = applied("swing", source, asked=asked(meter), amount="100 %", grid=grid)
    pair = 1.0 if grid == "eighths" else 0.5
    beats, bar = (*METERS[meter], Meter.parse(meter).beats_per_bar), Meter.parse(meter).beats_per_bar
    for step, start in enumerate(found.notes["start"].tolist()):
        place = step / 4 % bar
        begin = max(beat for beat in beats if beat <= place)
        length = min(beat for beat in beats if beat > place) - begin
        inside, offset = place - begin, step / 4 - place + begin
        if length % pair:
            assert start == pytest.approx(offset + inside)
        elif inside % pair == pytest.approx(pair / 2):
            assert start == pytest.approx(offset + inside // pair * pair + pair * 2 / 3)


@pytest.mark.parametrize(("meter", "grid", "told"), [("6/8", "eighths", True), ("6/8", "sixteenths", False)])
def test_check_says_where_nothing_swings(tmp_path, meter, grid, told):
    text = f"""\
perpetuum: 1
title: Swing
meter: {meter}
tempo: 90 qpm
key: C major
parts: {{one: {{generator: melody_rules, transforms: [swing: {{grid: {grid}}}], instrument: glass_bell}}}}
sections: {{a: {{bars: 8 bars, parts: [one]}}}}
"""
    scene, found = load_text(tmp_path, text)
    assert scene is not None
    assert [one.message for one in found] == (
        ["in 6/8 no eighths come in pairs, so that nothing swings; take `grid: sixteenths`"] if told else []
    )


def silent_bars(found, bars, bar):
    return [
        number
        for number in range(bars)
        if not ((found.notes["start"] < (number + 1) * bar - 1e-6) & (found.notes["end"] > number * bar + 1e-6)).any()
    ]


@given(
    meter=st.sampled_from(sorted(METERS)),
    key=st.sampled_from(KEYS),
    seed=st.integers(0, 2**40),
    bars=st.integers(1, 9),
    density=st.integers(0, 100),
    syncopation=st.integers(0, 100),
    ends=st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_a_melody_without_breath_has_no_silent_bar(meter, key, seed, bars, density, syncopation, ends):
    how = {"breath": "0 %", "density": f"{density} %", "syncopation": f"{syncopation} %"}
    bar = Meter.parse(meter).beats_per_bar
    found = made(
        "melody_rules", meter=meter, key=key, seed=seed, bars=bars, section_bars=bars if ends else 64, settings=how
    )
    assert silent_bars(found, bars, bar) == []


@pytest.mark.parametrize("meter", ["4/4", "6/8", "7/8"])
def test_without_breath_a_scene_has_no_silent_bar_either_and_with_all_of_it_it_has_many(tmp_path, meter):
    text = """\
perpetuum: 1
title: Breath
meter: {meter}
tempo: 90 qpm
key: D dorian
parts:
  pad: {{generator: chord_walk, instrument: warm_pad}}
  one: {{generator: {{kind: melody_rules, chords: pad, breath: {breath} %, density: 15 %}}, instrument: glass_bell}}
sections: {{a: {{bars: 11 bars, parts: [pad, one]}}}}
"""
    bar = Meter.parse(meter).beats_per_bar
    silent = {}
    for breath in (0, 100):
        rows = heard_by_part(right(tmp_path, text.format(meter=meter, breath=breath)), 110)["one"]
        silent[breath] = sum(
            not any(start < (number + 1) * bar - 1e-6 and start + length > number * bar for start, length, _, _ in part)
            for part in rows.values()
            for number in range(11)
        )
    assert silent[0] == 0
    assert silent[100] > 20


def progressions(folder, recall, meter="4/4", more=""):
    """The chords of each time through the sections, out of what the pad means."""
    from engine.conductor.clocks import FastClock
    from engine.conductor.conductor import Conductor
    from engine.form.plan import Plan
    from engine.runtime.rules import ladder_over
    from tests.conductor.virtual import VirtualMakers

    scene = right(
        folder,
        f"""\
perpetuum: 1
title: Recall
meter: {meter}
tempo: 90 qpm
key: D dorian
parts:
  pad: {{generator: {{kind: chord_walk, vary: 0 %, recall: {recall} %{more}}}, instrument: warm_pad}}
themes: {{one: {{chords: i IV v VII}}, two: found, three: found}}
sections:
  a: {{bars: 16 bars, parts: [pad], theme: one}}
  b: {{bars: 8 bars, parts: [pad], key: F major, theme: one}}
""",
    )
    found = {}

    def listen(sealed):
        spans = [(span.start, span.chord) for span in sealed.phrase.chords]
        found.setdefault((sealed.visit.section.name, sealed.visit.index), []).append(spans)

    plan = Plan(scene, 5)
    each_part, ladder = EachPart(listen), ladder_over(VirtualMakers(lambda job: None))
    each_part.conductor = Conductor(plan, ladder, lambda sent: None, FastClock(), publish=each_part)
    each_part.conductor.run(24 * 8)
    return found


@pytest.mark.parametrize("meter", ["4/4", "6/8", "7/8"])
@pytest.mark.parametrize("length", ["1 bar", "2 bars", "3 bars"])
def test_a_walk_that_always_recalls_and_never_varies_has_the_chords_of_its_theme_each_time(tmp_path, meter, length):
    found = progressions(tmp_path, 100, meter, f", chord_length: {length}")
    for name in "ab":
        times = [chords for (section, _), chords in found.items() if section == name]
        assert len(times) == 8
        assert all(chords == times[0] for chords in times)


def test_a_walk_that_never_recalls_is_another_each_time(tmp_path):
    found = [chords for (section, _), chords in progressions(tmp_path, 0).items() if section == "a"]
    assert len({str(chords) for chords in found}) == 8


@pytest.mark.parametrize("meter", ["4/4", "6/8", "7/8", "5/4"])
def test_a_melody_that_always_recalls_begins_each_phrase_with_the_section_s_rhythm(meter):
    bar = Meter.parse(meter).beats_per_bar

    def openings(recall):
        return {
            tuple(np.round(found.notes["start"][found.notes["start"] < 2 * bar - 1e-6], 6).tolist())
            for seed in range(12)
            for found in [made("melody_rules", meter=meter, seed=seed, bars=8, settings={"recall": recall}, theme=7)]
        }

    assert len(openings("100 %")) == 1
    assert len(openings("0 %")) > 6


@given(key=st.sampled_from(KEYS), seed=st.integers(0, 2**40), meter=st.sampled_from(sorted(METERS)))
@settings(max_examples=40, deadline=None)
def test_colour_is_in_no_chord_or_in_all_that_can_have_one(key, seed, meter):
    plain = made("chord_walk", key=key, seed=seed, meter=meter, bars=8, settings={"colour": "0 %", "recall": "0 %"})
    rows = chords_of(Key.parse(key))
    firsts = {row[0] for row in rows if row}
    assert {span.chord for span in plain.chords} <= firsts
    full = made("chord_walk", key=key, seed=seed, meter=meter, bars=8, settings={"colour": "100 %", "recall": "0 %"})
    for span in full.chords:
        (row,) = [row for row in rows if row and row[0].root == span.chord.root]
        # A fourth above the tonic asks to be resolved, and at home there is nothing to resolve to.
        coloured = [chord for chord in row[1:] if chord.quality not in ("m", "", "5", "aug", "dim", "sus4")]
        assert span.chord != row[0] or not coloured or row[0].quality == "sus4"


@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "7/8"])
def test_approach_is_in_no_change_of_chord_or_in_all_with_room_for_it(meter):
    bar = Meter.parse(meter).beats_per_bar
    tones = [Chord(root, quality) for root, quality in ((2, "m"), (7, ""), (0, ""), (9, "m"))]
    spans = [ChordSpan(place * bar, (place + 1) * bar, chord) for place, chord in enumerate(tones)]
    chords = phrase([], 4 * bar, spans)
    beside = {}
    for approach in ("0 %", "100 %"):
        beside[approach] = 0
        for seed in range(20):
            how = {"approach": approach, "style": "pulse", "density": "100 %"}
            asks = {"meter": meter, "seed": seed, "key": "C major", "chords": chords, "section_bars": 64}
            notes = made("bass_line", settings=how, **asks).notes
            for line in (bar, 2 * bar, 3 * bar):
                root = int(notes["pitch"][notes["start"] >= line - 1e-6][0])
                beside[approach] += abs(int(notes["pitch"][notes["start"] < line - 1e-6][-1]) - root) in (1, 2)
    assert beside["100 %"] == 60
    assert beside["0 %"] < 35  # a root or a fifth lies beside the next root by itself


@pytest.mark.parametrize("meter", METERS)
def test_the_ends_of_density_of_a_bass_are_strong_beats_and_everything(meter):
    rhythm = sixteenths(meter)
    full = made("bass_line", meter=meter, rhythm=rhythm, settings={"density": "100 %"})
    assert len(full.notes) == len(rhythm.notes)
    bar = Meter.parse(meter).beats_per_bar
    empty = made("bass_line", meter=meter, rhythm=rhythm, settings={"density": "0 %"})
    assert {0.0, bar, 2 * bar, 3 * bar} <= set(np.round(empty.notes["start"], 6).tolist())
    assert len(empty.notes) < 0.6 * len(full.notes)


@pytest.mark.parametrize("meter", METERS)
def test_the_ends_of_density_gate_and_evolve_of_an_arpeggio(meter):
    bar = Meter.parse(meter).beats_per_bar
    full = made(
        "arpeggio", meter=meter, settings={"density": "100 %", "gate": "100 %", "rate": "1 step"}, section_bars=64
    )
    assert len(full.notes) == round(16 * bar)
    np.testing.assert_allclose(full.notes["end"] - full.notes["start"], 0.25, atol=1e-9)
    few = made("arpeggio", meter=meter, settings={"density": "0 %", "rate": "1 step"}, section_bars=64)
    assert {0.0, bar, 2 * bar, 3 * bar} <= set(few.notes["start"].tolist())
    assert len(few.notes) <= 4 * 4

    def cycles(evolve):
        how = {"evolve": evolve, "density": "100 %", "rate": "1 step", "range": "C3..C7"}
        chords = phrase([], 4 * bar, [ChordSpan(0, 4 * bar, Chord(2, "m"))])
        return {
            tuple(made("arpeggio", meter=meter, seed=seed, settings=how, chords=chords, theme=3, bar=0).notes["pitch"])
            for seed in range(12)
        }

    assert len(cycles("0 %")) == 1
    assert len(cycles("100 %")) > 4


@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "7/8", "12/8"])
def test_fills_and_ghosts_are_never_or_always(meter):
    bar = Meter.parse(meter).beats_per_bar
    toms = {45, 48, 50}

    def share(settings, **how):
        found = [made("drum_rules", meter=meter, seed=seed, settings=settings, **how) for seed in range(30)]
        filled = [bool(toms & set(one.notes["pitch"][one.notes["start"] >= 3 * bar - 1e-6].tolist())) for one in found]
        return np.mean(filled), found

    never, _ = share({"fills": "0 %"}, section_bars=64)
    always, _ = share({"fills": "100 %"}, section_bars=64)
    assert never == 0
    # A short fill may be of the snare alone.
    assert always > 0.7
    _, plain = share({"ghost": "0 %", "fills": "0 %"}, section_bars=64)
    assert not any(((one.notes["pitch"] == 38) & (one.notes["velocity"] < 45)).any() for one in plain)
    _, ghosts = share({"ghost": "100 %", "fills": "0 %"}, section_bars=64)
    assert np.mean([((one.notes["pitch"] == 38) & (one.notes["velocity"] < 45)).any() for one in ghosts]) > 0.8


@pytest.mark.parametrize("meter", METERS)
def test_without_syncopation_no_beat_of_a_motif_begins_without_a_note(meter):
    from engine.generators.chance import stream
    from engine.generators.pulse import pulse_lengths, pulses
    from engine.generators.rules.motif import rhythm

    known = Meter.parse(meter)
    for seed in range(40):
        onsets = set(rhythm(known, 2, 0.6, 0.0, stream(seed, "test")).tolist())
        for bar in range(2):
            for beat, length in zip(pulses(known), pulse_lengths(known), strict=True):
                # Halves have quarters in them.
                size = 4 if length == 8 else length
                for begin in range(bar * known.steps_per_bar + beat, bar * known.steps_per_bar + beat + length, size):
                    assert begin in onsets or not onsets & set(range(begin, begin + size))


def test_leaps_at_nothing_are_mostly_steps_and_at_all_mostly_are_not():
    def intervals(leaps):
        melodies = (made("melody_rules", seed=seed, bars=8, settings={"leaps": leaps}) for seed in range(20))
        return np.concatenate([np.abs(np.diff(one.notes["pitch"].astype(int))) for one in melodies])

    assert np.mean(intervals("0 %") <= 2) > 0.5
    assert np.mean(intervals("0 %") <= 5) > 0.9
    assert np.mean(intervals("100 %") <= 2) < 0.35
