# pyright: strict
"""Which banks of notes a scene wants, and the graph in which they play."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from engine.errors import PerpetuumError
from engine.events import Event, TimbreFailed
from engine.form.scene import Scene
from engine.form.seeds import derive_seed
from engine.runtime.timbres.lines import MovedTimbres, moved_parts
from engine.runtime.timbres.messages import BankFailed, BankMade, BankOrder
from engine.runtime.timbres.timbres import Timbres
from engine.sound.messages import PartSound, Setup
from engine.timbres.contract import TIMBRES, bank_digest
from engine.timbres.portrait import LEAP

NOTHING_MOVED: MovedTimbres = {}

_LOOK = 0.1
"""Seconds between two looks at banks that are waited for."""


def orders_of(
    scene: Scene,
    seed: int,
    folder: str,
    bar: int = 0,
    parts: Collection[str] | None = None,
    moved: MovedTimbres = NOTHING_MOVED,
) -> tuple[dict[str, BankOrder], dict[str, TimbreFailed]]:
    """The banks that the parts of a scene want, and why others cannot even be asked for; both by part.

    Args:
        scene: what plays.
        seed: of the performance; the same draws the same.
        folder: of the cache.
        bar: of the performance, from which on they are to play.
        parts: names of those that are asked about; None for all.
        moved: what the section that begins there, or the time of day, says of them.
    """
    orders: dict[str, BankOrder] = {}
    failed: dict[str, TimbreFailed] = {}
    for name, part in scene.parts.items():
        if part.timbre is None or (parts is not None and name not in parts):
            continue
        wanted = part.timbre.kind
        try:
            kind = TIMBRES.get(wanted)
            drawn = kind.drawn(part.timbre.settings, derive_seed(seed, "timbre", name))
            steps = kind.movable(drawn)
            values = moved.get(name, {}).items()
            set_ = {key: round(value * steps[key]) / steps[key] for key, value in values if key in steps}
            settings = kind.moved(drawn.model_copy(update=set_) if set_ else drawn, bar)
            orders[name] = BankOrder(bank_digest(kind.name, settings), kind.name, settings, folder)
        except PerpetuumError as error:
            failed[name] = TimbreFailed(name, wanted, error.message)
        except Exception as error:  # a plug-in may raise anything
            failed[name] = TimbreFailed(name, wanted, repr(error))
    return orders, failed


def leap_of(order: BankOrder) -> float | None:
    """Decibels by which the notes of a bank may differ from those before, as `TimbreKind.leap`. Never raises."""
    with suppress(Exception):  # a plug-in may raise anything
        return TIMBRES.get(order.kind).leap(order.settings)
    return LEAP


def turning(scene: Scene) -> frozenset[str]:
    """The parts of a scene whose timbre turns into others while it plays, by itself or because it is moved."""
    found = set(moved_parts(scene))
    for name, part in scene.parts.items():
        if part.timbre is not None:
            with suppress(Exception):  # a plug-in may raise anything; orders say what
                if TIMBRES.get(part.timbre.kind).moved(part.timbre.settings, 0) != part.timbre.settings:
                    found.add(name)
    return frozenset(found)


def with_banks(setup: Setup, banks: Mapping[str, str]) -> Setup:
    """A graph in which banks play.

    Args:
        setup: of a scene, with the stand-ins.
        banks: instrument files by part; those of parts without a timbre are left alone.
    """

    def playing(part: PartSound) -> PartSound:
        there = banks.get(part.name) if part.stand_in else None
        return part if there is None else replace(part, instrument=there)

    return replace(setup, parts=tuple(playing(part) for part in setup.parts))


def have_made(
    orders: Sequence[BankOrder], timbres: Timbres, waiting: Callable[[int, float], None] = lambda left, share: None
) -> tuple[dict[str, str], dict[str, str]]:
    """Have banks made, and wait for them: (instrument files, why others cannot be made), both by digest.

    Args:
        orders: of the banks; those in the cache cost nothing.
        timbres: makes them.
        waiting: told some times a second how many banks are left, and how far the present one is, 0..1.
    """
    made: dict[str, str] = {}
    problems: dict[str, str] = {}
    timbres.want(orders)
    while True:
        for found in timbres.poll():
            match found:
                case BankMade(digest=digest, instrument=instrument):
                    made[digest] = instrument
                case BankFailed(digest=digest, problem=problem):
                    problems[digest] = problem
        if not timbres.waiting:
            return made, problems
        waiting(timbres.waiting, timbres.share)
        time.sleep(_LOOK)


def made_first(
    scene: Scene,
    seed: int,
    timbres: Timbres,
    publish: Callable[[Event], None],
    waiting: Callable[[int, float], None] = lambda left, share: None,
    lines: Sequence[tuple[int, MovedTimbres]] = ((0, NOTHING_MOVED),),
) -> dict[str, str]:
    """Have all banks of a scene made, and wait for them; instrument files by part of those that play first.

    Args:
        scene: what is to be rendered.
        seed: of the performance.
        timbres: makes them.
        publish: told of failures.
        waiting: as for `have_made`.
        lines: bars at which sections begin that are to be rendered, and what is moved there.
    """
    folder = str(timbres.cache.folder)
    moving = turning(scene)
    asked = [
        orders_of(scene, seed, folder, bar, None if number == 0 else moving, moved)
        for number, (bar, moved) in enumerate(lines)
    ]
    failed = {(name, failure): failure for _, failures in asked for name, failure in failures.items()}
    made, problems = have_made([order for orders, _ in asked for order in orders.values()], timbres, waiting)
    for name, order in (pair for orders, _ in asked for pair in orders.items()):
        if order.digest in problems:
            failure = TimbreFailed(name, order.kind, problems[order.digest])
            failed[name, failure] = failure
    for failure in failed.values():
        publish(failure)
    return {name: made[order.digest] for name, order in asked[0][0].items() if order.digest in made}
