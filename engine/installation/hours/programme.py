# pyright: strict
"""Turns: which scene follows which, for how long, with which seed.

Each session begins with its first turn, and every choice is drawn from a hash of (the installation's seed, the session,
the number of the turn) and from the scene before: what a day will bring can be said beforehand, and after a power cut
the `Turn` that was on is all that is needed to go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.form.seeds import derive_seed
from engine.installation.installation import Order, Programme, SceneEntry

_SEEDS = 2.0**63


@dataclass(frozen=True, slots=True)
class Turn:
    """A scene's turn in a session: a place in the programme, as plain data.

    Attributes:
        session: name of the session.
        number: turns before it in the session.
        scene: its name.
        seconds: how long it is meant to play; it ends where the transition lets it.
        seed: of the performance.
    """

    session: str
    number: int
    scene: str
    seconds: float
    seed: int


def rotation(programme: Programme) -> list[str]:
    """The scenes that take turns: those without hours of their own, in the file's order."""
    return [name for name, entry in programme.scenes.items() if not entry.hours]


def followers(programme: Programme, scene: str | None) -> dict[str, float]:
    """What may follow a scene, with weights above 0; None or a name that is gone: what may begin a session."""
    names = rotation(programme)
    entry = programme.scenes.get(scene) if scene is not None else None
    if entry is not None and entry.next is not None:
        return {name: weight for name, weight in entry.next.items() if weight > 0}
    if programme.order is Order.FILE:
        place = names.index(scene) + 1 if scene in names else 0
        return {names[place % len(names)]: 1.0}
    weights = {name: programme.scenes[name].weight for name in names if programme.scenes[name].weight > 0}
    others = {name: weight for name, weight in weights.items() if name != scene}
    return others or weights or dict.fromkeys(names, 1.0)


def first_turn(programme: Programme, session: str) -> Turn:
    """The turn that begins a session."""
    return _turn(programme, session, 0, None)


def next_turn(programme: Programme, turn: Turn) -> Turn:
    """The turn that follows another; also where the programme was edited meanwhile."""
    return _turn(programme, turn.session, turn.number + 1, turn.scene)


def asked_turn(programme: Programme, turn: Turn, scene: str) -> Turn:
    """The turn of a scene that somebody asks for, in the place of the one that would follow another."""
    return _turn_of(programme, turn.session, turn.number + 1, scene)


def fixed_turn(programme: Programme, scene: str, session: str, seconds: float) -> Turn:
    """The turn of a scene in its own hours, beside the programme.

    Args:
        programme: of the installation.
        scene: its name.
        session: what its seed is drawn from: the time at which its hours begin.
        seconds: how long these hours are.
    """
    own = programme.scenes[scene].seed
    seed = own if own is not None else derive_seed(programme.seed, "fixed", session, scene)
    return Turn(session, 0, scene, seconds, seed)


def _turn(programme: Programme, session: str, number: int, before: str | None) -> Turn:
    scene = _drawn(followers(programme, before), derive_seed(programme.seed, session, number, "scene") / _SEEDS)
    return _turn_of(programme, session, number, scene)


def _turn_of(programme: Programme, session: str, number: int, scene: str) -> Turn:
    entry = programme.scenes[scene]
    own = entry.seed
    seed = own if own is not None else derive_seed(programme.seed, session, number, "seed")
    return Turn(session, number, scene, _length(programme, session, number, entry), seed)


def _length(programme: Programme, session: str, number: int, entry: SceneEntry) -> float:
    """Seconds; whole minutes where some are in the range, for people read them in plans."""
    share = derive_seed(programme.seed, session, number, "length") / _SEEDS
    drawn = entry.shortest + share * (entry.longest - entry.shortest)
    return min(max(round(drawn / 60) * 60.0, entry.shortest), entry.longest)


def _drawn(weights: Mapping[str, float], chance: float) -> str:
    """One name by weights; `chance` is of 0..1, 1 excluded."""
    left = chance * sum(weights.values())
    for name, weight in weights.items():
        left -= weight
        if left < 0:
            return name
    return list(weights)[-1]
