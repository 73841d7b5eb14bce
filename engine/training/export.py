"""From a training run to a weights file with its card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import PerpetuumError
from engine.networks import CONFIGS, build_network
from engine.networks.card import WeightsCard, write_weights
from engine.networks.vae.configs import HUMANIZE_TEMPO
from engine.training.checkpoint import read_best, read_state
from engine.training.datasets import Dataset
from engine.training.evaluation.evaluate import SAMPLES, Advance, evaluate, untold
from engine.training.evaluation.figures import card_metrics
from engine.training.run import Run
from engine.training.settings import CardFile
from engine.training.tasks.task import TrainingOptions


def export(
    folder: Path,
    run: Run,
    dataset: Dataset,
    path: Path,
    about: CardFile,
    latest: bool = False,
    judged: bool = True,
    samples: int = SAMPLES,
    advance: Advance = untold,
) -> tuple[WeightsCard, int]:
    """Write the best weights of a run so far as a weights file with its card: at once, and again with their figures.

    Args:
        folder: the run.
        run: what it is about.
        dataset: what it was trained on.
        path: the file to write.
        about: what the musician says of it.
        latest: write the weights of the checkpoint, not those of the best evaluation.
        judged: whether the card gets figures, which take a while: of the test split, or where that is empty of the
            validation split.
        samples: of generated music that is judged, too; 0 for none.
        advance: told how far the judgement is.

    Returns:
        The card, and the batch that the weights are of.

    Raises:
        PerpetuumError: there are no weights yet, the file cannot be written, or there is nothing to judge them on; then
            the file is there, without figures.
    """
    weights = read_best(folder, latest)
    config = CONFIGS[run.options.config]
    network: Any = build_network(config, weights)
    state = read_state(folder) or {}
    batch = (0 if latest else state.get("best_step")) or state.get("step", 0)
    sources = sorted({piece.source for piece in dataset.pieces})
    card = WeightsCard(
        name=about.name or path.stem,
        family=config.family,
        config=config.name,
        sizes=config.sizes({name: value.shape for name, value in weights.items()}),
        licence=about.licence,
        credits=about.credits,
        training_data=about.training_data or tuple(sources),
        description=about.description,
        trained={"batches": batch, **_unusual(run.options), **run.facts},
    )
    _write(path, card, weights)
    if judged:
        split = "test" if any(piece.split == "test" for piece in run.pieces) else "validation"
        figures = evaluate(network, run.pieces, split, samples, advance=advance)
        card = replace(card, metrics=card_metrics(figures, network.config, split))
        _write(path, card, weights)
    return card, batch


def _unusual(options: TrainingOptions) -> dict[str, str]:
    """What makes weights others than the music and the seed alone would, by the names of the options."""
    found = {"start": options.start and Path(options.start).name, "precision": options.precision}
    return {name: value for name, value in found.items() if value not in (None, "float32")}


def _write(path: Path, card: WeightsCard, weights: Mapping[str, np.ndarray]) -> None:
    try:
        write_weights(path, card, weights)
    except (OSError, ValueError) as error:
        raise PerpetuumError(
            f"cannot write {path}: {error}", "The run is kept: give the same command again."
        ) from error


def summary(card: WeightsCard) -> str:
    """What the figures of a card come to, in a line a musician can read; empty without figures."""
    metrics = card.metrics
    if "network" in metrics:
        share = 1 - metrics["network"] / metrics["bigram"]
        return (
            f"{_percent(metrics['accuracy'])} of what comes next in held-out music is what it thought likeliest; it is "
            f"{abs(100 * share):.0f} % {'less' if share > 0 else 'more'} surprised by it than one who knows only what "
            "follows what"
        )
    if "reconstructed" in metrics:
        return (
            f"{_percent(metrics['reconstructed'])} of the held-out steps come back, {_percent(metrics['sampled'])} by "
            f"chance; the commonest class alone gives {_percent(metrics['all_hold'])}"
        )
    if "timing_mae_ms" in metrics:
        return (
            f"timing {metrics['timing_mae_ms']:.1f} ms off on what was held out, quantised "
            f"{metrics['quantised_mae_ms']:.1f} ms"
        )
    return ""


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


_STYLES = {
    "groovae_2bar_humanize": "humanize",
    HUMANIZE_TEMPO: "humanize_tempo",
    "groovae_2bar_tap_fixed_velocity": "tap",
    "groovae_2bar_add_closed_hh": "add_closed_hh",
}
_INSTRUMENTS = {
    "drums_rnn": "studio_kit",
    "melody_rnn": "marimba",
    "improv_rnn": "mellow_keys",
    "polyphony_rnn": "soft_strings",
    "chorale": "chapel_choir",
    "performance_rnn": "grand_piano",
    "ensemble": "round_bass",
}


def scene_lines(card: WeightsCard, path: Path) -> list[str]:
    """The lines of a part of a scene that use a weights file: two, and for drums out of a latent space the role.

    Args:
        card: of the file.
        path: of the file, as the scene is to name it.
    """
    weights = f'weights: "{path}"' if any(char in str(path) for char in " :,{}[]#&*!|>'%@`") else f"weights: {path}"
    if card.config in _STYLES:
        return [
            "generator: {kind: drum_rules}",
            f"transforms: [groove: {{style: {_STYLES[card.config]}, {weights}}}]",
        ]
    chords = {"improv_rnn": "chords: chords, ", "ensemble": "chords: chords, rhythm: drums, "}.get(card.family, "")
    drums = card.family == "music_vae" and "drums" in card.config
    instrument = _INSTRUMENTS.get(card.family) or ("studio_kit" if drums else "glass_bell")
    return [
        *(["role: drums"] if drums else []),
        f"generator: {{kind: {card.family}, config: {card.config}, {chords}{weights}}}",
        f"instrument: {instrument}",
    ]
