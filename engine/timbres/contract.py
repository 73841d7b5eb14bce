# pyright: strict
"""What a timbre is: settings in, a bank of notes out. Light: the conductor's process and `check` import this.

A part of a scene names a kind of timbre where others name an instrument, and a stand-in, which plays until the bank is
made, and for ever if that fails. A *kind* is described by a `TimbreKind`, registered under the entry point group
`perpetuum.timbres` and found in `TIMBRES`; the built-in ones too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from typing_extensions import TypeVar

from engine.errors import PerpetuumError
from engine.generators.contract import Settings
from engine.registry import Registry
from engine.timbres.portrait import LEAP

S_co = TypeVar("S_co", bound=Settings, default=Settings, covariant=True)


def _all_but_texts(settings: Settings) -> dict[str, object]:
    return {name: value for name, value in settings.model_dump(mode="json").items() if not isinstance(value, str)}


class UnavailableError(PerpetuumError):
    """What a bank would be made with is not here, or is not what it should be; the stand-in plays.

    Args:
        setting: name of the setting that names it.
        message: what is wrong.
        hint: what to get, and from where.
    """

    def __init__(self, setting: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.setting = setting


@dataclass(frozen=True, slots=True)
class TimbreKind(Generic[S_co]):
    """A kind of timbre that scenes can name.

    Attributes:
        name: as scenes write it.
        summary: one line for people.
        settings: the model of what a scene may say of it.
        located: the settings with absolute paths, seen from the scene's folder; whether there is anything or not.
        examine: looks into what they name, for `check`; gives what may sound wrong, as sentences. Raises `UnfitError`
            where settings do not go together, `UnavailableError` where what they name is not here.
        drawn: the settings, of which a seed has decided what they leave to chance.
        sources: the bytes that decide what is made besides the settings: of files, enough to tell one state from
            another. Raises `PerpetuumError` where they cannot be read.
        make: makes the bank as an instrument's folder, which the base install plays, with a portrait where it lies
            between two timbres (`engine.timbres.portrait`); tells its progress (`engine.progress`). The same settings
            and sources give the same files on one machine. In a process of its own, where heavy packages may be
            imported, and not before. Raises `PerpetuumError` where it cannot be made.
        movable: its numbers from 0 to 1 that sections and the time of day may move, of settings that go together, and
            in how many steps each goes from end to end: so many banks at most.
        essence: what of the settings decides what is made, so that banks are shared between scenes, checkouts and
            machines: neither where files lie, whose bytes stand in `sources`, nor how a position was come by. Without
            it: all settings but texts.
        moved: the settings, drawn, that hold from a bar of the performance on, of a timbre that turns into others while
            a scene plays: what it gives has nothing left to move. A timbre that stands still gives them as they are.
        leap: decibels by which the notes of a bank may differ from those before; None for as many as lie between the
            two timbres that it lies between (`engine.timbres.portrait`).
    """

    name: str
    summary: str
    settings: type[S_co]
    located: Callable[[S_co, Path], S_co]
    examine: Callable[[S_co], list[str]]
    drawn: Callable[[S_co, int], S_co]
    sources: Callable[[S_co], bytes]
    make: Callable[[S_co, Path], None]
    movable: Callable[[S_co], Mapping[str, int]] = lambda settings: {}
    essence: Callable[[S_co], Mapping[str, object]] = _all_but_texts
    moved: Callable[[S_co, int], S_co] = lambda settings, bar: settings
    leap: Callable[[S_co], float | None] = lambda settings: LEAP


TIMBRES: Registry[TimbreKind] = Registry("perpetuum.timbres", TimbreKind, "kind of timbre")

_EDITION = 1
"""Another one where banks of the same settings come out otherwise, so that those that lie in caches are made anew."""


def bank_digest(kind: str, settings: Settings) -> str:
    """What a bank is called: 32 hexadecimal digits, equal where the same notes would be made.

    Args:
        kind: name of the kind of timbre.
        settings: of it, with nothing left to chance.

    Raises:
        PerpetuumError: what it is made of cannot be read.
    """
    digest = hashlib.blake2b(f"{_EDITION}/{kind}/".encode(), digest_size=16)
    found = TIMBRES.get(kind)
    digest.update(repr(sorted(found.essence(settings).items())).encode())
    digest.update(found.sources(settings))
    return digest.hexdigest()
