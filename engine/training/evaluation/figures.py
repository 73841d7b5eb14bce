"""Names, units and meanings of all figures, the same in weights cards, on the command line and on the models page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.networks.configs import AnyConfig
from engine.networks.rnn.configs import RnnConfig
from engine.networks.vae.configs import VaeConfig
from engine.training.datasets.music.trios import VOICES
from engine.training.datasets.pieces import STEPS_PER_BAR

DIGITS = 4
"""Decimals that figures are rounded to wherever they are written."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a figure is.

    Attributes:
        unit: of it; "{event}" stands for what an event of the network is, "{bars}" for how many an autoencoder hears.
        says: what it is, in some words.
        group: heading that it stands under.
    """

    unit: str
    says: str
    group: str


HELD_OUT, BACK, PLAYED, CHORALES, WALKS, MADE = (
    "Held-out pieces",
    "Held-out windows",
    "As it was played",
    "Bach's chorales",
    "Between two windows",
    "Music from nothing, temperature 1",
)
_EVENT, _SHARE = "nats per {event}", "share"
_TRAIN, _REAL = "_train", "_held_out"

FIGURES: dict[str, Figure] = {
    "network": Figure(_EVENT, "negative log-likelihood", HELD_OUT),
    "rhythm": Figure(_EVENT, "of that, what happens", HELD_OUT),
    "pitch": Figure(_EVENT, "of that, which pitches begin", HELD_OUT),
    "told_nothing": Figure(_EVENT, "the network, told nothing of other parts", HELD_OUT),
    "in_scenes": Figure(_EVENT, "told of other parts within phrases of four bars alone", HELD_OUT),
    "melody": Figure(_EVENT, "melodies, told their chords", HELD_OUT),
    "melody_told_nothing": Figure(_EVENT, "melodies, told nothing", HELD_OUT),
    "unigram": Figure(_EVENT, "guessing by frequency", HELD_OUT),
    "bigram": Figure(_EVENT, "guessing by the event before", HELD_OUT),
    "placed_bigram": Figure(_EVENT, "guessing by the voice, its note before and the place in the bar", HELD_OUT),
    "copy_last": Figure(_EVENT, "the event before again, else by frequency", HELD_OUT),
    "copy_bar": Figure(_EVENT, "the event of a bar ago, else by frequency", HELD_OUT),
    "under_bigram": Figure("percent", "how far the network is under the bigram", HELD_OUT),
    "copied": Figure(_SHARE, "notes that are the voice's note before", HELD_OUT),
    "accuracy": Figure(_SHARE, "events that the network thought likeliest", HELD_OUT),
    "per_note": Figure("nats per note", "all events, divided by the notes that begin", HELD_OUT),
    "per_bar": Figure("nats per bar of 4/4", "negative log-likelihood", HELD_OUT),
    "phrase_nats": Figure("nats per note", "of stretches as long as phrases, the median", HELD_OUT),
    "phrase_nats_spread": Figure("nats per note", "half of the way from their 16th to their 84th percentile", HELD_OUT),
    "events": Figure("events", "how many were judged", HELD_OUT),
    "notes": Figure("notes", "how many begin in them", HELD_OUT),
    "chorale_frame": Figure("nats per frame of 88 keys, grid of quarters", "upper bound of the network's", CHORALES),
    "chorale_frame_estimate": Figure(
        "nats per frame of 88 keys, grid of quarters", "what frames leave open summed out", CHORALES
    ),
    "chorale_sixteenth": Figure("nats per sixteenth", "all events", CHORALES),
    "chorale_note": Figure("nats per note", "all events, divided by the notes that begin", CHORALES),
    "chorale_frames": Figure("frames", "how many were judged", CHORALES),
    "nll": Figure("nats per sixteenth", "told the steps before, z = mu", BACK),
    "kl": Figure("nats per window of {bars}", "divergence of z from the prior", BACK),
    "elbo": Figure("nats per sixteenth", "bound on the negative log-likelihood, z drawn", BACK),
    "told": Figure(_SHARE, "steps right, told the steps before, z = mu", BACK),
    "told_z": Figure(_SHARE, "steps right, told the steps before, z drawn", BACK),
    "reconstructed": Figure(_SHARE, "steps that come back, z = mu, the likeliest", BACK),
    "reconstructed_z": Figure(_SHARE, "steps that come back, z drawn, the likeliest", BACK),
    "sampled_mu": Figure(_SHARE, "steps that come back, z = mu, drawn", BACK),
    "sampled": Figure(_SHARE, "steps that come back, z drawn, drawn", BACK),
    "all_hold": Figure(_SHARE, "steps of the commonest class, always", BACK),
    "windows": Figure("windows of {bars}", "how many were judged", BACK),
    "timing_mae_ms": Figure("milliseconds", "mean error of the timing", PLAYED),
    "quantised_mae_ms": Figure("milliseconds", "the same of strokes on the grid", PLAYED),
    "timing_mse": Figure("squared sixteenths", "mean squared error of the timing", PLAYED),
    "quantised_mse": Figure("squared sixteenths", "the same of strokes on the grid", PLAYED),
    "velocity_mae": Figure("MIDI velocities", "mean error of the velocity", PLAYED),
    "constant_velocity_mae": Figure("MIDI velocities", "the same of each drum's median velocity in training", PLAYED),
    "timing_kl": Figure("nats", "divergence of the timing, per drum", PLAYED),
    "timing_kl_pooled": Figure("nats", "divergence of the timing, all drums together", PLAYED),
    "quantised_timing_kl": Figure("nats", "divergence of the timing on the grid, per drum", PLAYED),
    "velocity_kl": Figure("nats", "divergence of the velocities, per drum", PLAYED),
    "velocity_kl_pooled": Figure("nats", "divergence of the velocities, all drums together", PLAYED),
    "wide_timing_mae_ms": Figure("milliseconds", "mean error of the timing at `groove: 130 %`", PLAYED),
    "wide_timing_kl": Figure("nats", "divergence of that timing, per drum", PLAYED),
    "wide_timing_kl_pooled": Figure("nats", "divergence of that timing, all drums together", PLAYED),
    "wide_velocity_kl": Figure("nats", "divergence of those velocities, per drum", PLAYED),
    "wide_velocity_kl_pooled": Figure("nats", "divergence of those velocities, all drums together", PLAYED),
    "hits": Figure("F1", "strokes that are played where the drummer played them, none being told", PLAYED),
    "overlap_timing": Figure("overlapping area", "timing, played and held out", PLAYED),
    "overlap_velocity_played": Figure("overlapping area", "velocities, played and held out", PLAYED),
    "walk_step": Figure("share of a window's steps", "edit distance from point to point", WALKS),
    "walk_jump": Figure("share of a window's steps", "largest edit distance of a way, on average", WALKS),
    "walk_ends": Figure("share of a window's steps", "edit distance between the ends", WALKS),
    "walk_still": Figure(_SHARE, "points like the one before", WALKS),
    "walk_copies": Figure(_SHARE, "bars on the way that are training bars", WALKS),
    **{
        f"{name}_{voice}": Figure(_SHARE, f"{says}: {voice}", BACK)
        for name, says in (
            ("told", "steps right, told the steps before, z = mu"),
            ("told_z", "the same, z drawn"),
            ("reconstructed", "steps that come back, z = mu, the likeliest"),
            ("reconstructed_z", "the same, z drawn"),
            ("sampled_mu", "steps that come back, z = mu, drawn"),
            ("sampled", "the same, z drawn"),
            ("all_hold", "steps of the commonest class, always"),
        )
        for voice in VOICES
    },
    **{
        f"overlap_{name}": Figure("overlapping area", f"{says}, made and held out", MADE)
        for name, says in (
            ("pitch", "pitches"),
            ("interval", "intervals"),
            ("duration", "durations"),
            ("density", "onsets per bar or second"),
            ("velocity", "velocities"),
        )
    },
    "copied_bars": Figure(_SHARE, "bars that are training bars", MADE),
    "copied_two_bars": Figure(_SHARE, "pairs of bars that are in training", MADE),
    "copied_runs": Figure(_SHARE, "runs of nine notes that are in training", MADE),
}
"""All of them, by name. Those of generated music have others beside them, for comparison; see `figure`."""


def figure(name: str) -> Figure:
    """What a figure is; also of those with "_train" (training pieces in the place of what was made) or "_held_out"
    (held-out pieces in its place) behind their name.

    Raises:
        KeyError: no figure is called so.
    """
    for suffix, made in ((_TRAIN, "training pieces and held-out ones"), (_REAL, "the same of held-out pieces")):
        if name.endswith(suffix) and name not in FIGURES:
            known = FIGURES[name.removesuffix(suffix)]
            return Figure(known.unit, made, known.group)
    return FIGURES[name]


def unit(name: str, config: AnyConfig) -> str:
    """The unit of a figure of a network, with what an event is to it."""
    bars = bars_heard(config) if isinstance(config, VaeConfig) else ""
    return figure(name).unit.format(event=event_of(config), bars=bars)


def bars_heard(config: VaeConfig) -> str:
    """How many bars an autoencoder hears at a time."""
    bars = config.steps // STEPS_PER_BAR
    return f"{({2: 'two', 4: 'four'}).get(bars, bars)} bars"


def event_of(config: AnyConfig, explained: bool = False) -> str:
    """What an event of a network is: the step of its grid, or where it keeps to none "event", perhaps explained."""
    match config.family:
        case "chorale":
            return "note (of one voice, on one sixteenth)" if explained else "note"
        case "polyphony_rnn":
            return "event (a note, or the end of a sixteenth)" if explained else "event"
        case "performance_rnn":
            velocity = "velocity, " if config.name != "performance" else ""
            return f"event (note on or off, {velocity}time in steps of 10 ms)" if explained else "event"
    return {2: "eighth", 4: "sixteenth"}[config.steps_per_quarter] if isinstance(config, RnnConfig) else "sixteenth"


def rounded(figures: Mapping[str, float]) -> dict[str, float]:
    """Figures as they are written."""
    return {name: round(value, DIGITS) for name, value in figures.items()}


def card_metrics(figures: Mapping[str, float], config: AnyConfig, split: str = "test") -> dict[str, Any]:
    """What stands as `metrics` in a weights card: the figures, and "unit", which says what a bare number is in.

    Args:
        figures: as `evaluate` gives them.
        config: of the network.
        split: that was judged on.
    """
    if not isinstance(config, VaeConfig):
        said = f"nats per {event_of(config, explained=True)}"
    elif config.head == "groove":
        said = "milliseconds, squared sixteenths, velocities, nats"
    else:
        said = f"shares of sixteenths; nll in nats per sixteenth, kl in nats per window of {bars_heard(config)}"
    return {"unit": f"{said}; {split} split", **rounded(figures)}
