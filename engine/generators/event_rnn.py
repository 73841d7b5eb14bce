"""Drums RNN and Melody RNN as generators: continue what was played, then make it fit its place in the music.

The networks were trained on music in 4/4, and their counters run in bars of sixteen steps. In another meter they go on
from a primer in that meter (the part's own, or a bar or two by rules): what they repeat then has the right length,
though their accents may wander, as a drummer's do who plays across the bar line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.assets import find
from engine.errors import PerpetuumError
from engine.generators import endings, events, harmony
from engine.generators.chance import stream
from engine.generators.contract import Link, Place, Request
from engine.generators.drum_rules import DrumRules
from engine.generators.expression import drummed, sung, with_velocities
from engine.generators.kinds import (
    DrumRulesSettings,
    DrumsRnnSettings,
    MelodyRnnSettings,
    MelodyRulesSettings,
    NetworkSettings,
)
from engine.generators.melody_rules import MelodyRules
from engine.generators.pulse import accent_at, accents, onset_steps
from engine.networks import EventSequenceRnn, load_network
from engine.score.drums import CLASSES, PITCHES
from engine.score.phrase import ChordSpan, Origin, Phrase, Provenance
from engine.score.time import STEPS_PER_BEAT
from engine.units import PitchRange

ATTEMPTS = 3
"""A degenerate or doubtful phrase is made again with another seed, the last time from a fresh primer, not the past."""
_OPENING_BARS = 2
_CRASH = PITCHES[CLASSES.index("crash")]
_FILL_PITCHES = [PITCHES[CLASSES.index(name)] for name in ("low_tom", "mid_tom", "high_tom", "crash")]


class DrumsRnn:
    """Drums RNN for `Role.DRUMS`; the kick joins `Link.RHYTHM`.

    Velocities are by rule (meter, drum, phrase), since its events have none.
    """

    def __init__(self, settings: DrumsRnnSettings) -> None:
        self.network = _network(settings, "drums_rnn")

    def generate(self, request: Request) -> Phrase:
        """The next bars of drums.

        Raises:
            PerpetuumError: silence or noise in every attempt.
        """
        settings = request.settings
        assert isinstance(settings, DrumsRnnSettings)

        def attempt(number: int) -> np.ndarray:
            past = _past(request, settings, _drums_by_rules, fresh=number == ATTEMPTS - 1)
            masks = _sampled(self.network, events.drum_events(past), request, settings, number)
            return events.drum_notes(_kick_with(masks, request))

        notes = _best(attempt, _judged_drums, request)
        velocities = drummed(notes, request.meter, request.beats, stream(request.seed, "velocity"))
        return Phrase.of(
            with_velocities(notes, velocities), request.beats, Provenance("drums_rnn", Origin.NETWORK, request.seed)
        )


class MelodyRnn:
    """Melody RNN for `Role.MELODY`, fitted to the key, and to `Link.CHORDS` and `Link.RHYTHM` if it has them."""

    def __init__(self, settings: MelodyRnnSettings) -> None:
        self.network = _network(settings, "melody_rnn")

    def generate(self, request: Request) -> Phrase:
        """The next bars of melody: its last note is a tone of rest, and a section's last phrase ends before a rest.

        Raises:
            PerpetuumError: silence, or a note repeated without end, in every attempt.
        """
        settings = request.settings
        assert isinstance(settings, MelodyRnnSettings)
        spans = harmony.chords_under(request)
        follows_chords = Link.CHORDS in request.sources

        def attempt(number: int) -> np.ndarray:
            past = _past(request, settings, _melody_by_rules, fresh=number == ATTEMPTS - 1)
            made = events.melody_notes(_sampled(self.network, events.melody_events(past), request, settings, number))
            made = _fitted(made, request, settings.range, spans if follows_chords else None)
            return _on_rhythm(made, request)

        notes = _best(attempt, _judged_melody, request)
        notes = endings.close(
            notes, request, spans, settings.range, settings.breath, arrive=Link.RHYTHM not in request.sources
        )
        velocities = sung(notes, request.meter, request.beats, stream(request.seed, "velocity"))
        provenance = Provenance("melody_rnn", Origin.NETWORK, request.seed)
        meant = spans if follows_chords else ()
        return Phrase.of(with_velocities(notes, velocities), request.beats, provenance, meant)


def _network(settings: NetworkSettings, family: str) -> EventSequenceRnn:
    config: str = getattr(settings, "config", "")
    name = settings.weights or config
    path = find("weights", name, ".safetensors")
    if path is None:
        raise PerpetuumError(
            f"no weights {name!r} for {family}",
            "give the name of shipped weights, or the path of a .safetensors file",
        )
    network = load_network(path, settings.backend)
    if network.config.name != config:
        raise PerpetuumError(
            f"{path} holds weights of {network.config.name}, but {family} with config {config} was asked for",
            f"take weights of {config}, or another generator",
        )
    return network


def _past(request: Request, settings: NetworkSettings, by_rules: Callable[[Request], Phrase], fresh: bool) -> Phrase:
    """What the network continues from.

    A section opens with the part's primer, or without one with two bars by rules on the section's theme: so a section
    is known by its idea, and in days of playing the network does not drift off on its own echo. From then on it is the
    last bars of what was played.
    """
    bar = request.meter.beats_per_bar
    primer = request.sources.get(Link.PRIMER) or request.primer
    history = request.history
    if primer is not None and len(primer.notes) and (request.place.bar == 0 or history is None or fresh):
        # Whole bars, so that what follows begins on a bar line; the end of a long one counts.
        whole = max(1, round(primer.length / bar)) * bar
        padded = Phrase.of(primer.notes[primer.notes["start"] < whole], whole, primer.provenance)
        return padded.slice(max(0.0, whole - settings.history * bar), whole)
    if history is not None and request.place.bar > 0 and not fresh:
        whole = min(int(history.length / bar + 1e-9), settings.history) * bar
        if whole > 0:
            recent = history.slice(history.length - whole, history.length)
            if len(recent.notes):
                return recent
    place = Place(request.place.section, request.place.pass_index, 0, 64, request.place.first_bar)
    return by_rules(replace(request, bars=_OPENING_BARS, history=None, place=place, sources={}, transforms=()))


def _drums_by_rules(request: Request) -> Phrase:
    settings = DrumRulesSettings().model_copy(update={"fills": 0.0})
    return DrumRules(settings).generate(replace(request, settings=settings))


def _melody_by_rules(request: Request) -> Phrase:
    assert isinstance(request.settings, MelodyRnnSettings)
    settings = MelodyRulesSettings().model_copy(update={"range": request.settings.range, "breath": 0.0, "recall": 1.0})
    return MelodyRules(settings).generate(replace(request, settings=settings))


def _sampled(
    network: EventSequenceRnn, past: list[int], request: Request, settings: NetworkSettings, number: int
) -> list[int]:
    """New events for the whole phrase; a shorter number of steps is repeated to fill it."""
    total = round(request.beats * STEPS_PER_BEAT)
    steps = min(total, settings.steps or total)
    made = network.generate(past, steps, settings.temperature, stream(request.seed, "events", number))
    return (made * -(-total // steps))[:total]


def _best(
    attempt: Callable[[int], np.ndarray], judge: Callable[[np.ndarray, Request], tuple[str, float]], request: Request
) -> np.ndarray:
    """The first attempt that nothing speaks against, else the least doubtful of those that can be played.

    Args:
        attempt: makes notes; called with 0, 1, ...
        judge: what is wrong with some notes (empty if they can be played), and how doubtful they are (0 if not at all).
        request: for which they are made.

    Raises:
        PerpetuumError: none can be played.
    """
    problem, kept, least = "", None, np.inf
    for number in range(ATTEMPTS):
        notes = attempt(number)
        found, doubt = judge(notes, request)
        if found:
            problem = found
        elif doubt < least:
            kept, least = notes, doubt
        if least <= 0:
            break
    if kept is None:
        raise PerpetuumError(
            f"part {request.part!r}: the network made {problem} in {ATTEMPTS} attempts",
            "a temperature nearer to 1 or another primer mostly helps",
        )
    return kept


def _judged_drums(notes: np.ndarray, request: Request) -> tuple[str, float]:
    steps = request.beats * STEPS_PER_BEAT
    if not len(notes):
        return "silence", 0.0
    if len(notes) > 3.2 * steps:
        return f"noise ({len(notes)} strokes in {steps:g} steps)", 0.0
    # A fill is a bar long; when toms and crashes take over a phrase, the network has lost the groove in its own echo.
    fills = float(np.isin(notes["pitch"], _FILL_PITCHES).mean())
    # A crash marks a beginning; one a bar marks nothing.
    crashes = float((notes["pitch"] == _CRASH).sum()) / request.bars
    return "", (fills if fills > 0.3 else 0.0) + (crashes if crashes > 0.5 and request.bars > 1 else 0.0)


def _judged_melody(notes: np.ndarray, request: Request) -> tuple[str, float]:
    if not len(notes):
        # One silent bar is a rest; more is a hole.
        return ("silence" if request.bars > 1 else ""), 0.0
    if len(notes) > 3.3 * request.beats:
        return f"babble ({len(notes)} notes in {request.beats:g} beats)", 0.0
    changes = np.flatnonzero(np.diff(notes["pitch"])) + 1
    longest = int(np.diff(np.concatenate([[0], changes, [len(notes)]])).max())
    if longest >= 30 or (len(notes) >= 12 and longest > 0.8 * len(notes)):
        return f"one note {longest} times", 0.0
    # Sixteenths without end are no song; nor is a phrase that knows one pitch.
    density = len(notes) / request.beats
    sameness = float(np.bincount(notes["pitch"].astype(int)).max()) / len(notes)
    return "", max(0.0, density - 2.2) + (max(0.0, sameness - 0.6) if len(notes) >= 6 else 0.0)


def _fitted(notes: np.ndarray, request: Request, span: PitchRange, spans: tuple[ChordSpan, ...] | None) -> np.ndarray:
    """The notes in range and key; on felt beats in the chord, if chords are followed."""
    if not len(notes):
        return notes
    notes = notes.copy()
    # Continuing itself a network may climb, sink or leap from phrase to phrase; whole octaves bring it back to the
    # middle of the range, and near to where the phrase before ended.
    history, line = request.history, notes["pitch"].astype(float)
    shifts = 12 * np.arange(-3, 4)
    cost = np.abs(line.mean() + shifts - (span.low + span.high) / 2) + 0.1 * np.abs(shifts)
    if history is not None and len(history.notes):
        cost += 0.3 * np.abs(line[0] + shifts - float(history.notes["pitch"][-1]))
    notes["pitch"] += shifts[int(np.argmin(cost))]
    notes["pitch"] = _singable(endings.into_key(notes["pitch"], request.key, span), span)
    if spans is not None:
        strong = accent_at(request.meter, notes["start"]) >= 0.6
        for place in np.flatnonzero(strong):
            chord = harmony.chord_at(spans, float(notes["start"][place]))
            tones = harmony.tones_in_key(chord, request.key)
            notes["pitch"][place] = endings.nearest_tone(int(notes["pitch"][place]), tones, span)
    return notes


def _singable(pitches: np.ndarray, span: PitchRange) -> np.ndarray:
    """Pitches [n] without leaps of a seventh and more (octaves are fine): such a note moves by an octave, nearer."""
    sung = pitches.astype(int).tolist()
    for place in range(1, len(sung)):
        before = sung[place - 1]
        leap = sung[place] - before
        nearer = sung[place] - 12 if leap > 0 else sung[place] + 12
        if abs(leap) > 9 and abs(leap) != 12 and span.low <= nearer <= span.high:
            sung[place] = nearer
    return np.array(sung, int)


def _kick_with(masks: list[int], request: Request) -> list[int]:
    """The drums with their kick in the rhythm of the part that is followed.

    Kicks stay where that part has an onset; where it has one on a felt beat, a kick is added.
    """
    source = request.sources.get(Link.RHYTHM)
    if source is None or not len(source.notes):
        return masks
    kick = 1 << CLASSES.index("kick")
    onsets = set(onset_steps(source, len(masks)).tolist())
    strong = accents(request.meter)
    return [
        mask | kick if step in onsets and (mask & kick or strong[step % len(strong)] >= 0.6) else mask & ~kick
        for step, mask in enumerate(masks)
    ]


def _on_rhythm(notes: np.ndarray, request: Request) -> np.ndarray:
    """The notes with their starts on the nearest onsets of the part whose rhythm is followed, one on each."""
    source = request.sources.get(Link.RHYTHM)
    if source is None or not len(source.notes) or not len(notes):
        return notes
    onsets = onset_steps(source, round(request.beats * STEPS_PER_BEAT)) / STEPS_PER_BEAT
    if not len(onsets):
        return notes
    nearest = np.argmin(np.abs(notes["start"][:, None] - onsets[None]), axis=1)
    chosen, first = np.unique(nearest, return_index=True)
    moved = notes[first].copy()
    length = moved["end"] - moved["start"]
    moved["start"] = onsets[chosen]
    moved["end"] = np.minimum(moved["start"] + length, np.append(moved["start"][1:], request.beats))
    return moved
