"""Network generators: events and back, primers, fitting, degenerate output; mostly with a network that parrots."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.assets import find
from engine.errors import PerpetuumError
from engine.generators import event_rnn, events
from engine.generators.chain import make_phrase
from engine.generators.contract import Link
from engine.registry import kind
from engine.score.keys import Key
from engine.score.phrase import Origin, Phrase, Provenance
from tests.generators.asking import METERS, changed, made, phrase, pitches, request, same_notes


class Parrot:
    """A network that plays given events, over and over, and remembers what it was asked."""

    def __init__(self, config, *songs):
        self.config = SimpleNamespace(name=config)
        self.songs = list(songs)
        self.asked = []

    def generate(self, primer, num_steps, temperature, rng):
        self.asked.append((list(primer), num_steps, temperature, rng.random()))
        song = self.songs[min(len(self.asked), len(self.songs)) - 1]
        return [song[step % len(song)] for step in range(num_steps)]


@pytest.fixture
def parrot(monkeypatch):
    def install(config, *songs):
        bird = Parrot(config, *songs)
        monkeypatch.setattr(event_rnn, "load_network", lambda path, backend: bird)
        monkeypatch.setattr(event_rnn, "find", lambda *names: "somewhere")
        return bird

    return install


GROOVE = [0b101, 0, 0b100, 0, 0b110, 0, 0b100, 0b1, 0b101, 0, 0b100, 0, 0b110, 0, 0b1000, 0]
SONG = [62, -2, -2, -2, 65, -2, 64, -2, 69, -2, -2, -2, -1, -2, 61, -2]


@given(st.lists(st.integers(0, 511), min_size=1, max_size=128))
@settings(max_examples=50, deadline=None)
def test_drum_events_survive_the_way_to_notes_and_back(masks):
    made_phrase = Phrase.of(events.drum_notes(masks), len(masks) / 4, Provenance("x", Origin.RULES))
    assert events.drum_events(made_phrase) == masks


@given(st.lists(st.tuples(st.integers(0, 127), st.integers(1, 8), st.integers(0, 6)), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_melodies_on_the_grid_survive_the_way_to_events_and_back(rows):
    notes, step = [], 0
    for pitch, length, rest in rows:
        notes.append((step / 4, (step + length) / 4, pitch, 80))
        step += length + rest
    melody = phrase(notes, beats=step / 4)
    assert np.array_equal(events.melody_notes(events.melody_events(melody)), melody.notes)


@pytest.mark.parametrize(("meter", "steps"), [("4/4", 64), ("3/4", 48), ("6/8", 48), ("7/8", 56), ("5/4", 80)])
def test_a_phrase_has_as_many_events_as_its_meter_has_sixteenths(meter, steps):
    assert len(events.drum_events(made("drum_rules", meter=meter))) == steps
    assert len(events.melody_events(made("melody_rules", meter=meter))) == steps


def test_of_notes_together_the_highest_is_the_melody():
    assert events.melody_events(phrase([(0, 1, 60, 80), (0, 0.5, 67, 80), (0.75, 1, 62, 80)], beats=1)) == [
        67,
        -2,
        -1,
        62,
    ]


def test_drums_play_what_the_network_says(parrot):
    bird = parrot("drum_kit", GROOVE)
    raw, _ = make_phrase("drums_rnn", request("drums_rnn"), {})
    assert events.drum_events(raw) == GROOVE * 4
    assert raw.provenance.origin is Origin.NETWORK
    assert [steps for _, steps, _, _ in bird.asked] == [64]


def test_drum_velocities_speak(parrot):
    """The backbeat is loud, a snare between the eighths is a ghost, hats off the beat are softer."""
    parrot("drum_kit", [0b101, 0b10, 0b100, 0, 0b110, 0, 0b100, 0])
    notes = make_phrase("drums_rnn", request("drums_rnn"), {})[0].notes
    snare, hat = notes["pitch"] == 38, notes["pitch"] == 42
    ghost = np.isclose(notes["start"] % 1, 0.25)
    on_beat = np.isclose(notes["start"] % 1, 0.0)
    assert notes["velocity"][snare & ghost].max() < 75
    assert notes["velocity"][snare & on_beat].min() > 80
    assert notes["velocity"][hat & on_beat].mean() > notes["velocity"][hat & ~on_beat].mean() + 5


def test_steps_make_a_loop_that_fills_the_phrase(parrot):
    bird = parrot("drum_kit", GROOVE)
    raw, _ = make_phrase("drums_rnn", request("drums_rnn", bars=3, settings={"steps": "8 steps"}), {})
    assert bird.asked[0][1] == 8
    assert events.drum_events(raw) == GROOVE[:8] * 6


def test_the_network_continues_from_its_last_bars(parrot):
    bird = parrot("drum_kit", GROOVE)
    history = made("drum_rules", bars=8)
    make_phrase("drums_rnn", request("drums_rnn", bar=8, history=history, settings={"history": "2 bars"}), {})
    assert bird.asked[0][0] == events.drum_events(history)[-32:]


def test_a_primer_opens_every_section_and_history_goes_on_within(parrot):
    bird = parrot("drum_kit", GROOVE)
    primer = phrase([(0, 0.25, 36, 80), (1.5, 1.75, 38, 80)], beats=3)
    history = made("drum_rules")
    for bar in (0, 4):
        make_phrase("drums_rnn", request("drums_rnn", bar=bar, history=history, primer=primer), {})
    assert bird.asked[0][0] == [1, 0, 0, 0, 0, 0, 2, *[0] * 9]
    assert bird.asked[1][0] == events.drum_events(history)


def test_another_parts_phrase_can_be_the_primer(parrot):
    bird = parrot("attention_rnn", SONG)
    other = made("melody_rules", seed=8)
    asked = changed(request("melody_rnn"), sources={Link.PRIMER: other})
    make_phrase("melody_rnn", asked, {})
    assert bird.asked[0][0] == events.melody_events(other)


def test_without_past_or_primer_two_bars_by_rules_come_before(parrot):
    for name, config, song in (("drums_rnn", "drum_kit", GROOVE), ("melody_rnn", "attention_rnn", SONG)):
        bird = parrot(config, song)
        make_phrase(name, request(name, meter="3/4"), {})
        primer = bird.asked[0][0]
        assert len(primer) == 24
        assert any(event > 0 for event in primer)


def test_temperature_and_seed_reach_the_network(parrot):
    bird = parrot("attention_rnn", SONG)
    for seed in (1, 1, 2):
        make_phrase("melody_rnn", request("melody_rnn", seed=seed, settings={"temperature": 1.4}), {})
    assert [asked[2] for asked in bird.asked] == [1.4] * 3
    assert bird.asked[0][3] == bird.asked[1][3] != bird.asked[2][3]


@pytest.mark.parametrize("key", ["C major", "Eb minor", "F# major pentatonic"])
@pytest.mark.parametrize("meter", METERS)
def test_the_melody_is_in_key_and_range_whatever_the_network_sings(parrot, key, meter):
    wild = [int(event) for event in np.random.default_rng(3).integers(-2, 128, 100)]
    parrot("attention_rnn", [event if place % 3 == 0 else -2 for place, event in enumerate(wild)])
    chords = made("chord_walk", key=key, meter=meter)
    for sources in ({}, {Link.CHORDS: chords}):
        asked = changed(request("melody_rnn", key=key, meter=meter, settings={"range": "C4..A5"}), sources=sources)
        raw, _ = make_phrase("melody_rnn", asked, {})
        assert all(pitch in Key.parse(key) and 60 <= pitch <= 81 for pitch in pitches(raw))


def test_strong_beats_are_on_the_chords_that_are_followed(parrot):
    parrot("attention_rnn", SONG)
    chords = made("chord_walk", seed=4)
    raw, _ = make_phrase("melody_rnn", request("melody_rnn", chords=chords), {})
    for note in raw.notes[raw.notes["start"] % 1 == 0]:
        chord = next(span.chord for span in chords.chords if span.start <= note["start"] < span.end)
        assert int(note["pitch"]) in chord


def test_onsets_are_those_of_the_rhythm_that_is_followed(parrot):
    parrot("attention_rnn", SONG)
    rhythm = phrase([(beat, beat + 0.25, 36, 90) for beat in (0, 1.5, 3, 4, 6.5, 8, 11, 12.25, 14)])
    raw, _ = make_phrase("melody_rnn", request("melody_rnn", rhythm=rhythm), {})
    assert set(raw.notes["start"].tolist()) <= set(rhythm.notes["start"].tolist())
    assert len(raw.notes) >= 5
    assert np.all(raw.notes["end"][:-1] <= raw.notes["start"][1:])


def test_a_sections_last_phrase_ends_at_home_before_a_rest(parrot):
    parrot("attention_rnn", SONG)
    chords = made("chord_walk", section_bars=4)
    raw, _ = make_phrase("melody_rnn", request("melody_rnn", section_bars=4, chords=chords), {})
    assert raw.notes["end"].max() <= 15
    assert int(raw.notes["pitch"][-1]) % 12 == 2


@pytest.mark.parametrize(
    ("name", "config", "bad", "word"),
    [
        ("melody_rnn", "attention_rnn", [-2], "silence"),
        ("melody_rnn", "attention_rnn", [62], "one note|babble"),
        ("melody_rnn", "attention_rnn", [62, -2], "one note"),
        ("melody_rnn", "attention_rnn", [62, 64, 65, 67], "babble"),
        ("drums_rnn", "drum_kit", [0], "silence"),
        ("drums_rnn", "drum_kit", [511], "noise"),
    ],
)
def test_degenerate_output_is_tried_again_and_then_refused(parrot, name, config, bad, word):
    bird = parrot(config, bad)
    with pytest.raises(PerpetuumError, match=word):
        make_phrase(name, request(name), {})
    assert len(bird.asked) == event_rnn.ATTEMPTS
    assert len({chance for *_, chance in bird.asked}) == event_rnn.ATTEMPTS


def test_a_second_attempt_that_is_good_is_played(parrot):
    parrot("attention_rnn", [-2], SONG)
    assert len(make_phrase("melody_rnn", request("melody_rnn"), {})[0].notes)


def test_the_last_attempt_leaves_the_past_behind(parrot):
    bird = parrot("drum_kit", [0])
    history = made("drum_rules", bars=4, seed=99)
    with pytest.raises(PerpetuumError):
        make_phrase("drums_rnn", request("drums_rnn", bar=4, history=history), {})
    assert bird.asked[0][0] == bird.asked[1][0] == events.drum_events(history)
    assert bird.asked[2][0] != events.drum_events(history)


def test_missing_or_wrong_weights_are_named(parrot, monkeypatch):
    with pytest.raises(PerpetuumError, match="no weights 'nowhere'"):
        make_phrase("drums_rnn", request("drums_rnn", settings={"weights": "nowhere"}), {})
    parrot("attention_rnn", SONG)
    with pytest.raises(PerpetuumError, match="holds weights of attention_rnn"):
        make_phrase("drums_rnn", request("drums_rnn"), {})


def test_two_weights_of_one_kind_are_two_networks_in_the_cache(parrot):
    parrot("drum_kit", GROOVE)
    cache = {}
    for weights in (None, "other", None):
        make_phrase("drums_rnn", request("drums_rnn", settings={"weights": weights} if weights else {}), cache)
    assert sorted(name for _, name, _ in cache) == ["drum_kit", "other"]


@pytest.mark.parametrize("name", ["drums_rnn", "melody_rnn"])
def test_the_shipped_weights_are_found(name):
    described = kind("perpetuum.generators", name)
    assert find("weights", described.weights(described.settings()), ".safetensors") is not None


@pytest.mark.parametrize("name", ["drums_rnn", "melody_rnn"])
def test_the_shipped_network_plays_thirty_two_bars_on_from_itself(name):
    cache, history, phrases = {}, None, []
    for bar in range(0, 32, 4):
        raw, _ = make_phrase(name, request(name, bar=bar, section_bars=32, seed=bar, history=history), cache)
        history = raw
        phrases.append(raw)
    assert all(len(found.notes) >= 4 for found in phrases)
    assert len({found.notes.tobytes() for found in phrases}) == len(phrases)
    again, _ = make_phrase(name, request(name, bar=0, section_bars=32, seed=0), {})
    assert same_notes(again, phrases[0])


@pytest.mark.parametrize("name", ["drums_rnn", "melody_rnn"])
@pytest.mark.parametrize("meter", METERS)
def test_the_shipped_network_fills_every_meter_and_length(name, meter):
    cache = {}
    for bars in (1, 3, 16):
        asked = request(name, bars=bars, meter=meter, section_bars=bars)
        assert make_phrase(name, asked, cache)[0].length == asked.beats


def test_leaps_that_nobody_sings_become_smaller_by_an_octave(parrot):
    parrot("attention_rnn", [62, -2, 76, -2, 64, -2, 65, -2])
    raw, _ = make_phrase("melody_rnn", request("melody_rnn", bars=2, settings={"range": "C4..C6"}), {})
    assert pitches(raw)[:4] == [62, 64, 64, 65]


def test_a_network_that_climbs_is_brought_back_into_the_middle_of_its_range(parrot):
    parrot("attention_rnn", [82, -2, 81, -2, 79, -2, 81, -2])
    history = phrase([(0, 16, 80, 80)])
    raw, _ = make_phrase("melody_rnn", request("melody_rnn", bar=4, history=history, settings={"range": "C4..C6"}), {})
    assert 64 <= np.mean(pitches(raw)) <= 76


def test_a_phrase_begins_in_the_octave_in_which_the_one_before_ended(parrot):
    parrot("attention_rnn", [62, -2, 64, -2, 65, -2, 67, -2, 66, -2])
    firsts = []
    for last in (62, 76):
        asked = request("melody_rnn", bar=4, history=phrase([(0, 16, last, 80)]), settings={"range": "C4..C6"})
        firsts.append(pitches(make_phrase("melody_rnn", asked, {})[0])[0])
    assert firsts == [62, 74]


def test_a_new_section_opens_on_its_theme_and_not_on_the_echo_of_the_last(parrot):
    bird = parrot("drum_kit", GROOVE)
    history = made("drum_rules", seed=50)
    for seed in (1, 2):
        make_phrase("drums_rnn", request("drums_rnn", bar=0, history=history, seed=seed, theme=3), {})
    assert bird.asked[0][0] != events.drum_events(history)
    assert len(bird.asked[0][0]) == 32


def test_a_fill_without_end_is_tried_again_and_the_best_attempt_is_played(parrot):
    toms = [0b1000000, 0, 0b100000, 0, 0b1000000, 0, 0b10000, 0]
    bird = parrot("drum_kit", toms, GROOVE)
    raw, _ = make_phrase("drums_rnn", request("drums_rnn"), {})
    assert events.drum_events(raw) == GROOVE * 4
    assert len(bird.asked) == 2
    some_toms = [1, 0, 0b1000000, 0, 0b10, 0, 0b100000, 0]
    parrot("drum_kit", toms, some_toms, toms)
    raw, _ = make_phrase("drums_rnn", request("drums_rnn"), {})
    assert events.drum_events(raw) == some_toms * 8


def test_a_crash_on_every_bar_is_doubted(parrot):
    crashing = [0b10000001, *GROOVE[1:]]
    parrot("drum_kit", crashing, GROOVE)
    assert events.drum_events(make_phrase("drums_rnn", request("drums_rnn"), {})[0]) == GROOVE * 4


@pytest.mark.models
def test_a_scene_may_have_its_network_computed_by_tensorflow():
    """The same phrase, unless a sum that is rounded otherwise tips a choice: the first bar at least agrees."""
    described = kind("perpetuum.generators", "melody_rnn")
    assert described.extra(described.settings(backend="tensorflow")) == "models"
    assert described.extra(described.settings()) is None
    songs = [made("melody_rnn", settings={"backend": backend}, seed=4) for backend in ("numpy", "tensorflow")]
    first = [song.slice(0, 4).notes.tolist() for song in songs]
    assert first[0] == first[1]
    assert first[0]


def test_the_kick_of_a_network_joins_the_rhythm_that_it_follows(parrot):
    """Kicks stay on the other part's onsets, and its felt beats get one; the other drums are the network's."""
    parrot("drum_kit", GROOVE)
    followed = phrase([(0.0, 1.0, 40, 80), (1.75, 2.0, 40, 80), (3.0, 4.0, 40, 80)], beats=4.0)
    free = made("drums_rnn", bars=1)
    joined = made("drums_rnn", bars=1, rhythm=followed)
    kicks = joined.notes["start"][joined.notes["pitch"] == 36].tolist()
    assert kicks == [0.0, 1.75, 3.0]
    others = [one.notes[one.notes["pitch"] != 36][["start", "pitch"]].tolist() for one in (free, joined)]
    assert others[0] == others[1]
