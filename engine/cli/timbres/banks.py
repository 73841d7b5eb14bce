# pyright: strict
"""`perpetuum timbre banks`: the banks of notes that a scene will want, made ahead."""

from __future__ import annotations

from collections import Counter

import click

from engine.cli.common import TimeOfDayType, load_playable, seed_of
from engine.cli.numbers import Number
from engine.cli.waiting import progress
from engine.errors import PerpetuumError

EXAMPLES = """
\b
Examples:
  perpetuum timbre banks metamorphoses --list
  perpetuum timbre banks my_scene.yaml --hours 12
"""


@click.command(epilog=EXAMPLES, short_help="The banks that a scene will want, made ahead.")
@click.argument("scene")
@click.option(
    "--hours", default=2.0, show_default=True, type=Number(0.01, 48), help="Of the scene, from its beginning."
)
@click.option("--seed", type=click.IntRange(0), help="Instead of the scene's own seed.")
@click.option("--at", type=TimeOfDayType(), default="12:00", show_default=True, help="Time of day at which it begins.")
@click.option("--list", "only_list", is_flag=True, help="Say which there are; make none.")
def banks(scene: str, hours: float, seed: int | None, at: float, only_list: bool) -> None:
    """Make the banks of notes that SCENE wants at its section lines, one after the other, and keep them in the cache.

    What plays the scene later finds them there, however long they took; Ctrl-C loses none that is made, and the same
    command goes on. Without a seed of its own a scene draws places that no other performance finds.
    """
    from engine.conductor.daytime import CountedDay
    from engine.form.plan import Plan
    from engine.progress import tell
    from engine.runtime.timbres.lines import section_lines
    from engine.runtime.timbres.messages import BankOrder
    from engine.runtime.timbres.orders import have_made, orders_of
    from engine.runtime.timbres.timbres import Timbres
    from engine.score.time import SAMPLE_RATE

    playable = load_playable(scene)
    if all(part.timbre is None for part in playable.parts.values()):
        raise PerpetuumError(f"{scene}: no part of it has a timbre", "`instrument: {kind: neural, ...}` is one")
    seed = seed_of(playable, seed)
    plan = Plan(playable, seed, day=CountedDay(at).at)
    with Timbres() as timbres:
        found: dict[str, tuple[str, BankOrder]] = {}
        for bar, moved in section_lines(plan, round(hours * 3600 * SAMPLE_RATE)):
            orders, failed = orders_of(playable, seed, str(timbres.cache.folder), bar, moved=moved)
            if failed:
                raise PerpetuumError("; ".join(f"part {part}: {one.reason}" for part, one in failed.items()))
            for part, order in orders.items():
                found.setdefault(order.digest, (part, order))
        lacking = [order for _, order in found.values() if timbres.find(order.digest) is None]
        total, left = Counter(part for part, _ in found.values()), {order.digest for order in lacking}
        for part, count in total.items():
            there = sum(name == part and order.digest not in left for name, order in found.values())
            click.echo(f"{part}: {count} banks, of which {there} are made")
        if only_list or not lacking:
            return
        with progress(f"{len(lacking)} banks"):
            made, problems = have_made(
                lacking, timbres, lambda waiting, share: tell(1.0 - (waiting - share) / len(lacking))
            )
    click.echo(f"{len(made)} made, in {timbres.cache.folder}")
    for reason, count in Counter(problems.values()).items():
        click.echo(f"{count} cannot be made: {reason}")
    if problems:
        raise PerpetuumError(f"{len(problems)} of {len(lacking)} banks could not be made")
