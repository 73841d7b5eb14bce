"""`perpetuum plan`: the timeline that a scene will play, or what a day will bring, without making a sound."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from engine.cli.common import DayType, TimeOfDayType, begin_of, clock_time, find_named, must_exist, seed_of, valid
from engine.cli.numbers import Number
from engine.cli.scenes.plan_picture import draw_plan
from engine.cli.targets import OutputPath
from engine.conductor.daytime import CountedDay
from engine.form.curves import timbre_setting
from engine.form.passes import Pass
from engine.form.plan import Plan
from engine.form.themes import theme_of
from engine.ideas.themes import Theme
from engine.installation.loading import check_file
from engine.pictures import PICTURES, ensure_plotting
from engine.runtime.performance.course import Course
from engine.scenes.instruments.files import Instruments
from engine.scenes.reading.moving.targets import SoundSettings
from engine.scenes.schema.json_schema import unit_of
from engine.score.dynamics import written_levels
from engine.score.time import SAMPLE_RATE
from engine.units import BARS, written, written_time_of_day

EXAMPLES = """
\b
Examples:
  perpetuum plan slow_groove
  perpetuum plan my_scene.yaml --bars 200 --seed 7 --verbose
  perpetuum plan daylight --at 21:00
  perpetuum plan ground --minutes 240 --plot ground.png
  perpetuum plan gallery
  perpetuum plan my_installation.yaml --day 2026-12-24
  perpetuum plan my_scene.yaml --format json | jq '.passes[].section'
"""


@dataclass(frozen=True, slots=True)
class _Row:
    """A slot of a part, for people and for programs."""

    part: str
    generator: str
    heard: bool
    first_bar: int
    bars: int
    seed: int
    opening: bool


BARS_SHOWN = 64
"""How far a plan of a scene looks where nothing is said."""
OF_SCENES = ("bars", "minutes", "seed", "section", "at", "plot")
OF_INSTALLATIONS = ("day",)


@click.command(epilog=EXAMPLES)
@click.argument("file")
@click.option("--bars", type=click.IntRange(1, 100_000), help=f"How far to look; {BARS_SHOWN} bars without a word.")
@click.option("--minutes", type=Number(0.01, 10_000), help="How far to look, instead of --bars.")
@click.option("--seed", type=click.IntRange(0), help="Instead of the scene's own seed.")
@click.option("--section", help="Begin with this section.")
@click.option("--at", type=TimeOfDayType(), default="12:00", show_default=True, help="Time of day at which it begins.")
@click.option("--plot", type=OutputPath(*PICTURES), help="Draw the form, too, for a scene: .png, .svg or .pdf.")
@click.option("--day", type=DayType(), help="Of an installation: the day, instead of today.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Say the seed of each phrase or turn, too; JSON always does.")
@click.pass_context
def command(
    context: click.Context,
    file: str,
    bars: int | None,
    minutes: float | None,
    seed: int | None,
    section: str | None,
    at: float,
    plot: Path | None,
    day: date | None,
    form: str,
    verbose: bool,
) -> None:
    """Show the timeline that a scene will play, or what a day of an installation will bring.

    Of a scene: sections, parts, generators and clock times. It is the timeline of one seed; the first line says which,
    and what `play` takes. Of a scene with settings that follow the time of day, it shows their values where each
    section begins.

    `--plot` draws hours of it on a page: movements and how full they are, sections, themes, players, levels, keys and
    tempo.

    Of an installation: openings, scenes, quiet hours, loudness and restarts of one day, hour by hour.

    FILE is a file, its ending left out or not, the name of a shipped scene or installation, or `-`.
    Warnings, such as a section that is never reached, come first.
    """
    checked = check_file(find_named(file, "scenes", "installations"), Instruments(), pipes=True)
    if checked.kind == "installation":
        _refuse(context, OF_SCENES, "an installation")
        from engine.cli.installation.outlook import show_day

        show_day(valid(file, checked.installation, checked.diagnostics), day, form, verbose)
        return
    playable = valid(file, checked.scene, checked.diagnostics)
    _refuse(context, OF_INSTALLATIONS, "a scene")
    must_exist("section", section, list(playable.sections))
    if bars is not None and minutes is not None:
        raise click.UsageError("say how far to look: either --bars N or --minutes M")
    if plot is not None:
        ensure_plotting()
    begin = begin_of(playable, seed, section)
    own = seed_of(playable, seed) if begin is None else begin.conductor.seed
    plan = Course(own, section, day=CountedDay(at), begin=begin).plan(playable)
    passes = _passes(plan, bars, minutes)
    _show_scene(plan, passes, seed, CountedDay(at), form, verbose)
    if plot is not None:
        draw_plan(plan, passes, plot)
        click.echo(f"{plot}: the form", err=form == "json")


def _refuse(context: click.Context, names: tuple[str, ...], what: str) -> None:
    """End where an option was given that is for the other kind of file."""
    for name in names:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"--{name} is not for {what}", context)


def _passes(plan: Plan, bars: int | None, minutes: float | None) -> list[Pass]:
    """The passes that begin within so many bars or minutes."""
    end = plan.tempo_map.first_index + (bars or BARS_SHOWN)

    def within(visit: Pass) -> bool:
        if minutes is None:
            return visit.first_bar < end
        return plan.bar(visit.first_bar).start < minutes * 60 * SAMPLE_RATE

    return list(takewhile(within, plan.passes()))


def _show_scene(
    plan: Plan, visits: Sequence[Pass], seed: int | None, day: CountedDay, form: str, verbose: bool
) -> None:
    """Print the timeline of a scene."""
    playable = plan.scene
    passes = [(visit, _rows(plan, visit)) for visit in visits]
    if form == "json":
        click.echo(json.dumps(_as_data(plan, passes, day), indent=2))
        return
    click.echo(f"{playable.title}: {playable.meter}, {playable.key}, {_of_the_seed(plan, seed)}")
    click.echo("themes: " + ", ".join(_shown(theme) for theme in playable.themes))
    if playable.opening and any(part.needs_network for part in playable.parts.values()):
        click.echo(f"opening: {written(playable.opening, BARS)} by rules, while networks load")
    for visit, rows in passes:
        start = plan.bar(visit.first_bar).start / SAMPLE_RATE
        tempo = f"{visit.qpms[0]:g} qpm" + (f" -> {visit.qpms[-1]:g} qpm" if visit.qpms[-1] != visit.qpms[0] else "")
        click.echo(
            f"\n{clock_time(start)}  {click.style(visit.section.name, bold=True)}: bars {visit.first_bar + 1}"
            f"-{visit.end_bar}, {tempo}, {visit.key}{_levels(visit)}, theme {theme_of(playable, plan.seed, visit)}"
        )
        if words := _of_the_form(visit):
            click.echo(f"  {words}")
        if values := _of_the_day(plan, visit, day):
            hour = written_time_of_day(day.at(plan.bar(visit.first_bar).start))
            click.echo(f"  at {hour}: " + ", ".join(f"{name} {value}" for name, value in values.items()))
        for name in playable.parts:
            mine = [row for row in rows if row.part == name]
            if not mine:
                continue
            click.echo(f"  {name}: {mine[0].generator}{'' if mine[0].heard else ' (unheard: others listen to it)'}")
            for row in mine:
                moment = clock_time(plan.bar(row.first_bar).start / SAMPLE_RATE)
                by = "  by rules: the opening" if row.opening else ""
                own_seed = f"  seed {row.seed:016x}" if verbose else ""
                click.echo(f"    {moment}  bars {row.first_bar + 1}-{row.first_bar + row.bars}{own_seed}{by}")


def _shown(theme: Theme) -> str:
    """A theme, and who makes it."""
    return f"{theme.name} (found)" if theme.found else f"{theme.name} ({', '.join(theme.written)})"


def _levels(visit: Pass) -> str:
    """Levels of playing, where any are said."""
    return f", {written_levels(visit.dynamics)}" if visit.dynamics else ""


def _of_the_form(visit: Pass) -> str:
    """Where in the form above the sections a pass stands, and how its periods close."""
    words: list[str] = []
    movement = visit.course.movement
    if movement is not None:
        words.append(f"movement {movement.index + 1}, {movement.shape}")
        called = "planned quiet" if visit.quiet else visit.called
        words += [called] if called else []
        words.append(f"{round(100 * visit.intensity)} % full")
    home = visit.course.home
    if home is not None and home.key.key != visit.key:
        words.append(f"home is {home.key.key}")
    closes = ", ".join(f"{cadence} in bar {visit.first_bar + end}" for end, cadence in visit.cadences)
    return "; ".join([*([", ".join(words)] if words else []), f"closes: {closes}"])


def _of_the_seed(plan: Plan, given: int | None) -> str:
    """Which seed it is, and whether `play` takes it, too."""
    own = plan.scene.seed
    if plan.seed == own:
        return f"seed {plan.seed}, the scene's own, which `play` takes, too"
    theirs = f"the scene's own, {own}" if own is not None else "another each time"
    drawn = "drawn for this plan" if given is None else "as given"
    return f"seed {plan.seed}, {drawn}; `play` takes {theirs}, or this one with `--seed {plan.seed}`"


def _rows(plan: Plan, visit: Pass) -> list[_Row]:
    rows = []
    heard = plan.sounding(visit)
    for name in sorted(plan.active(visit), key=list(plan.scene.parts).index):
        bar = visit.first_bar
        while bar < visit.end_bar:
            slot = plan.slot(name, bar)
            if slot is None:
                break
            generator = plan.scene.parts[name].generator
            rows.append(_Row(name, generator, name in heard, slot.first_bar, slot.bars, slot.seed, slot.opening))
            bar = slot.end_bar
    return rows


def _of_the_day(plan: Plan, visit: Pass, day: CountedDay) -> dict[str, str]:
    """What the settings that follow the day are where a pass begins, as a scene would write it."""
    time_of_day = day.at(plan.bar(visit.first_bar).start)
    values = {}
    for move in plan.scene.day:
        if any(
            (move.part, move.target, move.transform) == (m.part, m.target, m.transform) for m in visit.section.moves
        ):
            continue
        part = plan.scene.parts[move.part]
        name, settings = part.transforms[move.transform] if move.transform is not None else ("", part.settings)
        target = timbre_setting(move.target) or move.target
        if target != move.target and part.timbre is not None:
            settings = part.timbre.settings
        model = type(settings) if target in type(settings).model_fields else SoundSettings
        unit = unit_of(model.model_fields[target])
        number = move.curve.at(time_of_day)
        if unit is not None:  # no more digits than an ear can tell
            smallest = min(unit.factors.values()) / 10
            number = round(number / smallest) * smallest
        value = written(round(number, 2) if unit is None else number, unit)
        values[".".join(word for word in (move.part, name, move.target) if word)] = value
    return values


def _movement(visit: Pass) -> dict[str, Any] | None:
    """The movement of a pass for programs; None without a form."""
    movement = visit.course.movement
    if movement is None:
        return None
    begins, frames = movement.begins / SAMPLE_RATE, movement.frames / SAMPLE_RATE
    return {"number": movement.index + 1, "shape": movement.shape, "begins": begins, "seconds": frames}


def _as_data(plan: Plan, passes: list[tuple[Pass, list[_Row]]], day: CountedDay) -> dict[str, Any]:
    return {
        "title": plan.scene.title,
        "seed": plan.seed,
        "seed_of_the_scene": plan.scene.seed,
        "meter": str(plan.scene.meter),
        "opening": plan.scene.opening,
        "themes": [theme.name for theme in plan.scene.themes],
        "passes": [
            {
                "section": visit.section.name,
                "first_bar": visit.first_bar + 1,
                "bars": visit.bars,
                "seconds": round(plan.bar(visit.first_bar).start / SAMPLE_RATE, 6),
                "qpm": list(visit.qpms),
                "key": str(visit.key),
                "theme": theme_of(plan.scene, plan.seed, visit),
                "home": str(visit.course.home.key.key) if visit.course.home is not None else None,
                "dynamics": list(visit.dynamics),
                "movement": _movement(visit),
                "called": visit.called,
                "intensity": round(visit.intensity, 6),
                "players": list(visit.players),
                "cadences": [{"bar": visit.first_bar + end, "kind": str(cadence)} for end, cadence in visit.cadences],
                "time_of_day": written_time_of_day(day.at(plan.bar(visit.first_bar).start)),
                "day": _of_the_day(plan, visit, day),
                "phrases": [
                    {
                        "part": row.part,
                        "generator": row.generator,
                        "heard": row.heard,
                        "first_bar": row.first_bar + 1,
                        "bars": row.bars,
                        "seconds": round(plan.bar(row.first_bar).start / SAMPLE_RATE, 6),
                        "seed": row.seed,
                        "opening": row.opening,
                    }
                    for row in rows
                ],
            }
            for visit, rows in passes
        ],
    }
