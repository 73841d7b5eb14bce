# pyright: strict
"""States of a mind with their phrases by reference: most of a state is phrases, which the journal has already."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from engine.conductor.phrases.lines import DecidedPhrase
from engine.conductor.state import StoredDecision
from engine.events.vocabulary import PhraseDecided
from engine.journal.records import JournalPhrase

Key = tuple[str, int, int]
"""A part, and its phrase's first bar and bars."""


def decision_of(event: PhraseDecided) -> Any:
    """A phrase as a state says it, in the values of JSON."""
    decided = DecidedPhrase(event.first_bar, event.bars, event.raw, event.phrase, event.key)
    return json.loads(StoredDecision.of(decided).model_dump_json())


def folded(text: bytes, known: Mapping[Key, tuple[int, Any]]) -> bytes:
    """A state in which the number of a phrase stands in place of each that is known.

    Args:
        text: JSON of a `MindState`.
        known: numbers and values of phrases, as `decision_of` gives them.
    """
    state = json.loads(text)
    for part, decided in _lines(state):
        for place, one in enumerate(decided):
            number, same = known.get((part, one["first_bar"], one["bars"]), (0, None))
            if same == one:
                decided[place] = number
    return json.dumps(state, separators=(",", ":")).encode()


def unfolded(data: bytes, phrase: Callable[[int], JournalPhrase | None]) -> str:
    """The state again, as JSON.

    Args:
        data: as `folded` gives it.
        phrase: finds a phrase by its number.

    Raises:
        ValueError: it makes no sense, or a phrase is not known any more.
    """
    state = json.loads(data)
    for _, decided in _lines(state):
        for place, one in enumerate(decided):
            if isinstance(one, int):
                found = phrase(one)
                if found is None:
                    raise ValueError(f"phrase {one} is not known")
                decided[place] = decision_of(found.decided)
    return json.dumps(state)


def _lines(state: Any) -> Iterator[tuple[str, list[Any]]]:
    """The phrases of each part, wherever in a state they stand; the lists may be changed."""
    conductor = state["conductor"]
    groups: Sequence[Any] = (conductor["lines"], conductor.get("decided_before_edit") or ())
    for lines in groups:
        for line in lines:
            yield line["part"], line["decided"]
