# pyright: strict
"""The next bars of what plays, all at once: what still sounds of a scene while another one begins."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from engine.conductor.clocks import FastClock
from engine.conductor.conductor import Conductor
from engine.conductor.makers.ladder import Ladder
from engine.runtime.rules import LocalRules, StandIns
from engine.sound.messages import Notes, Ramps, ToSound

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rest:
    """What a graph is told of bars that nobody decides any more.

    Attributes:
        messages: in order.
        frames: how long these bars are; 0: there is nothing of them.
    """

    messages: Sequence[ToSound] = ()
    frames: int = 0


def rest_of(conductor: Conductor, bars: int) -> Rest:
    """The next bars of what plays; the conductor stays as it is. Never raises.

    They are known before the next scene has its first bar, so that whoever is lost meanwhile takes nothing of them
    along. Phrases that are not decided yet are made by rules: nobody waits for a network.

    Args:
        conductor: plays.
        bars: how many; 0 for nothing.
    """
    if not bars:
        return Rest()
    told: list[ToSound] = []
    first = conductor.next_bar
    try:
        other = conductor.beside(Ladder([LocalRules()], StandIns()), told.append, FastClock())
        other.run(first + bars)
        frames = other.plan.bar(first + bars - 1).end - conductor.plan.bar(first).start
    except Exception:
        log.exception("the last bars of %s cannot be made; the next scene begins alone", conductor.scene.title)
        return Rest()
    return Rest([message for message in told if isinstance(message, Notes | Ramps)], frames)
