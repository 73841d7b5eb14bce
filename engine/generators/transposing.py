# pyright: strict
"""Phrases taken into another key: a network that knows no key goes on in the one that its past is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.score.harmony.keys import Key
from engine.score.harmony.relations import KeySpan, taken_into
from engine.score.phrase import ChordSpan, Phrase


def phrase_in(phrase: Phrase, keys: Sequence[KeySpan], key: Key) -> Phrase:
    """A phrase in another key: notes keep their degrees of the scale, chords move along.

    Args:
        phrase: of pitches, not of drums.
        keys: that it is in, gapless from its start to its end.
        key: that it is wanted in.
    """
    if all(span.key == key for span in keys):
        return phrase
    notes, chords = phrase.notes.copy(), list[ChordSpan]()
    for span in keys:
        inside = (notes["start"] >= span.start - 1e-9) & (notes["start"] < span.end - 1e-9)
        notes["pitch"][inside] = taken_into(phrase.notes["pitch"][inside], span.key, key)
        up = (key.tonic - span.key.tonic) % 12
        chords += [
            replace(one, chord=one.chord.transposed(up))
            for one in phrase.chords
            if span.start - 1e-9 <= one.start < span.end - 1e-9
        ]
    return Phrase.of(notes, phrase.length, phrase.provenance, chords)
