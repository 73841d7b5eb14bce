# pyright: strict
"""What makes phrases behind the server, as the server knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.errors import PerpetuumError


class MakersAwayError(PerpetuumError):
    """Nobody is there who could make it now; later there may be."""


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """What came of a job.

    Attributes:
        body: a `PhraseAnswer`, or a `TimbreAnswer`, as it is sent; empty if there is none.
        problem: why there is none.
        batch: jobs in the fullest call of a network that this one had a share in; 0: none is shared.
        heavy: what played its heavy weights; see `Twins.played_by`.
    """

    body: bytes
    problem: str = ""
    batch: int = 0
    heavy: str = ""


class Makers(Protocol):
    """Makers of phrases."""

    async def make(self, kind: str, job: bytes, paths: Mapping[str, str]) -> JobOutcome:
        """Do a job.

        Args:
            kind: of the generator.
            job: a `WireJob` that has been checked.
            paths: of the weights that it needs, by digest.

        Raises:
            MakersAwayError: nobody can make it now.
        """
        ...

    async def make_bank(self, body: bytes, checkpoints: Sequence[str]) -> JobOutcome:
        """Make a bank of notes.

        Args:
            body: of a request that has been checked.
            checkpoints: folders of what timbres are made with.

        Raises:
            MakersAwayError: nobody can make it now.
        """
        ...

    async def unwell(self) -> str:
        """Why no phrase could be made now; empty: one could, and one has been made to see it."""
        ...
