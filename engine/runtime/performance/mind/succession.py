# pyright: strict
"""From bar to bar and from scene to scene, whatever fails on the way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from engine.conductor.conductor import Conductor
from engine.form.scene import Scene
from engine.generators.contract import Settings
from engine.runtime.ending import networks_of, setup_of
from engine.runtime.performance.commands import When
from engine.runtime.performance.mind.banks import Banks
from engine.runtime.performance.mind.rest import rest_of
from engine.runtime.timbres.orders import with_banks
from engine.score.time import Bar
from engine.sound.messages import BLOCK, ToSound

log = logging.getLogger(__name__)

REST_BARS = 2
"""Bars of rest between two scenes, where a rest was asked for."""

MOST_FAILURES = 8
"""Bars in a row that cannot be made, after which the performance is given up."""


@dataclass(frozen=True, slots=True)
class NextScene:
    """A scene that is to take over (see `ChangeScene`)."""

    scene: Scene
    when: When = When.BAR
    seed: int | None = None
    overlap: int = 0


class LoadsNetworks(Protocol):
    """What a take-over needs of the workers."""

    def load(self, generators: Sequence[tuple[str, Settings]]) -> None:
        """Build these from now on."""
        ...


def take_over(
    conductor: Conductor,
    scene: Scene,
    before: Scene,
    seed: int,
    send: Callable[[ToSound], None],
    workers: LoadsNetworks,
    held: Callable[[Scene], Scene] = lambda scene: scene,
    anew: int | None = None,
    banks: Banks | None = None,
    overlap: int = 0,
) -> Bar | str:
    """Let an edited scene play from the next bar line that is not decided; a new graph only if its sound differs.

    Args:
        conductor: plays.
        scene: is to play.
        before: that the graph was built for.
        seed: of the performance.
        send: takes the new graph's setup.
        workers: load networks.
        held: puts into a scene what a hand holds; no other graph is needed for that.
        anew: seed with which the scene begins with its first section; None: as an edit, it goes on where that stood.
        banks: that play parts with timbres; None where nobody makes any.
        overlap: bars of the scene before that still sound; only with `anew`.

    Returns:
        the first bar that it decides; or why it cannot be played, and then what played plays on.
    """
    networks = networks_of(before)
    now = seed if anew is None else anew
    try:
        rest = rest_of(conductor, overlap if anew is not None else 0)
        wanted, setup = networks_of(scene), setup_of(scene, now, live=True)
        if wanted != networks:
            workers.load(wanted)
        if anew is None:
            bar = conductor.reload(held(scene))
        else:
            bar = conductor.follow(conductor.plan.begun_anew(held(scene), now, conductor.next_bar))
    except Exception as error:
        log.info("the edited scene cannot be played", exc_info=True)
        with suppress(Exception):
            workers.load(networks)
        return str(error) or repr(error)
    rebuilt = rest.frames > 0 or setup != setup_of(before, seed, live=True)
    for message in rest.messages:  # for the graph before; what follows the setup is for the next one
        send(message)
    if banks is not None and rebuilt and (anew is not None or scene.path != before.path):
        banks.begin(scene, now, bar.index)
    elif banks is not None:
        banks.edited(scene, now, rebuilt)
    if rebuilt:
        playing = banks.playing if banks is not None else {}
        built = with_banks(setup_of(held(scene), now, live=True), playing)
        send(replace(built, start_frame=bar.start // BLOCK * BLOCK, overlap=rest.frames))
    return bar


def keep_playing(conductor: Conductor, end_bar: int | None, keep_on: Callable[[], bool]) -> None:
    """Let the conductor play; a bar that it cannot make, for whatever reason, is left out and said.

    Raises:
        Exception: several bars in a row cannot be made, so that nothing plays any more.
    """
    failures = 0
    while True:
        first = conductor.next_bar
        try:
            conductor.run(end_bar, keep_on)
            return
        except Exception:
            failures = failures + 1 if conductor.next_bar == first else 1
            if failures > MOST_FAILURES:
                raise
            log.exception("bar %d cannot be made; the music goes on after it", conductor.next_bar + 1)
            conductor.leave_out()
