"""Polyphonic networks go on after a passage."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from engine.networks import build_network
from engine.networks.contract import Conditions, Passage, Sampling
from engine.networks.encodings import pianoroll, polyphony
from engine.networks.encodings.performance import notes as performance_notes
from engine.networks.encodings.performance import performance
from engine.networks.encodings.performance.controls import Controls, PerformanceControl
from engine.networks.polyphonic.configs import POLYPHONIC_CONFIGS, nade_shapes
from engine.networks.polyphonic.performance_rnn import perform
from engine.networks.sampling import probabilities
from engine.score.phrase import NOTE
from tests.networks.polyphonic.test_parity import network_of

NAMES = [config.name for config in POLYPHONIC_CONFIGS]
CHORD = np.array([(0.0, 1.0, 60, 80), (0.0, 2.0, 64, 80), (1.0, 2.5, 67, 90), (2.0, 2.25, 72, 30)], NOTE)
PASSAGE = Passage(CHORD, 2.0, qpm=96.0)


def is_music(notes: np.ndarray, beats: float) -> bool:
    return bool(
        len(notes)
        and (notes["start"] >= 0).all()
        and (notes["start"] < beats).all()
        and (notes["end"] > notes["start"]).all()
        and ((notes["velocity"] >= 1) & (notes["velocity"] <= 127)).all()
        and (np.diff(notes["start"]) >= 0).all()
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("passage", [PASSAGE, Passage(CHORD[:0], 4.0), Passage(CHORD[:0], 0.0)])
def test_every_network_goes_on_after_music_silence_or_nothing(name, passage):
    network = network_of(name)
    notes = network.extend(passage, 30.0, rng=np.random.default_rng(1))[0].notes
    assert is_music(notes, 30.0)
    np.testing.assert_array_equal(notes, network.extend(passage, 30.0, rng=np.random.default_rng(1))[0].notes)


@pytest.mark.parametrize("name", ["polyphony", "performance_with_dynamics", "rnn-nade"])
def test_several_ways_to_go_on_differ_and_each_has_its_likelihood(name):
    found = network_of(name).extend(PASSAGE, 16.0, rng=np.random.default_rng(3), count=4)
    assert len({made.notes.tobytes() for made in found}) == 4
    assert all(is_music(made.notes, 16.0) and made.log_likelihood < 0 for made in found)


@pytest.mark.parametrize("name", ["polyphony", "performance", "rnn-nade_attn"])
def test_beam_search_finds_music(name):
    sampling = Sampling(beam_size=3, branch_factor=2, steps_per_iteration=4)
    assert is_music(
        network_of(name).extend(PASSAGE, 2.0, sampling=sampling, rng=np.random.default_rng(3))[0].notes, 2.0
    )


def test_a_performance_fills_the_length_that_is_asked_for():
    network = network_of("performance_with_dynamics")
    made = [network.extend(PASSAGE, 16.0, rng=np.random.default_rng(seed))[0].notes for seed in range(4)]
    assert max(notes["start"].max() for notes in made) > 14
    assert max((notes["end"] - notes["start"]).max() for notes in made) <= 5 * 96 / 60 + 1e-6


@pytest.mark.parametrize(
    ("name", "time"),
    [("performance", slice(performance.TIME_SHIFT, performance.VELOCITY)), ("polyphony", polyphony.STEP_END)],
)
def test_a_network_that_never_moves_on_is_stopped(name, time):
    config = next(config for config in POLYPHONIC_CONFIGS if config.name == name)
    weights = {key: np.zeros(shape, np.float32) for key, shape in config.default_layout((8,)).shapes().items()}
    weights["fully_connected/biases"][time] = -100.0
    notes = build_network(config, weights).extend(PASSAGE, 1.0, rng=np.random.default_rng(1))[0].notes
    assert notes.dtype == NOTE


def test_polyphony_sings_the_primer_in_what_it_makes_unless_told_not_to():
    network = network_of("polyphony")
    seeds = range(3)

    def has_it(inject: bool, seed: int) -> bool:
        conditions = Conditions(inject_primer=inject)
        notes = network.extend(PASSAGE, 2.0, conditions, rng=np.random.default_rng(seed))[0].notes
        starts = set(zip(notes["start"].tolist(), notes["pitch"].tolist(), strict=True))
        return {(0.0, 60), (0.0, 64), (1.0, 67)} <= starts

    assert all(has_it(True, seed) for seed in seeds)
    assert not any(has_it(False, seed) for seed in seeds)


def test_polyphonic_notes_come_back_from_their_events():
    notes = np.array([(0.0, 1.0, 60, 100), (0.0, 0.5, 64, 100), (0.5, 2.0, 64, 100), (1.0, 1.25, 72, 100)], NOTE)
    np.testing.assert_array_equal(polyphony.to_notes(polyphony.from_notes(notes, 8), 8), notes)


def test_polyphonic_nonsense_is_passed_over():
    events = [
        polyphony.CONTINUED + 50,  # does not sound
        polyphony.NEW + 60,
        polyphony.START,
        polyphony.STEP_END,
        polyphony.CONTINUED + 60,
        polyphony.END,
        polyphony.STEP_END,
        polyphony.STEP_END,
        polyphony.NEW + 62,
    ]
    assert polyphony.to_notes(events, 3).tolist() == [(0.0, 0.5, 60, 100)]


def test_a_pitch_that_sounds_twice_ends_twice():
    events = [
        *(polyphony.NEW + 60, polyphony.STEP_END),
        *(polyphony.CONTINUED + 60, polyphony.NEW + 60, polyphony.STEP_END),
        *(polyphony.CONTINUED + 60, polyphony.STEP_END),
        polyphony.STEP_END,
    ]
    assert polyphony.to_notes(events, 4).tolist() == [(0.0, 0.5, 60, 100), (0.25, 0.75, 60, 100)]


def test_notes_held_into_the_new_music_begin_anew_there():
    events = [polyphony.CONTINUED + 60, polyphony.STEP_END, polyphony.CONTINUED + 60, polyphony.STEP_END]
    assert polyphony.to_notes(events, 4, held=[60, 67]).tolist() == [(0.0, 0.5, 60, 100)]


def test_performances_come_back_from_their_events_to_ten_milliseconds_and_four_velocities():
    rng = np.random.default_rng(7)
    notes = np.zeros(40, NOTE)
    notes["start"] = np.sort(rng.uniform(0, 30, 40))
    notes["end"] = notes["start"] + rng.uniform(0.02, 5, 40)
    notes["pitch"] = rng.permutation(np.arange(40, 80))
    notes["velocity"] = rng.integers(1, 128, 40)
    for encoding in (performance, performance_notes):
        made = encoding.to_notes(encoding.from_notes(notes, 96.0), 96.0)
        made = made[np.lexsort((made["start"], made["pitch"]))]
        expected = notes[np.lexsort((notes["start"], notes["pitch"]))]
        for field in ("start", "end"):
            np.testing.assert_allclose(made[field], expected[field], atol=0.005 * 96 / 60 + 1e-6)
        np.testing.assert_array_equal((made["velocity"] - 1) // 4, (expected["velocity"] - 1) // 4)


def test_events_fit_a_length_exactly():
    events = [performance.VELOCITY + 9, 60, *performance.shifts(150), performance.NOTE_OFF + 60]
    for length in (0, 1, 149, 150, 151, 199, 200, 420):
        assert performance.steps_of(performance.fit(events, length)) == length
    assert performance.fit(events, 150) == events


def test_controls_hold_over_equal_parts_of_the_music():
    controls = Controls.of(
        (PerformanceControl.NOTES_PER_SECOND, PerformanceControl.PITCH_CLASSES),
        False,
        Conditions(notes_per_second=(0.5, 3.0, 100.0)),
        300,
    )
    for step, lit in ((0, 0), (99, 0), (100, 2), (200, 7), (299, 7), (5000, 7)):
        row = controls.at(0, step)
        assert row[:8].tolist() == np.eye(8)[lit].tolist()
        np.testing.assert_allclose(row[8:], 1 / 12)


def test_optional_controls_are_switched_off_where_nothing_is_asked_for():
    both = (PerformanceControl.NOTES_PER_SECOND, PerformanceControl.PITCH_CLASSES)
    assert Controls.of(both, True, Conditions()).at(0, 0).tolist() == [1.0] + [0.0] * 20
    assert Controls.of(both, True, Conditions(notes_per_second=1.0)).at(0, 0)[0] == 0.0


@pytest.mark.parametrize("wish", [{"notes_per_second": -1.0}, {"pitch_classes": (1.0, 2.0)}])
def test_conditions_that_mean_nothing_are_refused(wish):
    network = network_of("multiconditioned_performance_with_dynamics")
    with pytest.raises(ValueError, match="must be"):
        network.extend(PASSAGE, 1.0, Conditions(**wish), rng=np.random.default_rng(1))


def test_what_is_asked_for_changes_what_a_conditioned_network_plays():
    network = network_of("density_conditioned_performance_with_dynamics")
    made = [
        network.extend(PASSAGE, 4.0, Conditions(notes_per_second=density), rng=np.random.default_rng(1))
        for density in (0.5, 40.0)
    ]
    assert made[0][0].notes.tobytes() != made[1][0].notes.tobytes()


def test_a_repeated_key_is_up_for_a_step_in_between():
    notes = np.array([(0.0, 1.0, 60, 100), (1.0, 2.0, 60, 100)], NOTE)
    frames = pianoroll.from_notes(notes, 8)
    assert [bool(frame) for frame in frames] == [True, True, True, False, True, True, True, True]
    assert pianoroll.to_notes(frames).tolist() == [(0.0, 0.75, 60, 100), (1.0, 2.0, 60, 100)]


def test_towards_temperature_zero_a_piano_roll_is_the_same_with_every_seed():
    network, sampling = network_of("rnn-nade"), Sampling(temperature=1e-6)
    made = [
        network.extend(PASSAGE, 4.0, sampling=sampling, rng=np.random.default_rng(s))[0].notes.tobytes() for s in (1, 2)
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("polyphony", [259]),
        ("performance", [356]),
        ("performance_with_dynamics", [-1]),
        ("rnn-nade", [2**88]),
        ("performance_with_dynamics_and_note_encoding", [(0, 60, 32, 1)]),
    ],
)
def test_events_of_another_encoding_are_refused(name, events):
    with pytest.raises(ValueError, match="is not"):
        network_of(name).generate(events, 1, 1.0, np.random.default_rng(1))


@pytest.mark.parametrize("name", NAMES)
def test_sizes_are_read_off_the_weights_and_what_does_not_fit_is_named(name):
    network = network_of(name)
    config = network.config
    shapes = config.default_layout((24, 16)).shapes()
    if config.family == "pianoroll_rnn_nade":
        shapes |= nade_shapes(128)
    attention = {"attention": "inner"} if config.attention_length else {}
    assert config.sizes(shapes) == {"layers": [24, 16]} | attention
    missing = dict(shapes)
    name_of_one = sorted(missing)[0]
    del missing[name_of_one]
    with pytest.raises(ValueError, match="missing"):
        config.sizes(missing)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_events_come_notes_can_be_played(seed):
    rng = np.random.default_rng(seed)
    length = int(rng.integers(0, 200))
    voices = rng.integers(0, polyphony.NUM_CLASSES, length)
    voices = np.where(rng.random(length) < 0.3, polyphony.STEP_END, voices % 12 + np.where(voices % 2, 3, 131)).tolist()
    played = rng.integers(0, performance.VELOCITY + performance.VELOCITY_BINS, length).tolist()
    found = {
        polyphony.to_notes(voices, 40, [60, 60, 3]).tobytes(): 10.0,
        performance.to_notes(played, 120.0).tobytes(): max(performance.steps_of(played) / 50, 1.0),
    }
    for made, beats in found.items():
        notes = np.frombuffer(made, NOTE)
        assert not len(notes) or is_music(notes, beats)
        assert (notes["end"] <= beats + 1e-9).all()


@pytest.mark.parametrize("name", ["performance", "performance_with_dynamics"])
def test_what_is_played_ends_notes_alone_that_sound_and_strikes_no_key_that_is_down(name):
    """As all performances do that a network learns from; the oracle is a count of the events themselves."""
    network = network_of(name)
    struck_again, ends = 0, 0
    for seed in range(3):
        stream = perform(network, [], 3000, Sampling(), np.random.default_rng(seed))[0].stream
        sounding = set()
        for before, event in pairwise([-1, *stream.events]):
            if event < performance.NOTE_OFF:
                assert event not in sounding
                struck_again += before == performance.NOTE_OFF + event
                sounding.add(event)
            elif event < performance.TIME_SHIFT:
                sounding.remove(event - performance.NOTE_OFF)  # raises where it is silent
                ends += 1
    assert ends > 0
    assert struck_again > 0


def test_all_ends_together_stay_as_likely_as_they_were():
    """Whatever the temperature: only which note ends is another, not whether one does."""
    encoding = performance.PerformanceEncoding()
    stream = encoding.sounding_stream(None)
    for event in (60, 64, 67, performance.NOTE_OFF + 64):
        stream.push(event)
    outputs = np.random.default_rng(0).normal(0, 2, encoding.num_classes)
    ends = slice(performance.NOTE_OFF, performance.TIME_SHIFT)
    for temperature in (0.3, 1.0, 2.0):
        was = probabilities(outputs[None], temperature)[0]
        now = probabilities(stream.possible(outputs, temperature)[None], temperature)[0]
        assert now[ends].sum() == pytest.approx(was[ends].sum())
        assert set(np.flatnonzero(now[ends])) == {60, 67}
        np.testing.assert_allclose(np.delete(now, range(128, 256)), np.delete(was, range(128, 256)))
    assert not np.isnan(encoding.sounding_stream(None).possible(outputs, 1.0)).any(), "nothing sounds"
