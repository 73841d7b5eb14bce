"""Decoding by chance, in batches and bar by bar; sizes, and what does not fit."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from engine.networks import build_network
from engine.networks.polyphonic.nade import Nade
from engine.networks.products import takes_small
from engine.networks.threads import side_by_side
from engine.networks.vae.decoder import LstmDecoder
from engine.networks.vae.heads import CategoricalHead, GrooveHead, VaeNadeHead
from engine.networks.vae.hierarchy import decode_bars
from tests.networks.golden import made_up_weights
from tests.networks.vae.golden import CONFIGS, VaeGolden, small_network, vae_weights

FLAT = "cat-mel_2bar_small"
TRIO = "hierdec-trio_16bar"


def drawn(count: int, size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, size)).astype(np.float32)


def controls_of(name: str) -> np.ndarray | None:
    return VaeGolden(f"{name}_small").get("dec_controls")


@pytest.mark.parametrize("name", CONFIGS)
def test_the_same_chance_makes_the_same_music_and_another_makes_other(name):
    network, controls = small_network(name), controls_of(name)
    z = drawn(2, network.latent_size)

    def made(seed: int) -> np.ndarray:
        return network.decode(z, controls=controls, temperature=1.0, rng=np.random.default_rng(seed))

    assert made(1).shape == (2, network.config.steps, network.config.output_size)
    assert np.array_equal(made(1), made(1))
    assert not np.array_equal(made(1), made(2))


@pytest.mark.parametrize("name", CONFIGS)
def test_cold_chance_makes_the_likeliest_music(name):
    network, controls = small_network(name), controls_of(name)
    z = drawn(2, network.latent_size)
    cold = network.decode(z, controls=controls, temperature=1e-5, rng=np.random.default_rng(3))
    assert np.allclose(cold, network.decode(z, controls=controls), atol=1e-5)


@pytest.mark.parametrize("name", ["cat-mel_2bar_small", "cat-mel_2bar_med_chords", "groovae_4bar", TRIO])
def test_a_sequence_of_a_batch_is_the_one_decoded_alone(name):
    network, controls = small_network(name), controls_of(name)
    z = drawn(5, network.latent_size)
    together = network.decode(z, controls=controls)
    for row in range(5):
        alone = network.decode(z[row : row + 1], controls=controls)
        assert np.allclose(together[row], alone[0], rtol=0, atol=1e-5)


def test_a_source_of_chance_with_one_number_at_a_time_serves_too():
    class One:
        """Numbers of a generator, one at a time."""

        def __init__(self, seed: int) -> None:
            self._generator = np.random.default_rng(seed)

        def random(self) -> float:
            return self._generator.random()

    network = small_network(FLAT)
    z = drawn(3, network.latent_size)
    assert np.array_equal(
        network.decode(z, temperature=1.0, rng=One(4)),
        network.decode(z, temperature=1.0, rng=np.random.default_rng(4)),
    )


def test_a_source_of_chance_of_the_older_kind_serves_too():
    network = small_network(FLAT)
    z = drawn(3, network.latent_size)
    first, second, other = (network.decode(z, temperature=1.0, rng=np.random.RandomState(seed)) for seed in (4, 4, 5))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", ["cat-mel_2bar_small", "cat-drums_2bar_small", "groovae_2bar_humanize"])
def test_one_sequence_is_the_same_on_one_thread_and_on_two(name):
    """At full size: BLAS leaves smaller products to one thread anyway."""
    network = build_network(CONFIGS[name], made_up_weights(CONFIGS[name].layout().shapes()))
    z, music = drawn(1, network.latent_size), []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            music.append(network.decode_with_outputs(z, length=8, temperature=1.0, rng=np.random.default_rng(6)))
    for one, two in zip(*music, strict=True):
        assert np.array_equal(one, two)


@pytest.mark.parametrize("rows", [32, 33])
@pytest.mark.parametrize("name", ["cat-mel_2bar_small", "groovae_2bar_humanize"])
def test_many_sequences_are_the_same_on_one_thread_and_on_two(name, rows, monkeypatch):
    network = build_network(CONFIGS[name], made_up_weights(CONFIGS[name].layout().shapes()))
    z, music, threads = drawn(rows, network.latent_size), [], set()
    hits = None if network.config.head != "groove" else np.ones((rows, 6, 9), np.float32)
    decode = LstmDecoder.decode

    def noted(*given, **named):
        threads.add(threading.get_ident())
        return decode(*given, **named)

    monkeypatch.setattr(LstmDecoder, "decode", noted)
    for number in (1, 2):
        threads.clear()
        with threadpool_limits(number, user_api="blas"):
            chance = np.random.default_rng(6)
            music.append(network.decode_with_outputs(z, length=6, temperature=1.0, rng=chance, hits=hits))
        assert len(threads) == (number if takes_small() else 1)
    for one, two in zip(*music, strict=True):
        assert np.array_equal(one, two)


def test_each_of_many_sequences_is_what_it_is_of_few():
    """In the middle, where halves meet, as at the ends."""
    network = small_network(FLAT)
    z = drawn(40, network.latent_size)
    of_many = network.decode(z, temperature=1.0, rng=[np.random.default_rng(row) for row in range(40)])
    for row in (0, 19, 20, 39):
        rows = slice(max(0, row - 1), row + 1)
        chance = [np.random.default_rng(one) for one in range(40)[rows]]
        assert np.array_equal(network.decode(z[rows], temperature=1.0, rng=chance)[-1], of_many[row])


def test_what_one_half_raises_is_raised_when_both_have_ended():
    begun, ended = threading.Event(), []

    def fails():
        begun.set()
        raise ZeroDivisionError

    def lasts():
        begun.wait()
        ended.append(threading.get_ident())

    with pytest.raises(ZeroDivisionError):
        side_by_side(fails, lasts, 2)
    assert len(ended) == 1
    with pytest.raises(ZeroDivisionError):
        side_by_side(lasts, fails, 2)
    assert len(ended) == 2


def test_every_step_of_a_trio_has_one_class_per_part():
    network = small_network(TRIO)
    music = network.decode(drawn(1, network.latent_size), temperature=1.0, rng=np.random.default_rng(1))[0]
    for first, last in ((0, 90), (90, 180), (180, 692)):
        assert np.array_equal(music[:, first:last].sum(axis=1), np.ones(256))


@pytest.mark.parametrize("temperature", [None, 1.0])
def test_bars_side_by_side_are_bars_one_after_the_other(temperature):
    """Drums of made-up weights change at nearly every bar line, so most guesses are wrong."""
    network = small_network(TRIO)
    decoder, bars, rows, steps = network.decoders[2], 6, 3, 5
    embeddings = 3 * drawn(bars * rows, 16, seed=8).reshape(bars, rows, 16)
    uniforms = np.random.default_rng(2).random((bars * steps, rows, decoder.head.draws))
    noise = None if temperature is None else decoder.head.noise(uniforms, temperature)
    said, numbers = decode_bars(decoder, embeddings, steps, noise, keep=True)
    expected, made_from, before = [], [], None
    for bar in range(bars):
        of_bar = None if noise is None else noise[bar * steps : (bar + 1) * steps]
        choices, outputs = decoder.decode(embeddings[bar], steps, of_bar, first=before, keep=True)
        before = choices[-1]
        expected.append(choices)
        made_from.append(outputs)
    assert len({tuple(choices[-1]) for choices in expected}) > 2
    assert np.array_equal(said, np.concatenate(expected))
    assert numbers is not None
    assert np.allclose(numbers, np.concatenate(made_from), rtol=0, atol=1e-5)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_classes_are_chosen_as_often_as_they_are_likely(temperature):
    count, head = 40_000, CategoricalHead(4)
    outputs = np.repeat(np.log(np.array([[0.5, 0.3, 0.19, 0.01]], np.float32)), count, axis=0)
    noise = head.noise(np.random.default_rng(5).random((count, head.draws)), temperature)
    expected = np.array([0.5, 0.3, 0.19, 0.01]) ** (1 / temperature)
    expected /= expected.sum()
    allowed = 4 * np.sqrt(count * expected * (1 - expected))
    assert (np.abs(np.bincount(head.choose(outputs, noise), minlength=4) - count * expected) < allowed).all()


def test_noise_is_finite_at_both_ends_of_chance():
    noise = CategoricalHead(4).noise(np.array([0.0, 5e-324, 1e-9, 1 - 2**-53]), 1.0)
    assert np.isfinite(noise).all()
    assert (np.diff(noise) >= 0).all()
    assert np.isfinite(GrooveHead(27).noise(np.array([0.0, 1 - 2**-53]), 1.0)).all()


@pytest.mark.parametrize(("temperature", "hits"), [(1.0, 800), (2.0, 667)])
def test_hits_are_chosen_as_often_as_they_are_likely_and_the_rest_is_no_chance(temperature, hits):
    head = GrooveHead(27)
    outputs = np.zeros((1000, 27), np.float32)
    outputs[:, 0], outputs[:, 9], outputs[:, 18] = np.log(0.8 / 0.2), 1.0, -1.0
    uniforms = np.repeat((np.arange(1000)[:, None] + 0.5) / 1000, 9, axis=1)
    chosen = head.choose(outputs, head.noise(uniforms, temperature))
    assert chosen[:, :2].sum(axis=0).tolist() == [hits, 500]
    assert np.allclose(chosen[:, 9], 1 / (1 + np.exp(-1.0)))
    assert np.allclose(chosen[:, 18], np.tanh(-1.0))


def test_a_groove_keeps_to_the_hits_that_it_is_told_and_hears_itself_play_them():
    network = small_network("groovae_4bar")
    z, rng = drawn(3, network.latent_size), np.random.default_rng(4)
    hits = (rng.random((3, network.config.steps, 9)) < 0.3).astype(np.float32)
    free = network.decode(z)
    played = network.decode(z, hits=hits)
    assert np.array_equal(played[..., :9], hits)
    assert not played[..., 9:][np.tile(hits == 0, 2)].any(), "a drum that is not struck has no velocity and no offset"
    assert (played[..., 9:18][hits > 0] > 0).all()
    assert not np.allclose(played[:, 1:, 9:][np.tile(hits[:, 1:] > 0, 2)], free[:, 1:, 9:][np.tile(hits[:, 1:] > 0, 2)])
    # The same as being told these steps by a teacher.
    outputs, _ = network.teacher_forced(z, played)
    assert np.allclose(1 / (1 + np.exp(-outputs[..., 9:18]))[hits > 0], played[..., 9:18][hits > 0], atol=1e-5)


def test_of_a_groove_that_is_told_some_drums_the_others_are_its_own():
    network = small_network("groovae_4bar")
    z = drawn(2, network.latent_size)
    hits = np.full((2, network.config.steps, 9), np.nan, np.float32)
    assert np.array_equal(network.decode(z, hits=hits), network.decode(z))
    hits[..., 0] = 1.0
    played = network.decode(z, hits=hits)
    assert (played[..., 0] == 1).all()
    assert not np.array_equal(played[..., 1:9], np.ones_like(played[..., 1:9]))
    with pytest.raises(ValueError, match="cannot be told hits"):
        network.decode(z, hits=hits[:, :, :8])
    melodies = small_network(FLAT)
    with pytest.raises(ValueError, match="cannot be told hits"):
        melodies.decode(drawn(2, melodies.latent_size), hits=hits)


def test_a_nade_sets_a_class_as_often_as_it_is_likely_at_a_temperature():
    head = VaeNadeHead(Nade(np.zeros((4, 1, 2), np.float32), np.zeros((4, 2, 1), np.float32)))
    outputs = np.repeat(np.array([[0, 0, np.log(0.8 / 0.2), 0, 0, 0]], np.float32), 1000, axis=0)
    uniforms = np.repeat((np.arange(1000)[:, None] + 0.5) / 1000, 4, axis=1)
    for temperature, expected in ((1.0, 800), (2.0, 667)):
        chosen = head.choose(outputs, head.noise(uniforms, temperature))
        assert chosen.sum(axis=0).tolist() == [expected, 500, 500, 500]


def test_a_nade_sets_what_is_likely_and_counts_it_as_cheap():
    head = VaeNadeHead(Nade(np.zeros((4, 1, 2), np.float32), np.zeros((4, 2, 1), np.float32)))
    outputs = np.array([[0, 0, 3, -3, 3, -3]], np.float32)
    (likeliest,) = head.choose(outputs, None)
    assert likeliest.tolist() == [1, 0, 1, 0]
    costs = head.losses(np.repeat(outputs, 2, axis=0), np.array([likeliest, 1 - likeliest]))
    assert costs[0] == pytest.approx(4 * np.log1p(np.exp(-3)), abs=1e-4)
    assert costs[1] == pytest.approx(costs[0] + 12, abs=1e-3)


def test_one_sequence_is_played_from_the_weights_as_they_lie():
    known = VaeGolden(f"{TRIO}_small")
    weights = vae_weights(known.config, known.shapes)
    network = build_network(known.config, weights)
    network.decode(known["dec_z"][:1])
    scope = "core_decoder/core_decoder_2/decoder/multi_rnn_cell/cell_1/lstm_cell/kernel"
    cell = network.decoders[2].stack.cells[1]
    assert np.shares_memory(cell.inputs, weights[scope])
    assert np.shares_memory(cell.recurrent.matrix, weights[scope])


def test_weights_without_an_encoder_decode_but_do_not_hear():
    known = VaeGolden(f"{FLAT}_small")
    shapes = {name: shape for name, shape in known.shapes.items() if not name.startswith("encoder/")}
    network = build_network(known.config, made_up_weights(shapes))
    assert network.sizes == {"latent": 10, "encoder": [], "decoder": [12, 16]}
    assert not network.hears
    assert known.network.hears
    assert np.array_equal(network.decode(known["dec_z"]), known["dec_samples"])
    with pytest.raises(ValueError, match="decoder alone"):
        network.encode(known["enc_inputs"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda shapes: shapes.pop("encoder/mu/bias"), "weight encoder/mu/bias is missing"),
        (lambda shapes: shapes.update({"decoder/output_projection/bias": (89,)}), r"is \[89\].* needs \[90\]"),
        (lambda shapes: shapes.update({"decoder/other": (3,)}), "weight decoder/other is left over"),
        (lambda shapes: shapes.pop("decoder/multi_rnn_cell/cell_0/lstm_cell/bias"), "no complete stack"),
        (lambda shapes: shapes.pop("decoder/z_to_initial_state/kernel"), "is missing"),
        (lambda shapes: shapes.update({"decoder/z_to_initial_state/kernel": (3,)}), "has to have 2 axes"),
    ],
)
def test_weights_that_do_not_fit_are_named(change, said):
    known = VaeGolden(f"{FLAT}_small")
    shapes = known.shapes
    change(shapes)
    with pytest.raises(ValueError, match=said):
        known.config.sizes(shapes)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda net: net.decode(np.zeros((1, 11))), r"z has to be \[B, 10\]"),
        (lambda net: net.decode(np.zeros((1, 10)), length=0), "not 0"),
        (lambda net: net.decode(np.zeros((1, 10)), temperature=1.0), "temperature"),
        (lambda net: net.decode(np.zeros((1, 10)), temperature=0.0, rng=np.random.default_rng(0)), "temperature"),
        (lambda net: net.decode(np.zeros((1, 10)), controls=np.zeros((32, 3))), "takes no controls"),
        (lambda net: net.encode(np.zeros((2, 32, 89))), r"inputs have to be \[B, T, 90\]"),
        (lambda net: net.encode(np.zeros((2, 32, 90)), np.array([32, 33])), "lengths"),
        (lambda net: net.teacher_forced(np.zeros((1, 10)), np.zeros((2, 32, 90))), "1 latent vectors for 2 targets"),
    ],
)
def test_what_does_not_fit_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call(small_network(FLAT))


def test_a_network_over_chords_needs_them():
    network = small_network("cat-mel_2bar_med_chords")
    with pytest.raises(ValueError, match=r"needs controls \[32, 49\]"):
        network.decode(np.zeros((1, 10)))


def test_a_hierarchical_decoder_knows_one_length():
    with pytest.raises(ValueError, match="256 steps, not 32"):
        small_network(TRIO).decode(np.zeros((1, 12)), length=32)


def test_a_flat_decoder_goes_on_for_as_long_as_one_likes():
    network = small_network(FLAT)
    z = drawn(1, 10)
    assert np.array_equal(network.decode(z, length=80)[:, :32], network.decode(z))


@pytest.mark.parametrize("name", CONFIGS)
def test_converters_fit_their_networks(name):
    config, converter = CONFIGS[name], CONFIGS[name].make_converter()
    assert (converter.steps, converter.input_size, converter.output_size, converter.control_size) == (
        config.steps,
        config.input_size,
        config.output_size,
        config.control_size,
    )
