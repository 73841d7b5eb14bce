# pyright: strict
"""A GANSynth that is loaded: latent vectors and pitches in, waves out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine import progress
from engine.errors import PerpetuumError
from engine.networks.threads import one_thread
from engine.timbres.gansynth.checkpoint import GeneratorWeights, open_generator
from engine.timbres.gansynth.generator import SpectrumGenerator, denormalised
from engine.timbres.gansynth.pitches import PITCHES
from engine.timbres.gansynth.spectra.mel import Array
from engine.timbres.gansynth.spectra.spectrogram import Spectrogram

Latents = np.ndarray[tuple[int, ...], np.dtype[np.float32] | np.dtype[np.float64]]
"""Latent vectors; single precision is all that is used of them."""


class GanSynth:
    """A network that makes notes.

    Args:
        weights: as `open_generator` reads them; the numbers are let go.
        all_levels: for looking inside; see `SpectrumGenerator.levels`.

    Attributes:
        weights: what is known of them; the numbers are in the generator.
        generator: makes the spectra.
        spectrogram: makes waves of them.

    Raises:
        PerpetuumError: TensorFlow is not installed.
    """

    def __init__(self, weights: GeneratorWeights, all_levels: bool = False) -> None:
        known = weights.configuration
        self.weights = replace(weights, weights={})
        self.spectrogram = Spectrogram(weights.frames, weights.bins, known.audio_length, known.sample_rate)
        self.spectrogram.prepare(known.data_type == "mel")
        self.generator = SpectrumGenerator(weights, all_levels)

    @classmethod
    def load(cls, folder: Path) -> GanSynth:
        """Load a checkpoint of Magenta's; see `open_generator`.

        Raises:
            PerpetuumError: as there, or TensorFlow is not installed.
        """
        return cls(open_generator(folder))

    @property
    def latent_size(self) -> int:
        """Numbers of a latent vector; each is drawn from the normal distribution."""
        return self.weights.latent_size

    @property
    def sample_rate(self) -> int:
        """Hz of the waves."""
        return self.weights.configuration.sample_rate

    def notes(
        self, latents: Latents, pitches: Sequence[int] | np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    ) -> Array:
        """Notes, all of one length (4 s as published), at the loudness that the network gave them.

        Tells its progress.

        Args:
            latents: [n, latent_size].
            pitches: [n], MIDI, each one of `PITCHES`.

        Returns:
            Waves [n, length], float32.

        Raises:
            PerpetuumError: a pitch that the network does not know, or what it made is no sound.
        """
        waves = np.empty((len(latents), self.spectrogram.length), np.float32)
        for number, wave in enumerate(self.each_note(latents, pitches)):
            waves[number] = wave
        return waves

    def each_note(
        self,
        latents: Latents,
        pitches: Sequence[int] | np.ndarray[tuple[int, ...], np.dtype[np.int64]],
        told: bool = True,
    ) -> Iterator[Array]:
        """The waves of `notes`, one after the other, as they are made.

        Args:
            latents, pitches: see there.
            told: tell how far the work is; not where each wave is a work of its own.
        """
        labels = np.asarray(pitches, np.int64)
        if unknown := [pitch for pitch in dict.fromkeys(labels.tolist()) if pitch not in PITCHES]:
            raise PerpetuumError(
                f"GANSynth knows no pitch {unknown[0]}", f"Its pitches are {PITCHES[0]} to {PITCHES[-1]} (C1 to C6)."
            )
        batch = self.generator.batch
        single = np.asarray(latents, np.float32)
        for start in range(0, len(latents), batch):
            part = slice(start, start + batch)
            spectra = denormalised(self.generator.spectra(single[part], labels[part]), self.weights)
            for number, spectrum in enumerate(spectra, start):
                if told:
                    progress.tell(number / len(latents))
                yield self.wave(spectrum, f"pitch {labels[number]}")

    def wave(self, spectrum: Array, what: str = "the spectrum") -> Array:
        """The wave [length] of a spectrum.

        Raises:
            PerpetuumError: it holds what is no sound.
        """
        mel = self.weights.configuration.data_type == "mel"
        # What a network of odd weights makes may be beyond all numbers; that is found in the wave.
        with one_thread(), np.errstate(over="ignore", invalid="ignore"):
            made = self.spectrogram.wave_of_mel(spectrum) if mel else self.spectrogram.wave_of_linear(spectrum)
        if not np.isfinite(made).all():
            raise PerpetuumError(
                f"what the network made of {what} is no sound (it is not finite)",
                "Its checkpoint may be damaged: copy it again.",
            )
        return made
