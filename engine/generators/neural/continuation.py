"""What all generators share that go on from what was played: their network, their past, and new notes out of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np

from engine.assets import find
from engine.errors import PerpetuumError
from engine.generators.chance import stream
from engine.generators.contract import Link, Place, Request, Role
from engine.generators.neural.curating.typicality import Typical, typical_of
from engine.generators.neural.settings import RnnSettings
from engine.generators.statement import as_primer
from engine.generators.transposing import phrase_in
from engine.networks import load_network
from engine.networks.chorale.network import ChoraleNetwork
from engine.networks.contract import NO_CONDITIONS, Conditions, Extension, Passage, Sampling
from engine.networks.ensemble.network import EnsembleNetwork
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.networks.vae.music_vae import MusicVae
from engine.score.phrase import Phrase, moved
from engine.score.time import STEPS_PER_BEAT

_OPENING_BARS = 2
# Notes that a network lets ring are cut this many beats after the phrase at the latest.
_LONGEST_RING = 8.0


R = TypeVar("R", bound=RnnSettings)


def rnn_of(family: str, config: str, weights: str | None) -> EventSequenceRnn:
    """The recurrent network of a config, ready to play; Args and Raises as `_network_of`."""
    network = _network_of(family, config, weights)
    if not isinstance(network, EventSequenceRnn):
        raise PerpetuumError(f"{config} of {family} is no recurrent network but one of {network.config.family}")
    return network


def vae_of(family: str, config: str, weights: str | None) -> MusicVae:
    """The variational autoencoder of a config, ready to play; Args and Raises as `_network_of`."""
    network = _network_of(family, config, weights)
    if not isinstance(network, MusicVae):
        raise PerpetuumError(f"{config} of {family} is no MusicVAE but one of {network.config.family}")
    return network


def chorale_of(family: str, config: str, weights: str | None) -> ChoraleNetwork:
    """The chorale network, ready to play; Args and Raises as `_network_of`."""
    network = _network_of(family, config, weights)
    if not isinstance(network, ChoraleNetwork):
        raise PerpetuumError(f"{config} of {family} is no chorale network but one of {network.config.family}")
    return network


def ensemble_of(family: str, config: str, weights: str | None) -> EnsembleNetwork:
    """The ensemble network, ready to play; Args and Raises as `_network_of`."""
    network = _network_of(family, config, weights)
    if not isinstance(network, EnsembleNetwork):
        raise PerpetuumError(f"{config} of {family} is no ensemble network but one of {network.config.family}")
    return network


def typical_for(config: str, weights: str | None) -> Typical | None:
    """How surprising held-out music is to the network of a config; None where its weights do not say it."""
    return typical_of(find("weights", weights or config, ".safetensors"))


def _network_of(
    family: str, config: str, weights: str | None
) -> EventSequenceRnn | MusicVae | ChoraleNetwork | EnsembleNetwork:
    """The network of a config.

    Args:
        family: Magenta's, for messages.
        config: Magenta's config id.
        weights: name or path of the weights file; None for the shipped ones of the config.

    Raises:
        PerpetuumError: there are no such weights, or they are of another config.
    """
    name = weights or config
    path = find("weights", name, ".safetensors")
    if path is None:
        raise PerpetuumError(
            f"no weights {name!r} for {family}",
            "give the name of shipped weights, or the path of a weights file or a checkpoint of Magenta",
        )
    return load_network(path, config)


class NewNotes(NamedTuple):
    """A way to go on.

    Attributes:
        notes: array of `NOTE` that start within the phrase.
        nats: per note, at temperature 1; None of one that was made alone.
    """

    notes: np.ndarray
    nats: float | None = None


def new_notes(
    network: EventSequenceRnn,
    past: Phrase,
    request: Request[RnnSettings],
    number: int,
    conditions: Conditions = NO_CONDITIONS,
) -> list[NewNotes]:
    """Ways to go on, as many as the settings say, made in one batch; one where a beam is asked for.

    A shorter number of steps than the phrase has is repeated to fill it; where a period closes, its last bar is what
    the network plays next, instead.

    Args:
        network: ready to play.
        past: what it continues from.
        request: what is wanted.
        number: of the attempt, 0, 1, ...
        conditions: over past and new music.
    """
    settings = request.settings
    beats = min(request.beats, settings.steps / STEPS_PER_BEAT) if settings.steps else request.beats
    bar = request.meter.beats_per_bar
    turn = bar if request.closes is not None and beats + bar <= request.beats else 0.0
    passage = Passage(past.notes, past.length, request.qpm, request.meter.steps_per_bar)
    sampling = Sampling(
        temperature=settings.temperature,
        top_k=settings.top_k,
        top_p=settings.top_p,
        beam_size=settings.beam_size,
        branch_factor=settings.branch_factor,
        steps_per_iteration=settings.steps_per_iteration,
    )
    rng = stream(request.seed, "events", number)
    count = settings.candidates if settings.beam_size * settings.branch_factor == 1 else 1
    try:
        found = network.extend(passage, beats + turn, conditions, sampling, rng, count)
    except ValueError as error:
        raise PerpetuumError(f"part {request.part!r}: {error}") from error
    return [NewNotes(_repeated(made.notes, beats, request.beats, turn), _per_note(made)) for made in found]


def _per_note(made: Extension) -> float | None:
    return None if made.learnt is None else -made.learnt / max(1, len(made.notes))


def _repeated(notes: np.ndarray, beats: float, whole: float, turn: float = 0.0) -> np.ndarray:
    """Notes of some beats, again and again until a whole is full.

    Args:
        notes: from 0 on.
        beats: that are repeated.
        whole: beats of the phrase.
        turn: beats at its end that are taken from what the notes have after those.
    """
    again = notes[(notes["start"] >= 0) & (notes["start"] < beats)].copy()
    again["end"] = np.minimum(again["end"], beats if beats < whole else whole + _LONGEST_RING)
    made = np.concatenate([moved(again, time * beats) for time in range(int(np.ceil(whole / beats - 1e-9)))])
    made = made[made["start"] < whole - turn - 1e-9]
    made["end"] = np.minimum(made["end"], whole - turn) if turn else made["end"]
    last = notes[(notes["start"] >= beats) & (notes["start"] < beats + turn - 1e-9)]
    return np.concatenate([made, moved(last, whole - turn - beats)])


def past_of(request: Request[R], by_rules: Callable[[Request[R]], Phrase], fresh: bool) -> Phrase:
    """What the network continues from.

    A phrase that takes up an idea goes on from that.

    A section opens with the part's primer, or without one with two bars by rules on the section's theme: so a section
    is known by its idea, and in days of playing the network does not drift off on its own echo. From then on it is the
    last bars of what was played.

    Args:
        request: what is wanted.
        by_rules: makes an opening.
        fresh: leave the past behind.
    """
    bar = request.meter.beats_per_bar
    idea = as_primer(request)
    if idea is not None and len(idea.notes) and not fresh:
        return idea
    primer = primer_of(request)
    history, longest = request.history, request.settings.history
    if primer is not None and (request.place.bar == 0 or history is None or fresh):
        return primer.slice(max(0.0, primer.length - longest * bar), primer.length)
    if history is not None and request.place.bar > 0 and not fresh:
        whole = min(int(history.length / bar + 1e-9), longest) * bar
        if whole > 0:
            recent = past_in_key(request, history).slice(history.length - whole, history.length)
            if len(recent.notes):
                return recent
    place = Place(request.place.section, request.place.pass_index, 0, 64, request.place.first_bar)
    return by_rules(replace(request, bars=_OPENING_BARS, history=None, place=place, sources={}, transforms=()))


def past_in_key(request: Request, past: Phrase) -> Phrase:
    """The history of a request in the key of the request: a network that knows no key goes on in that of its past."""
    if request.role is Role.DRUMS or not request.keys:
        return past
    return phrase_in(past, request.keys, request.key)


def primer_of(request: Request) -> Phrase | None:
    """The part's primer in whole bars, so that what follows begins on a bar line; None without one that sounds."""
    primer = request.sources.get(Link.PRIMER) or request.primer
    if primer is None or not len(primer.notes):
        return None
    bar = request.meter.beats_per_bar
    whole = max(1, round(primer.length / bar)) * bar
    return Phrase.of(primer.notes[primer.notes["start"] < whole], whole, primer.provenance, primer.chords)
