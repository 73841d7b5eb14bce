"""Training of the timbre network: from a sound font to a file that plays."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from engine.errors import PerpetuumError
from engine.timbres.neural.layout import SIZE, Array, audible
from engine.timbres.neural.network import LATENT, Sizes
from engine.timbres.neural.weights import TimbreCard, write_network
from engine.training.checkpoint import TrainingCheckpoint, alone_in, read_checkpoint, write_checkpoint
from engine.training.timbre.batches import Basis, Pairs, principal
from engine.training.timbre.notes import HELD_OUT, VALIDATED, AnalysedNotes, prepare_notes

LEARNING_RATE, WARM_UP = 1.5e-3, 500
NOTES, WEIGHTS = "notes", "timbre.safetensors"
"""In a run's folder: the notes taken apart, and what came of them."""

CREDIT = "Fluid (R3) General MIDI SoundFont, copyright 2000-2002, 2008 Frank Wen, 2008 Toby Smithe, MIT"


@dataclass(frozen=True, slots=True)
class TimbreRecipe:
    """How the shipped network was trained.

    Attributes:
        components: principal components of the envelopes.
        hidden: units of each layer.
        error: decibels that errors of a whole note are taken to have, times the root of its numbers.
        beta: weight of the divergence.
        batch: pairs of notes.
        steps: in all.
        round: steps between two looks at what was held out; the checkpoint is written there.
        seed: of everything.
    """

    components: int = 192
    hidden: int = 256
    error: float = 20.0
    beta: float = 1.0
    batch: int = 64
    steps: int = 10_000
    round: int = 1_000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Round:
    """How a training stands after some steps.

    Attributes:
        step: that it is at.
        of: how many there are.
        loss: of training.
        divergence: nats that a place says.
        training: decibels of error on what was heard, the mean of a place taken.
        validation: on the groups that choose.
    """

    step: int
    of: int
    loss: float
    divergence: float
    training: float
    validation: float


def train(
    font: Path,
    folder: Path,
    recipe: TimbreRecipe,
    preparing: Callable[[int, int], None] = lambda done, of: None,
    told: Callable[[Round], None] = lambda done: None,
    minutes: float | None = None,
) -> Path:
    """Train, or go on, and write the network; gives its path.

    Args:
        font: FluidR3_GM.sf2.
        folder: of the run: notes, checkpoint and network.
        recipe: how.
        preparing: told how many programs are rendered and taken apart.
        told: after each round.
        minutes: after which it stops, to be gone on with.

    Raises:
        PerpetuumError: as `prepare_notes`; or the folder holds another run.
    """
    with alone_in(folder):
        notes = prepare_notes(font, folder / NOTES, preparing)
        return train_on_notes(notes, folder, recipe, told, minutes)


def train_on_notes(
    notes: AnalysedNotes, folder: Path, recipe: TimbreRecipe, told: Callable[[Round], None], minutes: float | None
) -> Path:
    """Train on notes that are taken apart; see `train`."""
    import keras

    from engine.training.timbre.keras_timbre import TimbreVae

    began = time.monotonic()
    heard, chosen = ~(notes.of(HELD_OUT) | notes.of(VALIDATED)), notes.of(VALIDATED)
    basis = principal(notes.vectors[heard], recipe.components)
    components = basis.compressed(audible(notes.vectors))
    learnt, judged = (
        Pairs(components[one], notes.pitches[one], notes.programs[one], notes.group_of, basis)
        for one in (heard, chosen)
    )
    keras.utils.set_random_seed(recipe.seed)
    model = TimbreVae(Sizes(recipe.components, recipe.hidden), basis.scale, recipe.error, recipe.beta, recipe.seed)
    schedule = keras.optimizers.schedules.CosineDecay(
        LEARNING_RATE / 20,
        max(1, recipe.steps - WARM_UP),
        alpha=0.02,
        warmup_target=LEARNING_RATE,
        warmup_steps=WARM_UP,
    )
    optimizer: Any = keras.optimizers.Adam
    model.compile(optimizer=optimizer(schedule, clipnorm=1.0), steps_per_execution=20)
    model.optimizer.build(model.trainable_variables)
    best, step = _resumed(model, folder, recipe)
    while step < recipe.steps:
        pairs = learnt.forever(recipe.batch, recipe.seed * 1_000_003 + step)
        history = model.fit(pairs, steps_per_epoch=recipe.round, epochs=1, verbose=cast(Any, 0)).history
        step += recipe.round
        errors = [_error(model, one, basis) for one in (learnt, judged)]
        if best is None or errors[1] < best[0]:
            best = errors[1], model.numbers()
        _save(model, folder, recipe, step, best)
        told(Round(step, recipe.steps, history["loss"][-1], history["divergence"][-1], *errors))
        if minutes is not None and time.monotonic() - began > 60 * minutes:
            break
    assert best is not None
    card = TimbreCard(
        name="Timbres of a General MIDI sound font",
        licence="MIT",
        credits=(CREDIT,),
        held_out=f"General MIDI programs {', '.join(map(str, HELD_OUT))}, and all that share samples with them",
        trained={"steps": step, "notes": int(heard.sum()), "seed": recipe.seed},
    )
    path = folder / WEIGHTS
    write_network(path, finished(best[1], basis, components[heard], notes.pitches[heard]), card)
    return path


def finished(weights: dict[str, Array], basis: Basis, components: Array, pitches: np.ndarray) -> dict[str, Array]:
    """All weights of a network, in whose latent space what was learnt has the normal distribution.

    A variational autoencoder's places never quite fill its prior; what is drawn would fall beside them. The mean and
    the spread of all places that were heard become the space's middle and its unit.
    """
    from engine.timbres.neural.network import TimbreNetwork

    whole = dict(
        weights,
        mean=basis.mean,
        basis=basis.basis,
        scale=basis.scale,
        home=np.zeros(LATENT, np.float32),
        frame=np.eye(LATENT, dtype=np.float32),
    )
    places = TimbreNetwork(whole).guessed(components, pitches)
    frame = np.linalg.cholesky(np.cov(places.T) + 1e-4 * np.eye(LATENT)).T
    return dict(whole, home=places.mean(axis=0).astype(np.float32), frame=frame.astype(np.float32))


def _error(model: Any, notes: Pairs, basis: Basis) -> float:
    """Decibels of error of all numbers of a note that comes back."""
    given, wanted = notes.plain()
    made = model.predict(given, batch_size=512, verbose=0)[:, 0]
    return float(np.sqrt((((made - wanted[:, 0]) * basis.scale) ** 2).sum(axis=1).mean() / SIZE))


def _save(model: Any, folder: Path, recipe: TimbreRecipe, step: int, best: tuple[float, dict[str, Array]]) -> None:
    weights = {f"now/{name}": value for name, value in model.numbers().items()}
    weights |= {f"best/{name}": value for name, value in best[1].items()}
    optimizer = [np.asarray(variable) for variable in model.optimizer.variables]
    state = {"step": step, "best": best[0], "recipe": asdict(recipe)}
    write_checkpoint(folder, TrainingCheckpoint(weights, optimizer, np.asarray(model.chance.state), state))


def _resumed(model: Any, folder: Path, recipe: TimbreRecipe) -> tuple[tuple[float, dict[str, Array]] | None, int]:
    """(best error and weights, step) of the run in a folder, which the model takes over; (None, 0) of a new one."""
    found = read_checkpoint(folder)
    if found is None:
        return None, 0
    if found.state.get("recipe") != asdict(recipe):
        raise PerpetuumError(f"{folder}: this run was begun with other settings", "Begin another one with another -o.")
    now = {name.removeprefix("now/"): value for name, value in found.weights.items() if name.startswith("now/")}
    best = {name.removeprefix("best/"): value for name, value in found.weights.items() if name.startswith("best/")}
    model.take(now)
    for variable, value in zip(model.optimizer.variables, found.optimizer, strict=True):
        variable.assign(value)
    model.chance.state.assign(found.seeds)
    return (float(found.state["best"]), best), int(found.state["step"])
