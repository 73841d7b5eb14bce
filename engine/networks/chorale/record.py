# pyright: strict
"""A chorale as JSON for whoever draws it: its notes, what the network expected of each, and where it looked."""

from __future__ import annotations

import json
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from engine.networks.chorale.encoding import LABELS, LOWEST, PITCHES, SILENCE, SILENT, VOICES
from engine.networks.chorale.network import ChoraleNetwork, Heard

VOICE_NAMES = ("soprano", "alto", "tenor", "bass")
LOUDEST = 3.0
"""Nats of entropy from which on a note has the velocity 127."""
_LEAST = 1e-3


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expected(_Record):
    """A pitch that the network reckoned with."""

    pitch: int = Field(description="MIDI pitch; -1 for silence, -2 for the end of the piece")
    probability: float = Field(ge=0, le=1, description="at temperature 1")


class Looked(_Record):
    """Where one head of attention looked."""

    head: int = Field(ge=0, description="number of the head")
    ago: int = Field(ge=0, description="how many tokens before this one, four of which are a sixteenth; 0: at nothing")
    share: float = Field(ge=0, le=1, description="of the head's attention")


class Token(_Record):
    """One voice on one sixteenth: what it sings, and what the network, being told all before, expected."""

    step: int = Field(ge=0, description="sixteenth, from 0")
    voice: int = Field(ge=0, lt=VOICES, description="0 soprano, 1 alto, 2 tenor, 3 bass")
    pitch: int = Field(ge=-1, le=127, description="MIDI pitch; -1 for silence")
    given: bool = Field(description="whether it was given, not chosen")
    nats: float = Field(ge=0, description="negative log-likelihood of the pitch, at temperature 1")
    entropy: float = Field(ge=0, description="of what was expected, in nats; ln 48 = 3.87 at most")
    expected: tuple[Expected, ...] = Field(description="the likeliest pitches, the likeliest first")
    attention: tuple[Looked, ...] = Field(description="the largest shares of attention, the largest first")


class SungNote(_Record):
    """A note: equal pitches of one voice in a row."""

    voice: int = Field(ge=0, lt=VOICES, description="0 soprano, 1 alto, 2 tenor, 3 bass")
    start: float = Field(ge=0, description="beats from the beginning")
    end: float = Field(gt=0, description="beats from the beginning")
    pitch: int = Field(ge=0, le=127, description="MIDI pitch")
    velocity: int = Field(ge=1, le=127, description="entropy at its first sixteenth: 1 at 0 nats, 127 at 3 and more")


class ChoraleRecord(_Record):
    """Notes, distributions, entropy and attention of a chorale."""

    format: Literal["perpetuum chorale"] = "perpetuum chorale"
    version: Literal[1] = 1
    weights: str = Field(description="name of the weights file")
    seed: int = Field(ge=0, description="that it was made with")
    temperature: float = Field(gt=0, description="that it was drawn at")
    qpm: float = Field(gt=0, description="quarter notes per minute")
    steps: int = Field(ge=0, description="sixteenths")
    voices: tuple[str, ...] = Field(description="names of the voices, by number")
    nats_per_note: float = Field(ge=0, description="mean of `nats` over all tokens")
    notes: tuple[SungNote, ...] = Field(description="by voice, then by start")
    tokens: tuple[Token, ...] = Field(
        description="in the order in which the network sang them: within each sixteenth soprano to bass"
    )


def velocities_of(entropies: np.ndarray) -> np.ndarray:
    """MIDI velocities that stand for entropies in nats."""
    return np.clip(np.rint(1 + 126 * entropies / LOUDEST), 1, 127).astype(int)


def entropies_of(heard: Heard) -> np.ndarray:
    """[N] entropy in nats of what a network expected at each token."""
    shares = _shares(heard)
    return -(shares * np.log(np.maximum(shares, 1e-30))).sum(axis=1)


def record_of(
    network: ChoraleNetwork,
    piece: np.ndarray,
    given: np.ndarray | None,
    weights: str,
    seed: int,
    temperature: float,
    qpm: float,
    top: int = 5,
) -> ChoraleRecord:
    """The record of a piece.

    Args:
        network: that tells what it expects, at temperature 1.
        piece: [T, 4] pitches, below 0 for silence.
        given: [T, 4] whether a note was given; None for none.
        weights, seed, temperature, qpm: as the record has them.
        top: pitches of each distribution, and shares of attention, at most.
    """
    heard = network.hear(piece, attention=True)
    assert heard.reached is not None
    shares, entropies, losses = _shares(heard), entropies_of(heard), heard.losses
    flat = piece.reshape(-1).tolist()
    told = np.zeros(len(flat), bool) if given is None else given.reshape(-1)
    tokens: list[Token] = []
    for place, pitch in enumerate(flat):
        order = np.argsort(-shares[place], kind="stable")[:top]
        tokens.append(
            Token(
                step=place // VOICES,
                voice=place % VOICES,
                pitch=max(int(pitch), SILENT),
                given=bool(told[place]),
                nats=_rounded(losses[place]),
                entropy=_rounded(entropies[place]),
                expected=tuple(
                    Expected(pitch=_pitch(int(label)), probability=_rounded(shares[place, label]))
                    for label in order.tolist()
                    if shares[place, label] >= _LEAST
                ),
                attention=_looked(heard.reached[place], top),
            )
        )
    return ChoraleRecord(
        weights=weights,
        seed=seed,
        temperature=temperature,
        qpm=qpm,
        steps=len(piece),
        voices=VOICE_NAMES,
        nats_per_note=_rounded(losses[:-1].mean()) if len(flat) else 0.0,
        notes=_notes(piece, entropies[:-1].reshape(-1, VOICES)),
        tokens=tuple(tokens),
    )


def record_schema() -> str:
    """The JSON Schema of records."""
    return json.dumps(ChoraleRecord.model_json_schema(mode="serialization"), indent=2, ensure_ascii=False) + "\n"


def _notes(piece: np.ndarray, entropies: np.ndarray) -> tuple[SungNote, ...]:
    from engine.networks.chorale.notes import voice_notes

    found: list[SungNote] = []
    for voice in range(VOICES):
        rows: Any = voice_notes(piece, voice, velocities_of(entropies)).tolist()
        found += [
            SungNote(voice=voice, start=start, end=end, pitch=pitch, velocity=velocity)
            for start, end, pitch, velocity in rows
        ]
    return tuple(found)


def _looked(reached: np.ndarray, top: int) -> tuple[Looked, ...]:
    order = np.argsort(-reached.reshape(-1), kind="stable")[:top].tolist()
    heads = [(*divmod(place, reached.shape[1]), float(reached.reshape(-1)[place])) for place in order]
    return tuple(Looked(head=head, ago=ago, share=_rounded(share)) for head, ago, share in heads if share >= _LEAST)


def _shares(heard: Heard) -> np.ndarray:
    shifted = heard.logits.astype(np.float64) - heard.logits.max(axis=1, keepdims=True)
    shares = np.exp(shifted)
    return shares / shares.sum(axis=1, keepdims=True)


def _pitch(label: int) -> int:
    return label + LOWEST if label < PITCHES else SILENT if label == SILENCE else SILENT - (label == LABELS - 1)


def _rounded(value: float) -> float:
    return max(0.0, round(min(float(value), 1e6), 4))
