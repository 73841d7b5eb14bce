# pyright: strict
"""The chorale network in numpy: how likely pieces are, and pieces that grow, several at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import PerpetuumError
from engine.networks.chorale.configs import ChoraleConfig
from engine.networks.chorale.encoding import (
    END,
    LABELS,
    LOWEST,
    PITCHES,
    VOICES,
    WIDE,
    ChoraleStream,
    label_of,
    outcome_of,
    tokens,
)
from engine.networks.chorale.layout import INTERVALS, ChoraleLayout, read_layout
from engine.networks.gru import gru_step

_CHUNK = 256
"""Tokens whose queries are looked at together: the shares of a whole long piece would take hundreds of megabytes."""
_PITCHES = np.arange(LOWEST, LOWEST + PITCHES)


@dataclass(frozen=True, slots=True)
class Expectations:
    """How a network hears a piece.

    Attributes:
        logits: [N, labels] for each token in the order of the stream, and for the end after them.
        labels: [N] what came.
        reached: [N, heads, distances + 1] shares of attention: on nothing, then on 1, 2, ... tokens ago; None unless
            asked for.
    """

    logits: np.ndarray
    labels: np.ndarray
    reached: np.ndarray | None = None

    @property
    def losses(self) -> np.ndarray:
        """[N] negative log-likelihoods in nats."""
        shifted = self.logits.astype(np.float64)
        shifted -= shifted.max(axis=1, keepdims=True)
        return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(self.labels)), self.labels]


class ChoraleNetwork:
    """Plays and judges chorales; no state of its own.

    Args:
        config: its config.
        weights: float32, by name.

    Raises:
        ValueError: the weights are not those of the config.
    """

    def __init__(self, config: ChoraleConfig, weights: Mapping[str, np.ndarray]) -> None:
        self.config: ChoraleConfig = config
        self.layout: ChoraleLayout = read_layout({name: value.shape for name, value in weights.items()})
        self.weights: dict[str, np.ndarray] = {name: np.asarray(value, np.float32) for name, value in weights.items()}
        w = self.weights
        # Query, key and value of a token are one product.
        self.projection = np.concatenate([w[f"attention/{name}"] for name in ("query", "key", "value")], axis=1)
        size = self.layout.attention // self.layout.heads
        self.projection[:, : self.layout.attention] *= size**-0.5

    @property
    def sizes(self) -> Mapping[str, Any]:
        """As `Config.sizes` gives them."""
        return self.layout.sizes()

    def hear(
        self, piece: np.ndarray | Sequence[Sequence[int]], attention: bool = False, phase: int = 0
    ) -> Expectations:
        """What the network expects at each note of a piece, being told those before.

        Args:
            piece: [T, 4] pitches, below 0 for silence.
            attention: whether to tell where it looked.
            phase: sixteenths of the bar before its first note.
        """
        stream = ChoraleStream(phase)
        columns: list[np.ndarray] = []
        places: list[tuple[int, ...]] = []
        labels: list[int] = []
        for pitch in tokens(piece):
            columns.append(stream.columns())
            places.append((stream.reference[stream.voice], *stream.now))
            labels.append(label_of(pitch))
            stream.push(pitch)
        columns.append(stream.columns())
        places.append((stream.reference[0], *stream.now))
        labels.append(END)
        at = np.array(places)
        outcomes = np.array([outcome_of(label, place[0]) for label, place in zip(labels, places, strict=True)])
        embedded = self.embed(np.array(columns))
        attended, reached = self._attend_all(embedded, outcomes, attention)
        outputs = np.concatenate([embedded, attended], axis=1)
        for layer, units in enumerate(self.layout.layers):
            projected = outputs @ self.weights[f"gru_{layer}/kernel"] + self.weights[f"gru_{layer}/bias"][0]
            outputs, state = np.empty((len(projected), units), np.float32), np.zeros((1, units), np.float32)
            for place in range(len(projected)):
                state = self._gru(layer, projected[place : place + 1], state)
                outputs[place] = state[0]
        return Expectations(self._read(outputs, embedded, attended, at), np.array(labels), reached)

    def begin(self, count: int = 1, phase: int = 0) -> Growing:
        """Some pieces at their beginning."""
        return Growing(self, [ChoraleStream(phase) for _ in range(count)])

    def embed(self, columns: np.ndarray) -> np.ndarray:
        """[N, embedding] of the columns [N, fields] that are on."""
        kernel, bias = self.weights["embedding/kernel"], self.weights["embedding/bias"]
        made = np.empty((len(columns), self.layout.embedding), np.float32)
        for start in range(0, len(columns), _CHUNK):
            made[start : start + _CHUNK] = kernel[columns[start : start + _CHUNK]].sum(axis=1)
        return np.maximum(made + bias, 0.0)

    def _gru(self, layer: int, projected: np.ndarray, state: np.ndarray) -> np.ndarray:
        """States [B, units] after a step, from what the input gives to the gates."""
        w = self.weights
        return gru_step(projected, state, w[f"gru_{layer}/recurrent"], w[f"gru_{layer}/bias"][1])

    def _read(self, outputs: np.ndarray, embedded: np.ndarray, attended: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Logits [N, labels]; places are [N, 5], see `encoding`."""
        w = self.weights
        hidden = np.concatenate([outputs, embedded, attended], axis=1) @ w["dense/kernel"] + w["dense/bias"]
        views = np.maximum(hidden, 0.0) @ w["output/kernel"] + w["output/bias"]
        logits = views[:, :LABELS].copy()
        far = np.clip(_PITCHES - places[:, :1], -WIDE, WIDE) + WIDE
        logits[:, :PITCHES] += np.take_along_axis(views[:, LABELS : LABELS + INTERVALS], far, axis=1)
        for voice in range(VOICES):
            begin, place = LABELS + INTERVALS + 12 * voice, places[:, 1 + voice : 2 + voice]
            classes = np.take_along_axis(views[:, begin : begin + 12], (_PITCHES - place) % 12, axis=1)
            logits[:, :PITCHES] += np.where(place >= 0, classes, 0.0)
        return logits

    def _attend_all(
        self, embedded: np.ndarray, outcomes: np.ndarray, attention: bool
    ) -> tuple[np.ndarray, np.ndarray | None]:
        layout, w, count = self.layout, self.weights, len(embedded)
        heads, window, wide = layout.heads, layout.window, layout.attention
        projected = embedded @ self.projection

        def split(rows: np.ndarray) -> np.ndarray:
            return rows.reshape(len(rows), heads, -1).transpose(1, 0, 2)

        query = split(projected[:, :wide])
        keys = split(projected[:, wide : 2 * wide] + w["attention/outcome_key"][outcomes])
        values = split(projected[:, 2 * wide :] + w["attention/outcome_value"][outcomes])
        nothing_key = w["attention/nothing_key"].reshape(heads, -1, 1)
        nothing_value = w["attention/nothing_value"].reshape(heads, 1, -1)
        made = np.empty((count, wide), np.float32)
        reached = np.zeros((count, heads, window + 1), np.float32) if attention else None
        for start in range(0, count, _CHUNK):
            stop = min(count, start + _CHUNK)
            first = max(0, start - window)
            ago = np.arange(start, stop)[:, None] - np.arange(first, stop)[None]
            known = (ago >= 1) & (ago <= window)
            bias = np.where(known, w["attention/distance"][:, np.where(known, ago, 0)], -1e9)
            scores = query[:, start:stop] @ keys[:, first:stop].transpose(0, 2, 1) + bias
            nothing = query[:, start:stop] @ nothing_key + w["attention/distance"][:, :1, None]
            shares = _softmax(np.concatenate([nothing, scores], axis=2))
            told = shares[:, :, 1:] @ values[:, first:stop] + shares[:, :, :1] * nothing_value
            made[start:stop] = told.transpose(1, 0, 2).reshape(stop - start, wide)
            if reached is not None:
                rows, places = np.nonzero(known)
                reached[start + rows, :, ago[rows, places]] = shares[:, rows, 1 + places].T
                reached[start:stop, :, 0] = shares[:, :, 0].T
        return made, reached


class Growing:
    """Several pieces of one length that grow note by note: `logits`, then `push`, and again.

    Args:
        network: that plays.
        streams: the pieces, all empty.

    Attributes:
        streams: the pieces.
    """

    def __init__(self, network: ChoraleNetwork, streams: list[ChoraleStream]) -> None:
        self.network = network
        self.streams = streams
        layout, count = network.layout, len(streams)
        self._states = [np.zeros((count, units), np.float32) for units in layout.layers]
        room = 2 * layout.window
        self._keys = np.zeros((count, room, layout.attention), np.float32)
        self._values = np.zeros_like(self._keys)
        self._filled = 0
        self._told: tuple[np.ndarray, np.ndarray] | None = None

    def logits(self) -> np.ndarray:
        """[B, labels] for the token to come; to be called once before each `push`."""
        network, layout, w = self.network, self.network.layout, self.network.weights
        heads, window, wide, count = layout.heads, layout.window, layout.attention, len(self.streams)
        embedded = network.embed(np.stack([stream.columns() for stream in self.streams]))
        projected = embedded @ network.projection
        first = max(0, self._filled - window)
        seen = self._filled - first
        query = projected[:, :wide].reshape(count, heads, 1, -1)
        keys = self._keys[:, first : self._filled].reshape(count, seen, heads, wide // heads).transpose(0, 2, 3, 1)
        values = self._values[:, first : self._filled].reshape(count, seen, heads, wide // heads).transpose(0, 2, 1, 3)
        scores = (query @ keys)[:, :, 0] + w["attention/distance"][:, seen:0:-1]
        nothing = (query[:, :, 0] * w["attention/nothing_key"].reshape(heads, -1)).sum(axis=2, keepdims=True)
        shares = _softmax(np.concatenate([nothing + w["attention/distance"][:, :1], scores], axis=2))
        attended = (shares[:, :, None, 1:] @ values)[:, :, 0]
        attended = attended + shares[:, :, :1] * w["attention/nothing_value"].reshape(heads, -1)
        attended = attended.reshape(count, wide).astype(np.float32)
        outputs = np.concatenate([embedded, attended], axis=1)
        for layer in range(len(layout.layers)):
            given = outputs @ w[f"gru_{layer}/kernel"] + w[f"gru_{layer}/bias"][0]
            outputs = self._states[layer] = network._gru(layer, given, self._states[layer])  # pyright: ignore[reportPrivateUsage]
        places = np.array([(stream.reference[stream.voice], *stream.now) for stream in self.streams])
        self._told = projected[:, wide : 2 * wide], projected[:, 2 * wide :]
        logits = network._read(outputs, embedded, attended, places)  # pyright: ignore[reportPrivateUsage]
        if not np.isfinite(logits).all():
            raise PerpetuumError(
                "the network's outputs are no longer finite numbers",
                "its weights are damaged or its training went astray",
            )
        return logits

    def push(self, pitches: Sequence[int]) -> None:
        """The next note of each piece: pitches, or `SILENT`."""
        assert self._told is not None
        if self._filled == self._keys.shape[1]:
            window = self.network.layout.window
            for kept in (self._keys, self._values):
                kept[:, :window] = kept[:, -window:].copy()
            self._filled = window
        outcomes = [
            outcome_of(label_of(pitch), stream.reference[stream.voice])
            for pitch, stream in zip(pitches, self.streams, strict=True)
        ]
        w = self.network.weights
        self._keys[:, self._filled] = self._told[0] + w["attention/outcome_key"][outcomes]
        self._values[:, self._filled] = self._told[1] + w["attention/outcome_value"][outcomes]
        self._filled += 1
        self._told = None
        for pitch, stream in zip(pitches, self.streams, strict=True):
            stream.push(pitch)

    def copies(self, count: int) -> Growing:
        """Several pieces like the first of these."""
        made = Growing(self.network, [self.streams[0].copy() for _ in range(count)])
        at = np.zeros(count, int)
        made._states = [state[at] for state in self._states]
        made._keys, made._values, made._filled = self._keys[at], self._values[at], self._filled
        return made

    def choose(self, places: Sequence[int]) -> None:
        """Go on with the pieces at these places, some of them perhaps several times."""
        at = np.asarray(places)
        self.streams = [self.streams[place].copy() for place in places]
        self._states = [state[at] for state in self._states]
        self._keys, self._values = self._keys[at], self._values[at]
        if self._told is not None:
            self._told = self._told[0][at], self._told[1][at]


def _softmax(scores: np.ndarray) -> np.ndarray:
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
