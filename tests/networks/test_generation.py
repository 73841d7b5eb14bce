"""Facts about music made with the shipped weights."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from engine import assets
from engine.networks import CONFIGS, build_network, load_network
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.networks.threads import close_threads, one_thread
from tests.networks.golden import made_up_weights

SHIPPED = ("drum_kit", "attention_rnn")
PRIMERS = {
    "drum_kit": [5, 0, 4, 0, 6, 0, 4, 0] * 2,
    "attention_rnn": [67, -2, -2, -2, 69, -2, 71, -2, 72, -2, -2, -2, -1, -2, 67, -2],
}


def weights_file(name: str) -> str:
    path = assets.find("weights", name, suffix=".safetensors")
    assert path is not None
    return str(path)


@pytest.fixture(scope="module", params=SHIPPED)
def network(request) -> EventSequenceRnn:
    return load_network(weights_file(request.param))


def primer_of(network: EventSequenceRnn) -> list[int]:
    return PRIMERS[network.config.name]


def test_a_seed_gives_the_same_events_in_another_process(network):
    here = network.generate(primer_of(network), 64, 1.0, np.random.default_rng(11))
    code = (
        "import sys, numpy as np\n"
        "from engine.networks import load_network\n"
        f"network = load_network({weights_file(network.config.name)!r})\n"
        f"print(network.generate({primer_of(network)}, 64, 1.0, np.random.default_rng(11)))\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules\n"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == str(here)


def test_what_was_generated_before_leaves_no_trace(network):
    first = network.generate(primer_of(network), 32, 1.0, np.random.default_rng(3))
    network.generate([], 40, 1.3, np.random.default_rng(4))
    assert network.generate(primer_of(network), 32, 1.0, np.random.default_rng(3)) == first


def test_another_seed_gives_other_events(network):
    made = {tuple(network.generate(primer_of(network), 64, 1.0, np.random.default_rng(seed))) for seed in range(4)}
    assert len(made) == 4


def test_higher_temperature_means_more_surprise(network):
    surprise = []
    for temperature in (0.4, 1.0, 2.0):
        rng = np.random.default_rng(5)
        parts = [primer_of(network) + network.generate(primer_of(network), 64, temperature, rng) for _ in range(4)]
        surprise.append(-sum(network.log_likelihood(part) for part in parts))
    assert surprise[0] < surprise[1] < surprise[2]


def test_an_empty_primer_begins_music(network):
    made = network.generate([], 64, 1.0, np.random.default_rng(8))
    assert len(made) == 64
    assert any(event > 0 for event in made)


def test_no_steps_are_no_events(network):
    assert network.generate(primer_of(network), 0, 1.0, np.random.default_rng(8)) == []


def test_a_temperature_of_zero_is_refused(network):
    with pytest.raises(ValueError, match="temperature must be a positive number"):
        network.generate(primer_of(network), 4, 0.0, np.random.default_rng(8))


def test_a_melody_an_octave_higher_is_continued_an_octave_higher():
    network = load_network(weights_file("attention_rnn"))
    primer = PRIMERS["attention_rnn"]
    higher = [event + 12 if event >= 0 else event for event in primer]
    made = network.generate(primer, 48, 1.0, np.random.default_rng(2))
    made_higher = network.generate(higher, 48, 1.0, np.random.default_rng(2))
    assert made_higher == [event + 12 if event >= 0 else event for event in made]


def test_a_melody_stays_near_the_key_of_its_primer():
    network = load_network(weights_file("attention_rnn"))
    e_major = {1, 3, 4, 6, 8, 9, 11}
    primer = [64, -2, 68, -2, 71, -2, 69, -2, 68, -2, 66, -2, 63, -2, 64, -2]
    rng = np.random.default_rng(6)
    pitches = [event for _ in range(6) for event in network.generate(primer, 64, 0.9, rng) if event >= 0]
    assert np.mean([pitch % 12 in e_major for pitch in pitches]) > 0.8


def test_a_large_network_gives_the_same_numbers_on_one_thread_and_on_two():
    config = CONFIGS["performance_with_dynamics"]
    network = build_network(config, made_up_weights(config.default_layout().shapes()))
    assert network.stack.large
    inputs = np.eye(network.encoding.input_size, dtype=np.float32)[:20]

    def outputs(threads):
        network.stack.reset()
        with threads():
            return np.concatenate([network.stack.step(row[None]).copy() for row in inputs])

    assert np.array_equal(outputs(one_thread), outputs(close_threads))
