# pyright: strict
"""Music as it stands in JSON, and back. What is no music is a `ValueError`."""

from __future__ import annotations

from collections.abc import Sequence

from engine.generators.contract import Place
from engine.ideas.idea import Idea, TakenUp
from engine.pool.wire import messages as wire
from engine.score.harmony.chords import Chord
from engine.score.harmony.keys import MODES, Key
from engine.score.harmony.relations import KeySpan
from engine.score.phrase import ChordSpan, Phrase, Provenance


def written_phrase(phrase: Phrase) -> wire.WirePhrase:
    """A phrase as a message: every number as it is."""
    made_by = phrase.provenance
    notes: list[wire.Note] = phrase.notes.tolist()
    return wire.WirePhrase(
        length=phrase.length,
        notes=tuple(notes),
        made_by=wire.MadeBy(
            made_by.generator,
            made_by.origin,
            made_by.seed,
            made_by.reason,
            made_by.theme,
            made_by.variation,
            made_by.idea,
            made_by.snapped,
            made_by.chosen,
            made_by.scores,
            made_by.qualities,
        ),
        chords=tuple(
            wire.WireChordSpan(span.start, span.end, span.chord.root, span.chord.quality, span.chord.bass, span.written)
            for span in phrase.chords
        ),
    )


def read_phrase(phrase: wire.WirePhrase) -> Phrase:
    """The phrase of a message.

    Raises:
        ValueError: a note or a chord is none.
    """
    made_by = phrase.made_by
    said = made_by.theme, made_by.variation, made_by.idea, made_by.snapped
    choice = made_by.chosen, made_by.scores, made_by.qualities
    provenance = Provenance(made_by.generator, made_by.origin, made_by.seed, made_by.reason, *said, *choice)
    spans = [
        ChordSpan(span.start, span.end, Chord(span.root, span.quality, span.bass), span.written)
        for span in phrase.chords
    ]
    for span in spans:
        if not span.start < span.end:
            raise ValueError(f"a chord from beat {span.start:g} to {span.end:g} has no length")
        _ = span.chord.pitch_classes  # raises where there is no such chord
    return Phrase.of(phrase.notes, phrase.length, provenance, spans)


def written_key(key: Key) -> wire.WireKey:
    """A key as a message."""
    return wire.WireKey(key.tonic, key.mode)


def read_key(key: wire.WireKey) -> Key:
    """The key of a message.

    Raises:
        ValueError: there is no such mode.
    """
    if key.mode not in MODES:
        raise ValueError(f"{key.mode[:40]!r} is not a mode; known are {', '.join(MODES)}")
    return Key(key.tonic, key.mode)


def written_keys(spans: Sequence[KeySpan]) -> tuple[wire.WireKeySpan, ...]:
    """Keys over time as messages."""
    return tuple(wire.WireKeySpan(span.start, span.end, written_key(span.key)) for span in spans)


def read_keys(spans: Sequence[wire.WireKeySpan]) -> tuple[KeySpan, ...]:
    """The keys of messages; Raises as `read_key`."""
    return tuple(KeySpan(span.start, span.end, read_key(span.key)) for span in spans)


def written_taken(taken: TakenUp) -> wire.WireTakenUp:
    """An idea that is taken up as a message."""
    other = _written_idea(taken.other) if taken.other is not None else None
    return wire.WireTakenUp(_written_idea(taken.idea), taken.variation, taken.amount, other)


def read_taken(taken: wire.WireTakenUp) -> TakenUp:
    """The idea of a message; Raises as `read_phrase`."""
    other = _read_idea(taken.other) if taken.other is not None else None
    return TakenUp(_read_idea(taken.idea), taken.variation, taken.amount, other)


def _written_idea(idea: Idea) -> wire.WireIdea:
    return wire.WireIdea(
        idea.kind,
        idea.theme,
        idea.part,
        idea.first_bar,
        written_key(idea.key),
        idea.beats_per_bar,
        written_phrase(idea.phrase),
    )


def _read_idea(idea: wire.WireIdea) -> Idea:
    return Idea(
        idea.kind,
        idea.theme,
        idea.part,
        idea.first_bar,
        read_key(idea.key),
        idea.beats_per_bar,
        read_phrase(idea.phrase),
    )


def written_place(place: Place) -> wire.WirePlace:
    """A place in the form as a message."""
    return wire.WirePlace(
        place.section,
        place.pass_index,
        place.bar,
        place.section_bars,
        place.first_bar,
        place.time_of_day,
        place.cadences,
        place.movement,
        place.intensity,
    )


def read_place(place: wire.WirePlace) -> Place:
    """The place of a message."""
    return Place(
        place.section,
        place.pass_index,
        place.bar,
        place.section_bars,
        place.first_bar,
        place.time_of_day,
        place.cadences,
        place.movement,
        place.intensity,
    )
