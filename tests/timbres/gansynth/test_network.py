"""Facts about GANSynth's network: it makes what the original makes of the same weights."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.timbres.gansynth.checkpoint import open_generator
from engine.timbres.gansynth.clip import TimedNotes, combined
from engine.timbres.gansynth.configuration import Configuration
from engine.timbres.gansynth.generator import SpectrumGenerator, denormalised
from engine.timbres.gansynth.network import GanSynth
from engine.timbres.gansynth.pitches import draw_pitches
from tests.timbres.golden import SMALL, gansynth, made_up_generator

pytestmark = [pytest.mark.models, pytest.mark.xdist_group("tensorflow")]
TINY = (3, 3, 3, 3, 3, 3, 3)


def worst(waves, golden, arrays):
    """The largest difference to golden waves, as a share of the maximum of each wave."""
    parts = {"first": waves[:, :2048], "last": waves[:, -4096:], "sub": waves[:, ::16]}
    apart = [np.abs(part - arrays[f"{golden}_{name}"]).max(axis=1) for name, part in parts.items()]
    return (np.max(apart, axis=0) / np.abs(waves).max(axis=1)).max()


@pytest.fixture(scope="module")
def small():
    return GanSynth.load(SMALL)


@pytest.mark.parametrize("name", ["generator_small_ckpt", "generator_full"])
def test_every_level_image_and_wave_is_the_originals(name):
    """The checkpoint's raw weights are others: who reads those fails here. The full network needs no file."""
    arrays, info = gansynth(name)
    weights = open_generator(SMALL) if "small" in name else made_up_generator()
    network = GanSynth(weights, all_levels=True)
    pitches = np.array(info["pitches"])
    latents = np.random.RandomState(info["z_seed"]).normal(size=[len(pitches), weights.latent_size])
    latents = latents.astype(np.float32)
    waves = []
    for number in range(len(pitches)):
        one = slice(number, number + 1)
        for block, image in network.generator.levels(latents[one], pitches[one]).items():
            golden = arrays[f"rgb{block}"][number]
            strides = [max(1, size // wanted) for size, wanted in zip(image.shape[1:3], golden.shape[:2], strict=True)]
            assert np.abs(image[0, :: strides[0], :: strides[1]] - golden).max() < 3e-5
        image = denormalised(network.generator.spectra(latents[one], pitches[one]), weights)[0]
        assert np.abs(image[::4, ::16] - arrays["img_sub"][number]).max() < 2e-3
        np.testing.assert_allclose(image.mean(axis=(0, 1)), arrays["img_mean"][number], atol=1e-4)
        waves.append(network.wave(image))
    assert worst(np.array(waves), "wave", arrays) < 1e-3
    assert (len(waves), *waves[0].shape) == tuple(arrays["wave_shape"])


def test_notes_of_a_midi_file_and_their_clip_are_the_originals(small):
    arrays, info = gansynth("generate_util")
    waves = small.notes(arrays["z_notes"], arrays["notes_pitches"])
    assert worst(waves, "audio_notes", arrays) < 1e-3
    velocities = arrays["notes_velocities"].astype(float)
    notes = TimedNotes(arrays["notes_pitches"], velocities, arrays["notes_start_times"], arrays["notes_end_times"])
    clip = combined(waves, notes).finished()
    assert len(clip) == info["clip_len"]
    for part, name in ((clip[:2048], "first"), (clip[-4096:], "last"), (clip[::16], "sub")):
        assert np.abs(part - arrays[f"clip_{name}"]).max() < 1e-3


def test_random_notes_of_a_seed_are_the_originals(small):
    arrays, info = gansynth("generate_util")
    random = np.random.RandomState(2025)
    pitches = draw_pitches(3, random)
    assert pitches.tolist() == info["random3_pitches"]
    assert worst(small.notes(random.normal(size=[3, 16]), pitches), "random3", arrays) < 1e-3


def test_a_note_does_not_depend_on_those_that_are_made_with_it(small):
    latents = np.random.default_rng(1).standard_normal((3, 16))
    together = small.notes(latents, [40, 50, 60])
    np.testing.assert_array_equal(small.notes(latents[1:2], [50]), together[1:2])


def test_a_pitch_that_the_network_does_not_know_is_refused(small):
    with pytest.raises(PerpetuumError, match="knows no pitch 85"):
        small.notes(np.zeros((2, 16)), [84, 85])


def test_half_way_between_two_levels_both_are_heard():
    """As training fades a level in: the smaller image, doubled, and the larger one."""
    weights = made_up_generator(latent_size=4, filters=TINY)
    latents, pitches = np.ones((1, 4), np.float32), np.array([60])
    levels = SpectrumGenerator(weights, all_levels=True).levels(latents, pitches)
    made = SpectrumGenerator(replace(weights, progress=5.25)).spectra(latents, pitches)
    np.testing.assert_allclose(made, 0.75 * levels[6].repeat(2, 1).repeat(2, 2) + 0.25 * levels[7], atol=1e-6)


def test_a_network_that_is_not_grown_up_makes_as_large_spectra():
    weights = made_up_generator(latent_size=4, filters=TINY[:3])
    made = SpectrumGenerator(weights).spectra(np.ones((1, 4), np.float32), np.array([60]))
    assert made.shape == (1, 128, 1024, 2)
    assert (made[:, ::16, ::16].repeat(16, 1).repeat(16, 2) == made).all()


def test_a_network_of_linear_spectra_makes_waves():
    weights = made_up_generator(latent_size=4, filters=TINY, configuration=Configuration(data_type="linear"))
    wave = GanSynth(weights).notes(np.ones((1, 4)), [60])
    assert wave.shape == (1, 64000)
    assert np.isfinite(wave).all()
    assert wave.any()


def test_what_is_no_sound_is_said_not_played():
    weights = made_up_generator(latent_size=4, filters=TINY, configuration=Configuration(mag_normalizer_a=1e-3))
    with pytest.raises(PerpetuumError, match="is no sound"):
        GanSynth(weights).notes(np.ones((1, 4)), [60])
