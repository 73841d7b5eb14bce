"""What a musician wants to know of a network that was trained: what its music is like beside held-out music, at which
temperature to begin, and some of it to listen to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from engine.networks.vae.music_vae import MusicVae
from engine.score.midi.writing import write_piece
from engine.score.phrase import moved
from engine.score.piece import Piece, Track
from engine.training.datasets import DatasetPiece as Work
from engine.training.evaluation.evaluate import Advance, untold
from engine.training.evaluation.held_out.groove import groove_samples
from engine.training.evaluation.samples import Sample, corpus_samples, heard_as, sample_music
from engine.training.evaluation.statistics import describe, typical

TEMPERATURES = (0.7, 0.8, 0.9, 1.0, 1.1)
SAMPLES = 16
"""Of each temperature: enough to tell 4 voices from 28, in seconds."""
LISTENED = 4
"""Excerpts in the file to listen to."""
_RATIO, _SHARE = math.log(1.5), 0.15
"""How far off a count or length, and a share, may be before it is said to be off."""


@dataclass(frozen=True, slots=True)
class Trait:
    """A figure of `describe` in words.

    Attributes:
        says: with {} for the value.
        share: whether it is a share, told in percent; else it is compared by ratio.
    """

    says: str
    share: bool = False

    def told(self, value: float) -> str:
        """The value as it is said."""
        return f"{100 * value:.0f} %" if self.share else f"{value:.2g}" if value < 10 else f"{value:.0f}"

    def off(self, made: float, real: float) -> float:
        """How far what was made is from what is real; 1 and more is off."""
        if self.share:
            return abs(made - real) / _SHARE
        return abs(math.log(max(made, 1e-3) / max(real, 1e-3))) / _RATIO


_HITS = {
    "hits_per_bar": Trait("{} strokes a bar"),
    "at_once": Trait("{} drums at once"),
    "silent_bars": Trait("{} of the bars silent", True),
    "repeated_bars": Trait("{} of the bars like the one before", True),
}
_TUNE = {
    "notes_per_bar": Trait("{} notes a bar"),
    "mean_length": Trait("notes of {} sixteenths"),
    "in_key": Trait("{} of the notes in one key", True),
    "rest_share": Trait("{} of the time at rest", True),
}
_NOTES = {
    "voices": Trait("{} voices at once"),
    "length": Trait("notes of {} beats"),
    "in_key": Trait("{} of the notes in one key", True),
    "notes": Trait("{} notes a beat"),
    "silence": Trait("{} of the time silent", True),
}
_SECONDS = _NOTES | {"length": Trait("notes of {} s"), "notes": Trait("{} notes a second")}
TRAITS: Mapping[str, Mapping[str, Trait]] = {
    "drums": _HITS,
    "melody": _TUNE,
    "lead_sheet": _TUNE,
    "polyphony": _NOTES,
    "performance": _SECONDS,
}
"""What is compared, by kind of music."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a network's music is like.

    Attributes:
        sentences: what there is to say, the first one about its music beside held-out music.
        temperature: at which to begin; None for networks that take the likeliest, and where nothing can be compared.
        excerpts: typical music of the network at it; see `typical`.
        seconds: whether their unit of time is the second, not the beat.
        drums: whether they are drums.
    """

    sentences: tuple[str, ...]
    temperature: float | None = None
    excerpts: list[Sample] = field(default_factory=list)
    seconds: bool = False
    drums: bool = False


def judge(
    network: Any,
    pieces: Sequence[Work],
    split: str,
    figures: Mapping[str, Any],
    seed: int = 0,
    advance: Advance = untold,
    count: int = SAMPLES,
) -> Verdict:
    """Hear what a network makes at each of `TEMPERATURES`, and compare it with held-out music.

    Args:
        network: whose config can be trained.
        pieces: all splits.
        split: that it is compared with.
        figures: of the network, as its card has them; may be empty.
        seed: of what is drawn.
        advance: see `Advance`.
        count: of samples at each temperature.
    """
    kind, config = heard_as(network.config.name), network.config
    held_out = [piece for piece in pieces if piece.split == split]
    if kind == "groove":
        _, made = groove_samples(network, held_out, LISTENED, seed)
        return Verdict(_groove_said(figures), None, made, drums=True)
    seconds, drums = config.family == "performance_rnn", kind == "drums"
    real = corpus_samples(config, held_out, 8 * count, seed)
    against = "held-out music"
    if not real:
        real, against = corpus_samples(config, pieces, 8 * count, seed), "the music it was trained on"
    back = (_back_said(figures),) if isinstance(network, MusicVae) and "reconstructed" in figures else ()
    if not real:
        return Verdict((*back, "No piece is long enough to compare its music with."), seconds=seconds, drums=drums)
    made = {
        temperature: sample_music(
            network, real, count, temperature, seed=seed, advance=partial(advance, f"music at {temperature:g}")
        )
        for temperature in TEMPERATURES
    }
    rows = {temperature: traits_of(kind, samples) for temperature, samples in made.items()}
    wanted = traits_of(kind, real)
    best = nearest(kind, rows, wanted)
    said = (*compared(kind, best, rows[best], wanted, against), *back)
    return Verdict(said, best, typical(kind, made[best], LISTENED), seconds, drums)


def traits_of(kind: str, samples: Sequence[Sample]) -> dict[str, float]:
    """The figures of samples that are compared, by the names of `TRAITS`."""
    heard = [sample for sample in samples if len(sample.notes)] or samples
    figures = describe(kind, heard) | {"at_once": drums_at_once(samples)}
    silent = 1 - sum(len(sample.notes) > 0 for sample in samples) / len(samples)
    for name in ("silence", "silent_bars", "rest_share"):
        if name in figures:
            figures[name] = silent + (1 - silent) * figures[name]
    return {name: figures[name] for name in TRAITS[kind] if name in figures}


def drums_at_once(samples: Sequence[Sample]) -> float:
    """Notes that begin in a sixteenth in which any does, on average."""
    notes = sum(len(sample.notes) for sample in samples)
    steps = sum(len(np.unique(np.rint(sample.notes["start"] * 4))) for sample in samples)
    return notes / max(1, steps)


def nearest(kind: str, rows: Mapping[float, Mapping[str, float]], wanted: Mapping[str, float]) -> float:
    """The temperature whose music is most like what is wanted; of equal ones that nearest to 1."""

    def distance(temperature: float) -> float:
        offs = [TRAITS[kind][name].off(rows[temperature][name], value) for name, value in wanted.items()]
        return round(math.sqrt(sum(off**2 for off in offs)), 3)

    return min(rows, key=lambda temperature: (distance(temperature), abs(temperature - 1.0)))


def compared(
    kind: str, temperature: float, made: Mapping[str, float], real: Mapping[str, float], against: str = "held-out music"
) -> tuple[str, ...]:
    """What music is like beside other music: a sentence with the figures, and one about those that are off, if any."""
    traits, names = TRAITS[kind], list(real)
    figures = ", ".join(f"{traits[n].says.format(traits[n].told(made[n]))} ({traits[n].told(real[n])})" for n in names)
    sentence = f"At temperature {temperature:g} its music has {figures}; in brackets {against}."
    off = [name for name in names if traits[name].off(made[name], real[name]) > 1]
    if not off:
        return (sentence, f"In all of that it is like {against}.")
    worst = max(traits[name].off(made[name], real[name]) for name in off)
    wrong = ", ".join(
        f"{'too many' if made[name] > real[name] else 'too few'} {_PLAIN[name]}"
        if name in _COUNTED
        else f"{_PLAIN[name]} {'too much' if made[name] > real[name] else 'too little'}"
        for name in off
    )
    return (sentence, f"It is {'far ' if worst > 2.5 else ''}off {against}: {wrong}.")


_COUNTED = ("voices", "notes", "hits_per_bar", "at_once", "notes_per_bar")
_PLAIN = {
    "voices": "voices at once",
    "notes": "notes",
    "length": "length of notes",
    "mean_length": "length of notes",
    "in_key": "notes in one key",
    "silence": "silence",
    "rest_share": "rest",
    "silent_bars": "silent bars",
    "repeated_bars": "repetition",
    "hits_per_bar": "strokes",
    "at_once": "drums at once",
    "notes_per_bar": "notes",
}


def _back_said(figures: Mapping[str, Any]) -> str:
    back, silence = 100 * figures["reconstructed"], 100 * figures["all_hold"]
    return (
        f"Of held-out bars {back:.0f} % of the steps come back as they were; {silence:.0f} % would, if it held on or "
        f"rested always."
    )


def _groove_said(figures: Mapping[str, Any]) -> tuple[str, ...]:
    if "timing_mae_ms" not in figures:
        return ()
    return (
        f"Its strokes lie {figures['timing_mae_ms']:.0f} ms from where held-out drummers played them, strokes on the "
        f"grid {figures['quantised_mae_ms']:.0f} ms.",
    )


def warning(figures: Mapping[str, Any]) -> str:
    """Why a network should not be used yet; empty where it is better than guessing, or nothing is known."""
    if "network" in figures and figures["network"] >= figures["bigram"]:
        return (
            "It knows held-out music worse than one who guesses each event by the one before it: it is not fit for a "
            "scene yet. Train it longer, or give it more music."
        )
    if "reconstructed" in figures and figures["reconstructed"] <= figures["all_hold"]:
        return (
            "Less of held-out music comes back than if it rested always: it is not fit for a scene yet. Train it "
            "longer, or give it more music."
        )
    if "timing_mae_ms" in figures and figures["timing_mae_ms"] >= figures["quantised_mae_ms"]:
        return (
            "Its timing is further from the drummers' than the bare grid is: it is not fit for a scene yet. Train it "
            "longer, or give it more music."
        )
    return ""


def write_excerpts(verdict: Verdict, path: Path) -> None:
    """Write the excerpts one after another into a MIDI file, with a marker for each.

    Raises:
        OSError: the file cannot be written.
    """
    qpm, gap = (60.0, 2.0) if verdict.seconds else (120.0, 4.0)
    tracks, markers, now = [], [], 0.0
    for number, sample in enumerate(verdict.excerpts, 1):
        notes = sample.notes.copy()
        notes["start"] = np.maximum(notes["start"], 0.0)
        tracks.append(moved(notes, now))
        markers.append((now, f"{number} of {len(verdict.excerpts)}"))
        now += sample.length + gap
    track = Track(np.concatenate(tracks), "excerpts", is_drum=verdict.drums)
    write_piece(path, replace(Piece((track,), qpm), markers=tuple(markers)))
