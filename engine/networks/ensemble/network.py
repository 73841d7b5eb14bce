# pyright: strict
"""The ensemble network in numpy: how likely lines are, and lines that grow, several at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import PerpetuumError
from engine.networks.contract import Random, Sampling
from engine.networks.encodings.melody import NO_EVENT, NOTE_OFF
from engine.networks.ensemble.configs import KINDS, VIEWS, EnsembleConfig
from engine.networks.ensemble.encoding import (
    BEGINS,
    ENDS,
    HIGHEST,
    LOWEST,
    NOTHING,
    WIDE,
    Around,
    LineMemory,
    columns_of,
)
from engine.networks.gru import gru_step
from engine.networks.sampling import choose, log_probabilities

_PITCHES = np.arange(LOWEST, HIGHEST + 1)
_STARTS: dict[str, int] = dict(zip(VIEWS, np.cumsum([0, *VIEWS.values()])[:-1].tolist(), strict=True))
_NEVER = -1e9
"""What is added to the logit of what must not be."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that the network played.

    Attributes:
        events: [B, T] MelodyEvents.
        nats: [B] negative log-likelihoods at temperature 1, before anything was forbidden.
    """

    events: np.ndarray
    nats: np.ndarray


class EnsembleNetwork:
    """Plays and judges lines; no state of its own.

    Args:
        config: its config.
        weights: float32, by name.

    Raises:
        ValueError: the weights are not those of the config.
    """

    def __init__(self, config: EnsembleConfig, weights: Mapping[str, np.ndarray]) -> None:
        self.config: EnsembleConfig = config
        self.sizes: Mapping[str, Any] = config.sizes({name: value.shape for name, value in weights.items()})
        self.weights: dict[str, np.ndarray] = {name: np.asarray(value, np.float32) for name, value in weights.items()}

    def begin(self, count: int) -> np.ndarray:
        """The states [count, units] before anything was heard."""
        return np.zeros((count, self.weights["gru_0/recurrent"].shape[0]), np.float32)

    def logits(self, columns: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Logits [B, T, kinds + pitches] for lines from nothing: what happens, and which pitch begins if one does.

        Args:
            columns, places: [B, T, columns] and [B, T, 3], as `columns_of` gives them.
        """
        state, found = self.begin(len(columns)), list[np.ndarray]()
        for step in range(columns.shape[1]):
            made, state = self.step(columns[:, step], places[:, step], state)
            found.append(made)
        return np.stack(found, axis=1)

    def step(self, columns: np.ndarray, places: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits [B, kinds + pitches] of a sixteenth of each of B lines, and the states after it."""
        w = self.weights
        embedded = np.maximum(columns @ w["embedding/kernel"] + w["embedding/bias"], 0.0)
        projected = embedded @ w["gru_0/kernel"] + w["gru_0/bias"][0]
        state = gru_step(projected, state, w["gru_0/recurrent"], w["gru_0/bias"][1])
        hidden = np.maximum(np.concatenate([state, embedded], axis=1) @ w["dense/kernel"] + w["dense/bias"], 0.0)
        views = hidden @ w["output/kernel"] + w["output/bias"]
        logits = _view(views, "pitch").copy()
        for view, place in (("interval", places[:, :1]), ("bar_ago_interval", places[:, 1:2])):
            far = np.clip(_PITCHES - place, -WIDE, WIDE) + WIDE
            logits += np.where(place >= 0, np.take_along_axis(_view(views, view), far, axis=1), 0.0)
        root = places[:, 2:]
        seen = np.take_along_axis(_view(views, "from_root"), (_PITCHES - root) % 12, axis=1)
        return np.concatenate([_view(views, "kinds"), logits + np.where(root >= 0, seen, 0.0)], axis=1), state

    def play(
        self,
        part: int,
        past: np.ndarray,
        heard: Around,
        bias: np.ndarray,
        sampling: Sampling,
        rng: Random,
        count: int = 1,
        eager: float = 0.0,
    ) -> Lines:
        """Ways to go on, `count` of them side by side.

        Args:
            part: `BASS` or `MELODY`.
            past: [P] MelodyEvents of whole bars; may be empty. A note that sounds at their end ends there.
            heard: of others, over past and new music, [P + T].
            bias: [T, pitches] added to the logits of pitches that begin, from `LOWEST` on.
            sampling: temperature, top-k and top-p.
            rng: source of chance.
            count: of lines.
            eager: added to the logit of a beginning, against its being held or silent; 0 plays as much as was learnt.

        Raises:
            PerpetuumError: the network's numbers are not finite.
        """
        before, steps = len(past), len(bias)
        memory, lines = LineMemory(1, before + steps), np.zeros(1, int)
        memory.push(np.asarray(past, np.int64)[None])
        state = self.begin(1)
        if before:
            every = np.arange(before)
            known = Around(*(values[:before] for values in heard))
            columns, places = columns_of(part, every, memory.past(np.zeros(before, int), every), known)
            for step in range(before):
                _, state = self.step(columns[step : step + 1], places[step : step + 1], state)
        lines, state = np.arange(count), np.repeat(state, count, axis=0)
        memory = LineMemory(count, before + steps)
        memory.push(np.repeat(np.asarray(past, np.int64)[None], count, axis=0))
        nats = np.zeros(count)
        for step in range(before, before + steps):
            at = np.full(count, step)
            own = memory.past(lines, at)
            columns, places = columns_of(part, at, own, heard.at(step, count))
            logits, state = self.step(columns, places, state)
            if not np.isfinite(logits).all():
                raise PerpetuumError(
                    "the network's outputs are no longer finite numbers",
                    "its weights are damaged or its training went astray",
                )
            allowed = logits[:, :KINDS].astype(np.float64)
            allowed[:, BEGINS] += eager
            allowed[:, ENDS] += np.where(own.sounds, 0.0, _NEVER)
            if step == before:
                # What sounded before ended there.
                allowed[:, NOTHING] += np.where(own.sounds, _NEVER, 0.0)
            uniforms = np.array([[rng.random(), rng.random()] for _ in range(count)])
            kinds, _ = choose(allowed, sampling, uniforms[:, 0])
            pitches, _ = choose(logits[:, KINDS:] + bias[step - before], sampling, uniforms[:, 1])
            begins = kinds == BEGINS
            nats -= log_probabilities(logits[:, :KINDS], 1.0)[lines, kinds]
            nats -= np.where(begins, log_probabilities(logits[:, KINDS:], 1.0)[lines, pitches], 0.0)
            ends = np.where(kinds == ENDS, NOTE_OFF, NO_EVENT)
            memory.push(np.where(begins, pitches + LOWEST, ends)[:, None])
        return Lines(memory.events[:, before:], nats)


def _view(views: np.ndarray, name: str) -> np.ndarray:
    return views[..., _STARTS[name] : _STARTS[name] + VIEWS[name]]
