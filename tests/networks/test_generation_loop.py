"""Facts about the generation loop: sampling, beams, candidates, forced events."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks.contract import Sampling
from engine.networks.encodings.melody import NO_EVENT, OneHotMelodyStream
from engine.networks.rnn.generation import generate
from engine.networks.sampling import choose, log_probabilities, probabilities
from tests.networks.golden import Golden

PRIMER = [60, NO_EVENT, 62, NO_EVENT, 64, NO_EVENT, 65, 67]


@pytest.fixture(scope="module")
def network():
    return Golden("basic_rnn").network


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def scored(network, events, given: int, temperature: float) -> float:
    """Log-likelihood of events after the first `given`, by feeding them one by one."""
    stream, total = network.encoding.stream(), 0.0
    network.stack.reset()
    inputs = stream.start()
    for place, event in enumerate(events):
        if place or not given:
            outputs = network.stack.step(inputs[None])[0]
            if place >= given:
                total += network.head.log_probability(outputs, stream.label(event), temperature)
        inputs = stream.push(event)
    return total


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("beam", [(1, 1, 1), (2, 2, 1), (3, 1, 4), (1, 3, 5)])
def test_the_log_likelihood_is_that_of_what_came_after_the_primer(network, beam, count):
    sampling = Sampling(0.7, beam_size=beam[0], branch_factor=beam[1], steps_per_iteration=beam[2])
    found = generate(network, network.encoding.stream(), PRIMER, 19, sampling, rng(), count)
    assert len(found) == count
    for made in found:
        events = made.stream.events
        assert events[:8] == PRIMER
        assert len(events) == 27
        assert made.log_likelihood == pytest.approx(scored(network, events, 8, 0.7), abs=1e-4)


def test_a_wider_beam_finds_likelier_music(network):
    likelihoods = []
    for size, branches in ((1, 1), (2, 2), (4, 8)):
        sampling = Sampling(beam_size=size, branch_factor=branches, steps_per_iteration=2)
        runs = [generate(network, network.encoding.stream(), PRIMER, 24, sampling, rng(seed)) for seed in range(5)]
        likelihoods.append(np.mean([found[0].log_likelihood for found in runs]))
    assert likelihoods[0] < likelihoods[1] < likelihoods[2]


def test_candidates_differ_and_the_primer_is_not_theirs(network):
    made = network.candidates(PRIMER, 16, 12, Sampling(), rng())
    assert len({tuple(events) for events in made}) == 12
    assert all(len(events) == 16 for events in made)


def test_candidates_are_as_likely_as_music_made_alone(network):
    together = generate(network, network.encoding.stream(), PRIMER, 16, Sampling(), rng(), 200)
    alone = [generate(network, network.encoding.stream(), PRIMER, 16, Sampling(), rng(seed))[0] for seed in range(200)]
    means = [np.mean([made.log_likelihood for made in found]) for found in (together, alone)]
    assert means[0] == pytest.approx(means[1], abs=1.0)


class Echo(OneHotMelodyStream):
    """After each note it has to be played once more, an octave within the range, and then rest."""

    def forced(self):
        return (self.events[-1], NO_EVENT) if self.events and self.events[-1] >= 72 else ()


@pytest.mark.parametrize(("count", "beam"), [(1, 1), (1, 4), (6, 1)])
def test_forced_events_are_fed_and_scored_in_every_sequence(network, count, beam):
    sampling = Sampling(beam_size=beam, branch_factor=beam, steps_per_iteration=2)
    found = generate(network, Echo(network.encoding), [72], 30, sampling, rng(3), count)
    for made in found:
        events = made.stream.events
        assert events[:3] == [72, 72, NO_EVENT]
        place, sampled = 1, 0
        while place < len(events):
            if events[place - 1] >= 72:
                assert events[place : place + 2] == [events[place - 1], NO_EVENT]
                place += 2
            if place < len(events):
                sampled, place = sampled + 1, place + 1
        assert sampled == 30
        assert made.log_likelihood == pytest.approx(scored(network, events, 1, 1.0), abs=1e-3)
    lengths = {len(made.stream.events) for made in found}
    assert len(lengths) > 1 or count == 1


def rests_wanted(stream) -> int:
    return 10 - stream.events.count(NO_EVENT)


@pytest.mark.parametrize(("count", "beam"), [(1, 1), (5, 1)])
def test_where_it_is_not_known_how_many_each_sequence_ends_when_it_has_enough(network, count, beam):
    for made in generate(network, network.encoding.stream(), PRIMER, rests_wanted, Sampling(), rng(), count):
        assert rests_wanted(made.stream) == 0
        assert made.stream.events[-1] == NO_EVENT


def test_beams_go_on_in_rounds_until_there_is_enough(network):
    sampling = Sampling(beam_size=2, branch_factor=2, steps_per_iteration=3)
    (made,) = generate(network, network.encoding.stream(), PRIMER, rests_wanted, sampling, rng())
    assert rests_wanted(made.stream) <= 0
    assert made.log_likelihood == pytest.approx(scored(network, made.stream.events, 8, 1.0), abs=1e-4)


def test_an_empty_primer_starts_from_nothing(network):
    (made,) = generate(network, network.encoding.stream(), [], 12, Sampling(), rng())
    assert made.log_likelihood == pytest.approx(scored(network, made.stream.events, 0, 1.0), abs=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": 0.0}, "temperature must be a positive number, not 0.0"),
        ({"temperature": float("nan")}, "temperature must be"),
        ({"top_k": 0}, "top_k must be 1 or more"),
        ({"top_p": 1.5}, "top_p must be more than 0"),
        ({"beam_size": 0}, "beam_size must be 1 or more"),
        ({"steps_per_iteration": -1}, "steps_per_iteration must be 1 or more"),
    ],
)
def test_settings_that_mean_nothing_are_refused(network, settings, message):
    with pytest.raises(ValueError, match=message):
        generate(network, network.encoding.stream(), [], 4, Sampling(**settings), rng())


def chosen(logits, uniforms, **settings) -> list[int]:
    rows = np.tile(np.asarray(logits, np.float32), (len(uniforms), 1))
    return choose(rows, Sampling(**settings), np.array(uniforms))[0].tolist()


def test_choosing_follows_the_cumulative_distribution():
    logits = np.log(np.array([0.2, 0.5, 0.3]))
    assert chosen(logits, [0.0, 0.19, 0.21, 0.69, 0.71, 0.999]) == [0, 0, 1, 1, 2, 2]


def test_choosing_is_numpys_choice():
    logits = np.random.default_rng(3).normal(size=(300, 40))
    shares = probabilities(logits, 0.8)
    uniforms = np.random.RandomState(5).random_sample(300)
    random = np.random.RandomState(5)
    expected = [random.choice(40, p=row) for row in shares]
    assert choose(logits, Sampling(0.8), uniforms)[0].tolist() == expected


def test_top_k_leaves_the_k_likeliest_and_the_lower_of_equals():
    logits = np.log([0.1, 0.3, 0.2, 0.3, 0.1])
    assert chosen(logits, [0.0, 0.5, 0.99], top_k=1) == [1, 1, 1]
    assert chosen(logits, [0.0, 0.49, 0.51, 0.99], top_k=2) == [1, 1, 3, 3]
    assert chosen(logits, [0.05, 0.99], top_k=5) == chosen(logits, [0.05, 0.99])


def test_top_p_leaves_as_few_as_have_that_share():
    logits = np.log([0.1, 0.5, 0.3, 0.1])
    assert set(chosen(logits, np.linspace(0, 0.999, 50), top_p=0.5)) == {1}
    assert set(chosen(logits, np.linspace(0, 0.999, 50), top_p=0.51)) == {1, 2}
    assert set(chosen(logits, np.linspace(0, 0.999, 50), top_k=3, top_p=0.9)) == {0, 1, 2}
    assert set(chosen(logits, np.linspace(0, 0.999, 50), top_p=1.0)) == {0, 1, 2, 3}


def test_scores_are_those_before_top_k_and_after_the_temperature():
    logits = np.array([[0.0, 1.0, 3.0]])
    (best,), (score,) = choose(logits, Sampling(0.5, top_k=1), np.array([0.4]))
    assert best == 2
    assert score == pytest.approx(log_probabilities(logits[0], 0.5)[2])


def test_temperature_flattens_and_sharpens():
    logits = np.array([0.0, 1.0, 2.0], np.float32)
    entropies = []
    for temperature in (0.25, 0.5, 1.0, 2.0, 4.0):
        p = probabilities(logits, temperature)
        assert p.sum() == pytest.approx(1.0)
        entropies.append(float(-(p * np.log(p)).sum()))
    assert entropies == sorted(entropies)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("top_k", [None, 2])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_outputs_that_are_no_numbers_are_refused_not_chosen_from(wrong, top_k):
    logits = np.zeros((2, 4), np.float32)
    logits[1, 2] = wrong
    with pytest.raises(PerpetuumError, match="no longer finite"):
        choose(logits, Sampling(top_k=top_k), np.array([0.1, 0.9]))
