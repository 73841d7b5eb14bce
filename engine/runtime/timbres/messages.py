# pyright: strict
"""Messages between the conductor's process and the one that makes banks of notes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pydantic import BaseModel

from engine.codec import Codec, model_name
from engine.generators.contract import Settings
from engine.timbres.contract import TIMBRES


@dataclass(frozen=True, slots=True)
class BankOrder:
    """Make a bank.

    Attributes:
        digest: its name (`engine.timbres.contract.bank_digest`).
        kind: of timbre.
        settings: of it, with nothing left to chance.
        folder: of the cache that it is kept in.
    """

    digest: str
    kind: str
    settings: Settings
    folder: str


@dataclass(frozen=True, slots=True)
class Making:
    """A sign of life.

    Attributes:
        digest: what is being made.
        share: that is done, 0..1.
    """

    digest: str
    share: float


@dataclass(frozen=True, slots=True)
class BankMade:
    """A bank lies in the cache.

    Attributes:
        digest: its name.
        instrument: path of its instrument file.
        seconds: what making it took; 0 where it was there.
    """

    digest: str
    instrument: str
    seconds: float


@dataclass(frozen=True, slots=True)
class BankFailed:
    """A bank cannot be made.

    Attributes:
        digest: its name.
        problem: why; empty where that was said before.
    """

    digest: str
    problem: str


ToBankMaker = BankOrder
"""All that the process can be told."""

FromBankMaker = Making | BankMade | BankFailed
"""All that it says."""


@cache
def settings_class(name: str) -> type[BaseModel]:
    """The settings of an installed kind of timbre by their class's name on the wire.

    Raises:
        LookupError: no installed kind has such settings.
    """
    for kind in TIMBRES.kinds().values():
        if model_name(kind.settings) == name:
            return kind.settings
    raise LookupError(f"no installed timbre has the settings {name[:80]}")


TO_BANK_MAKER: Codec[ToBankMaker] = Codec(ToBankMaker, settings_class)
FROM_BANK_MAKER: Codec[FromBankMaker] = Codec(FromBankMaker)
