"""What most encodings and streams are, so that each says only what is its own."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Self

import numpy as np


class KeylessEncoding:
    """An encoding in which every event has a class in every key: nothing is transposed."""

    def squash(self, events: Sequence[Any]) -> tuple[list[Any], int]:
        """The events as they are, and 0."""
        return [event.item() if isinstance(event, np.generic) else event for event in events], 0

    def restore(self, events: Sequence[Any], transposition: int) -> list[Any]:
        """The events as they are."""
        return list(events)


class Stream:
    """A stream in which an event is its own label and nothing is forced."""

    encoding: Any
    events: list[Any]
    restricts = False

    def label(self, event: Any) -> Any:
        """The event itself."""
        return event

    def decode(self, label: Any) -> Any:
        """The label itself."""
        return label

    def forced(self) -> Sequence[Any]:
        """Nothing."""
        return ()

    def possible(self, outputs: np.ndarray, temperature: float) -> np.ndarray:
        """The outputs as they are."""
        return outputs

    def copy(self) -> Self:
        """The same sequence, to be continued in another way."""
        other = copy.copy(self)
        other.events = self.events.copy()
        return other
