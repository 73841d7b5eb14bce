"""All networks on the same sixteenths, and what hearing buys."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from engine.networks.ensemble.configs import ENSEMBLE
from engine.networks.ensemble.encoding import BASS, MELODY
from engine.networks.ensemble.network import EnsembleNetwork
from engine.training.checkpoint import read_best
from engine.training.datasets import Dataset, augmentation_of, build
from engine.training.datasets.music.ensembles import PART
from engine.training.datasets.pieces import STEPS_PER_BAR, DatasetPiece, load_pieces, save_pieces
from engine.training.lines import ALL, NOTHING_TOLD, LineTable, Nats, ToldParts, judge_each, together
from engine.training.run import prepare
from engine.training.settings import TrainingFile, find_settings
from engine.training.tasks.ensemble import EnsembleTask
from engine.training.trainer import Trainer
from tests.proofs.ensemble.families import learnt, shipped

BAR = 0.1
WAYS = {
    "all": ALL,
    "drums and chords": ToldParts(True, True, False),
    "drums": ToldParts(True, False, False),
    "chords": ToldParts(False, True, False),
    "chords and notes": ToldParts(False, True, True),
    "nothing": NOTHING_TOLD,
}
"""What is heard, by a name."""
FIGURES: Mapping[str, Callable[[Nats], float]] = {
    "rhythm": lambda nats: nats.rhythm,
    "pitch": lambda nats: nats.pitch,
    "both": lambda nats: nats.both,
}
_DRAWS = 2000
_PHRASE = 4 * STEPS_PER_BAR
"""Four bars, which many parts of scenes are asked for."""

Judged = Mapping[str, Mapping[str, Nats]]
"""By what is heard: nats by the name of the song."""


def compared(folder: Path, run: Path, minutes: float, seed: int) -> bool:
    """Train what is not in the run's folder, print all figures; whether the bar is met."""
    _, recipe, _ = find_settings("recipes/ensemble")
    assert recipe is not None
    pieces = music(recipe, folder, run)
    lines = [[piece for piece in pieces if piece.events[0, PART] == part] for part in (BASS, MELODY)]
    hearing, deaf = (
        trained(recipe.model_copy(update={"seed": seed}), pieces, run / f"{name}-{seed}", name == "hearing", minutes)
        for name in ("hearing", "deaf")
    )
    others = {
        "mono_rnn": lambda at: learnt("mono_rnn", lines[0], at, seed, minutes),
        "lookback_rnn": lambda at: learnt("lookback_rnn", lines[1], at, seed, minutes),
        "chord_pitches_improv": lambda at: shipped("chord_pitches_improv", lines[1]),
    }
    family = {name: _kept(run / f"{name}-{seed}.json", lambda at, make=make: make(at)) for name, make in others.items()}
    met = True
    for part, held in zip(("bass", "melody"), lines, strict=True):
        judged = [piece for piece in held if piece.split == "test"]
        tables, songs = [LineTable(piece) for piece in judged], ["/".join(piece.work) for piece in judged]
        ways = {name: told for name, told in WAYS.items() if part == "bass" or name in ("chords", "nothing")}
        found = {name: _by_song(songs, judge_each(hearing, tables, told)) for name, told in ways.items()}
        best = "all" if part == "bass" else "chords"
        found[f"{best}, in phrases"] = _by_song(songs, judge_each(hearing, tables, ways[best], _PHRASE))
        if part == "bass":
            way = "drums and chords"
            found[f"{way}, in phrases"] = _by_song(songs, judge_each(hearing, tables, ways[way], _PHRASE))
            in_scenes = judge_each(hearing, tables, ALL, _PHRASE, before=False)
            found["all, in phrases, not before"] = _by_song(songs, in_scenes)
        found["nothing, and never did"] = _by_song(songs, judge_each(deaf, tables, NOTHING_TOLD))
        met = _told(part, found, family) and met
    return met


def music(recipe: TrainingFile, folder: Path, run: Path) -> list[DatasetPiece]:
    """What the recipe is trained on, kept in the run's folder."""
    kept = run / "pieces.npz"
    if not kept.exists():
        run.mkdir(parents=True, exist_ok=True)
        paths = [folder / source for source in recipe.dataset.sources]
        save_pieces(kept, build(paths, recipe.dataset.build_settings(recipe.config)).pieces)
    return load_pieces(kept)


def trained(
    recipe: TrainingFile, pieces: list[DatasetPiece], folder: Path, hears: bool, minutes: float
) -> EnsembleNetwork:
    """The network of the recipe, or one that never hears; in a folder where a training goes on where it was."""
    data = Dataset(pieces, "ensemble", augmentation_of(recipe.config))
    run = prepare(folder, recipe, data, "tensorflow", 1)
    train, validation = ([piece for piece in pieces if piece.split == split] for split in ("train", "validation"))
    task = EnsembleTask(run.options, train, validation, run.augmentation, hears)
    trainer = Trainer(run.options, task, folder, facts=run.facts)
    trainer.resume()
    trainer.run(until=trainer.clock() + 60 * minutes)
    return EnsembleNetwork(ENSEMBLE, read_best(folder))


def _told(part: str, found: Judged, family: Mapping[str, Nats]) -> bool:
    """Print what there is of a part; whether it meets the bar."""
    for name, songs in found.items():
        nats = together(list(songs.values()))
        shares = f"rhythm {nats.rhythm:.4f} pitch {nats.pitch:.4f} both {nats.both:.4f}"
        print(f"{part} hearing {name:24} {shares}, {len(songs)} songs, {nats.sixteenths} sixteenths")
    best = found["all" if part == "bass" else "chords"]
    met = True
    for name, figure in FIGURES.items():
        for other in ("nothing", "nothing, and never did"):
            share, low, high = _under(best, found[other], figure)
            counts = name != "both" if part == "bass" else name == "both"
            met = met and (share >= BAR or not counts)
            between = f"nine in ten draws of songs: {100 * low:.1f} to {100 * high:.1f} %"
            print(f"{part} {name:7} {100 * share:5.1f} % under hearing {other}; {between}")
    whole = together(list(best.values())).both
    for name in ("mono_rnn",) if part == "bass" else ("lookback_rnn", "chord_pitches_improv"):
        share = 1 - whole / family[name].both
        met = met and share >= BAR
        print(
            f"{part} {100 * share:5.1f} % under {name}, {family[name].both:.4f} of {family[name].sixteenths} sixteenths"
        )
    return met


def _under(
    these: Mapping[str, Nats], those: Mapping[str, Nats], figure: Callable[[Nats], float]
) -> tuple[float, float, float]:
    """By what share some nats are less than others of the same songs, and between what nine in ten of such shares lie
    if the songs are drawn anew (bootstrap)."""
    sums = np.array([[figure(one[song]) * one[song].sixteenths for song in these] for one in (these, those)])
    drawn = np.random.default_rng(0).integers(sums.shape[1], size=(_DRAWS, sums.shape[1]))
    shares = 1 - sums[0][drawn].sum(axis=1) / sums[1][drawn].sum(axis=1)
    low, high = np.quantile(shares, (0.05, 0.95)).tolist()
    return 1 - float(sums[0].sum() / sums[1].sum()), low, high


def _by_song(songs: Sequence[str], found: Sequence[Nats]) -> dict[str, Nats]:
    grouped: dict[str, list[Nats]] = defaultdict(list)
    for song, nats in zip(songs, found, strict=True):
        grouped[song].append(nats)
    return {song: together(several) for song, several in grouped.items()}


def _kept(path: Path, make: Callable[[Path], Nats]) -> Nats:
    """What a file says, or what is made (in a folder of its name) and written there."""
    if not path.exists():
        path.write_text(json.dumps(make(path.with_suffix(""))))
    return Nats(*json.loads(path.read_text()))
