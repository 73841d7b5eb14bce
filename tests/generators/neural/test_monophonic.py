"""Drums RNN, Melody RNN and Improv RNN as generators: primers, fitting, degenerate output; a network that parrots."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.assets import find
from engine.errors import PerpetuumError
from engine.generators.chain import make_phrase
from engine.generators.contract import GENERATORS, Link
from engine.generators.neural import monophonic
from engine.generators.neural.curating import curator
from engine.networks.contract import Extension
from engine.networks.encodings import drums, melody
from engine.score.harmony.keys import Key
from engine.score.phrase import Origin
from tests.generators.asking import METERS, changed, made, phrase, pitches, request, same_notes


def drum_events(heard):
    return drums.from_notes(heard.notes, heard.length)


def melody_events(heard):
    return melody.from_notes(heard.notes, heard.length)


class Parrot:
    """A network that plays given events, over and over, and remembers what it was asked."""

    def __init__(self, config, *songs):
        self.encoding = drums if config in ("drum_kit", "one_drum") else melody
        self.config = SimpleNamespace(name=config)
        self.songs = list(songs)
        self.asked = []

    def extend(self, passage, beats, conditions, sampling, rng, count):
        heard = self.encoding.from_notes(passage.notes, passage.length)
        self.asked.append(SimpleNamespace(heard=heard, beats=beats, sampling=sampling, chance=rng.random()))
        self.asked[-1].passage, self.asked[-1].conditions = passage, conditions
        found = []
        for place in range(count):
            song = self.songs[min(len(self.asked) + place, len(self.songs)) - 1]
            events = [song[step % len(song)] for step in range(round(beats * 4))]
            found.append(Extension(self.encoding.to_notes(events), float(-place)))
        return found


@pytest.fixture
def parrot(monkeypatch):
    def install(config, *songs):
        bird = Parrot(config, *songs)
        monkeypatch.setattr(monophonic, "rnn_of", lambda *how: bird)
        return bird

    return install


GROOVE = [0b101, 0, 0b100, 0, 0b110, 0, 0b100, 0b1, 0b101, 0, 0b100, 0, 0b110, 0, 0b1000, 0]
SONG = [62, -2, -2, -2, 65, -2, 64, -2, 69, -2, -2, -2, -1, -2, 61, -2]


def test_drums_play_what_the_network_says(parrot):
    bird = parrot("drum_kit", GROOVE)
    raw, _ = make_phrase("drums_rnn", request("drums_rnn"), {})
    assert drum_events(raw) == GROOVE * 4
    assert raw.provenance.origin is Origin.NETWORK
    assert [asked.beats for asked in bird.asked] == [16]


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
    assert bird.asked[0].beats == 2
    assert drum_events(raw) == GROOVE[:8] * 6


def test_where_a_period_closes_a_loop_turns_around_in_its_last_bar(parrot):
    bird = parrot("drum_kit", GROOVE[:8] + GROOVE)
    asked = request("drums_rnn", bars=3, bar=13, section_bars=16, settings={"steps": "8 steps"})
    raw, _ = make_phrase("drums_rnn", asked, {})
    assert bird.asked[0].beats == 6
    assert drum_events(raw) == GROOVE[:8] * 4 + GROOVE


def test_the_network_continues_from_its_last_bars(parrot):
    bird = parrot("drum_kit", GROOVE)
    history = made("drum_rules", bars=8)
    make_phrase("drums_rnn", request("drums_rnn", bar=8, history=history, settings={"history": "2 bars"}), {})
    assert bird.asked[0].heard == drum_events(history)[-32:]


def test_a_primer_opens_every_section_and_history_goes_on_within(parrot):
    bird = parrot("drum_kit", GROOVE)
    primer = phrase([(0, 0.25, 36, 80), (1.5, 1.75, 38, 80)], beats=3)
    history = made("drum_rules")
    for bar in (0, 4):
        make_phrase("drums_rnn", request("drums_rnn", bar=bar, history=history, primer=primer), {})
    assert bird.asked[0].heard == [1, 0, 0, 0, 0, 0, 2, *[0] * 9]
    assert bird.asked[1].heard == drum_events(history)


def test_another_parts_phrase_can_be_the_primer(parrot):
    bird = parrot("attention_rnn", SONG)
    other = made("melody_rules", seed=8)
    asked = changed(request("melody_rnn"), sources={Link.PRIMER: other})
    make_phrase("melody_rnn", asked, {})
    assert bird.asked[0].heard == melody_events(other)


def test_without_past_or_primer_two_bars_by_rules_come_before(parrot):
    for name, config, song in (("drums_rnn", "drum_kit", GROOVE), ("melody_rnn", "attention_rnn", SONG)):
        bird = parrot(config, song)
        make_phrase(name, request(name, meter="3/4"), {})
        primer = bird.asked[0].heard
        assert len(primer) == 24
        assert any(event > 0 for event in primer)


def test_temperature_and_seed_reach_the_network(parrot):
    bird = parrot("attention_rnn", SONG)
    for seed in (1, 1, 2):
        make_phrase("melody_rnn", request("melody_rnn", seed=seed, settings={"temperature": 1.4}), {})
    assert [asked.sampling.temperature for asked in bird.asked] == [1.4] * 3
    assert bird.asked[0].chance == bird.asked[1].chance != bird.asked[2].chance


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
    assert len(bird.asked) == curator.ATTEMPTS
    assert len({asked.chance for asked in bird.asked}) == curator.ATTEMPTS


def test_one_silent_bar_is_a_rest_and_a_second_one_a_hole(parrot):
    """A part whose phrases are a bar long would else be silent for ever."""
    parrot("attention_rnn", [-2])
    for history in (None, phrase([(0, 1, 62, 80)], beats=8)):
        with pytest.raises(PerpetuumError, match="silence"):
            make_phrase("melody_rnn", request("melody_rnn", bars=1, bar=2, history=history), {})
    sounding = phrase([(0, 1, 62, 80), (4, 5, 64, 80)], beats=8)
    assert not len(make_phrase("melody_rnn", request("melody_rnn", bars=1, bar=2, history=sounding), {})[0].notes)


def test_a_second_attempt_that_is_good_is_played(parrot):
    parrot("attention_rnn", [-2], SONG)
    assert len(make_phrase("melody_rnn", request("melody_rnn"), {})[0].notes)


def test_the_last_attempt_leaves_the_past_behind(parrot):
    bird = parrot("drum_kit", [0])
    history = made("drum_rules", bars=4, seed=99)
    with pytest.raises(PerpetuumError):
        make_phrase("drums_rnn", request("drums_rnn", bar=4, history=history), {})
    assert bird.asked[0].heard == bird.asked[1].heard == drum_events(history)
    assert bird.asked[2].heard != drum_events(history)


def test_missing_or_wrong_weights_are_named():
    with pytest.raises(PerpetuumError, match="no weights 'nowhere'"):
        make_phrase("drums_rnn", request("drums_rnn", settings={"weights": "nowhere"}), {})
    with pytest.raises(PerpetuumError, match="the weights of attention_rnn, not of drum_kit"):
        make_phrase("drums_rnn", request("drums_rnn", settings={"weights": "attention_rnn"}), {})


def test_two_weights_of_one_kind_are_two_networks_in_the_cache(parrot):
    parrot("drum_kit", GROOVE)
    cache = {}
    for weights in (None, "other", None):
        make_phrase("drums_rnn", request("drums_rnn", settings={"weights": weights} if weights else {}), cache)
    assert sorted(name for _, name in cache) == ["drum_kit", "other"]


@pytest.mark.parametrize("name", ["drums_rnn", "melody_rnn"])
def test_the_shipped_weights_are_found(name):
    described = GENERATORS.get(name)
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
    assert bird.asked[0].heard != drum_events(history)
    assert len(bird.asked[0].heard) == 32


def test_a_fill_without_end_is_tried_again_and_the_best_attempt_is_played(parrot):
    toms = [0b1000000, 0, 0b100000, 0, 0b1000000, 0, 0b10000, 0]
    bird = parrot("drum_kit", toms, GROOVE)
    raw, _ = make_phrase("drums_rnn", request("drums_rnn", settings={"candidates": 1}), {})
    assert drum_events(raw) == GROOVE * 4
    assert len(bird.asked) == 2
    some_toms = [1, 0, 0b1000000, 0, 0b10, 0, 0b100000, 0]
    parrot("drum_kit", toms, some_toms, toms)
    raw, _ = make_phrase("drums_rnn", request("drums_rnn", settings={"candidates": 1}), {})
    assert drum_events(raw) == some_toms * 8


def test_a_crash_on_every_bar_is_doubted(parrot):
    crashing = [0b10000001, *GROOVE[1:]]
    parrot("drum_kit", crashing, GROOVE)
    assert drum_events(make_phrase("drums_rnn", request("drums_rnn"), {})[0]) == GROOVE * 4


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


def test_all_settings_of_sampling_reach_the_network(parrot):
    bird = parrot("drum_kit", GROOVE)
    wanted = {"top_k": 5, "top_p": "90 %", "beam_size": 2, "branch_factor": 3, "steps_per_iteration": 4}
    make_phrase("drums_rnn", request("drums_rnn", settings=wanted), {})
    sampling = bird.asked[0].sampling
    assert (sampling.top_k, sampling.top_p) == (5, 0.9)
    assert (sampling.beam_size, sampling.branch_factor, sampling.steps_per_iteration) == (2, 3, 4)


def test_of_several_candidates_the_least_doubtful_is_played(parrot):
    toms = [0b1000000, 0, 0b100000, 0, 0b1000000, 0, 0b10000, 0]
    bird = parrot("drum_kit", toms, [0], GROOVE, toms)
    raw, _ = make_phrase("drums_rnn", request("drums_rnn", settings={"candidates": 4}), {})
    assert drum_events(raw) == GROOVE * 4
    assert len(bird.asked) == 1


def test_an_improviser_knows_the_chords_under_its_past_and_under_what_it_sings(parrot):
    bird = parrot("chord_pitches_improv", SONG)
    chords = made("chord_walk", seed=4)
    history = made("melody_rules", chords=made("chord_walk", seed=3))
    raw, _ = make_phrase("improv_rnn", request("improv_rnn", bar=4, chords=chords, history=history), {})
    told = bird.asked[0].conditions.chords
    assert [(span.start - 16, span.chord) for span in told if 16 <= span.start < 32] == [
        (span.start, span.chord) for span in chords.chords
    ]
    assert told[-1].end > 32
    assert any(span.start < 16 for span in told)
    assert raw.chords == chords.chords
    assert raw.provenance.generator == "improv_rnn"
