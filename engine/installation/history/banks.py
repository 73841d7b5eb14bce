# pyright: strict
"""Banks of notes that were played: found by their digest, or made again of what the journal says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from engine.errors import PerpetuumError
from engine.events.vocabulary import BankPlayed
from engine.journal.reader import Journal
from engine.runtime.replay.course import GraphCourse
from engine.runtime.timbres.messages import TO_BANK_MAKER, BankOrder
from engine.runtime.timbres.orders import have_made
from engine.runtime.timbres.timbres import Timbres
from engine.sound.messages import NEVER, ChangeInstrument, Setup, ToSound
from engine.timbres.bank_cache import BankCache
from engine.timbres.contract import bank_digest


def banks_played(journal: Journal, courses: Iterable[GraphCourse], until: float) -> dict[str, BankPlayed]:
    """The banks that graphs were told of, by the file of their instrument.

    Args:
        journal: of the installation. A mind that is started again tells of a bank once more.
        courses: the graphs.
        until: Unix time up to which it is looked for.
    """
    told = {file for course in courses for message in course.messages for file in _files(message)}
    found: dict[str, BankPlayed] = {}
    if told:
        for one in journal.happenings(kinds=[BankPlayed.__name__], until=until):
            if isinstance(one.value, BankPlayed):
                found[one.value.digest] = one.value
    # A bank lies in a folder that is called like it.
    return {file: found[digest] for file in told if (digest := Path(file).parent.name) in found}


def with_banks_there(
    courses: Sequence[GraphCourse],
    banks: Mapping[str, BankPlayed],
    timbres: Timbres | None = None,
    waiting: Callable[[int, float], None] = lambda left, share: None,
) -> tuple[tuple[GraphCourse, ...], list[str]]:
    """(graphs that are told of banks where these lie now, what cannot be made again, in sentences).

    A bank is taken from the cache it was played from, or from the user's own, or made there.

    Args:
        courses: the graphs.
        banks: that they were told of, by file.
        timbres: makes banks; None for such as keep them in the user's cache.
        waiting: as for `have_made`.
    """
    here: dict[str, str] = {}
    orders: dict[str, BankOrder] = {}
    notes: list[str] = []
    with timbres if timbres is not None else Timbres() as maker:
        for file, bank in banks.items():
            kept = BankCache(Path(file).parent.parent).find(bank.digest)
            if kept is not None or (kept := maker.find(bank.digest)) is not None:
                here[file] = str(kept)
                continue
            try:
                orders[file] = _order(bank, str(maker.cache.folder))
            except PerpetuumError as error:
                notes.append(_lacking(bank, error.message))
        made, problems = have_made(list(orders.values()), maker, waiting)
    for file, order in orders.items():
        if order.digest in made:
            here[file] = made[order.digest]
        else:
            notes.append(_lacking(banks[file], problems.get(order.digest, "nobody made it")))
    moved = tuple(replace(one, messages=tuple(_moved(message, here) for message in one.messages)) for one in courses)
    return moved, notes


def _order(bank: BankPlayed, folder: str) -> BankOrder:
    """What to make.

    Raises:
        PerpetuumError: it would not be the same bank.
    """
    try:
        order = TO_BANK_MAKER.decode(bank.order)
        digest = bank_digest(order.kind, order.settings)
    except PerpetuumError:
        raise
    except Exception as error:  # a plug-in that is gone, settings of another version, or what a plug-in raises
        raise PerpetuumError(f"what it is made of cannot be read ({error!r})") from error
    if digest != bank.digest:
        raise PerpetuumError("what it was made of is not as it was: a recording, the network, or this version")
    return replace(order, folder=folder)


def _lacking(bank: BankPlayed, why: str) -> str:
    return f"the notes {bank.digest} of part {bank.part!r} are gone and cannot be made again: {why}; others play"


def _files(message: ToSound) -> list[str]:
    match message:
        case Setup(parts=parts):
            return [part.instrument for part in parts if part.stand_in]
        case ChangeInstrument(instrument=instrument, frame=frame):
            return [instrument] if frame < NEVER else []  # one that was never heard need not be there
        case _:
            return []


def _moved(message: ToSound, here: Mapping[str, str]) -> ToSound:
    match message:
        case Setup(parts=parts):
            now = (replace(part, instrument=here.get(part.instrument, part.instrument)) for part in parts)
            return replace(message, parts=tuple(now))
        case ChangeInstrument(instrument=instrument):
            return replace(message, instrument=here.get(instrument, instrument))
        case _:
            return message
