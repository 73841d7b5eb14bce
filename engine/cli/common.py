"""What several verbs do alike."""

from __future__ import annotations

import difflib
import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from engine import assets
from engine.errors import PerpetuumError
from engine.form.scene import Scene
from engine.scenes import Diagnostic, Severity, load
from engine.units import parse_time_of_day

if TYPE_CHECKING:
    from engine.runtime.performance.mind.state import MindState

EXIT_NOT_VALID = 1

YEARS = range(2000, 2200)
"""Days that a plan can be made of."""

Found = TypeVar("Found")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether what is said to a stream is seen on a terminal; a process may be without its streams."""
    return stream is not None and stream.isatty()


class TimeOfDayType(click.ParamType):
    """A time of day, `18:30`; seconds since midnight."""

    name = "HH:MM"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it."""
        try:
            return value if isinstance(value, float) else parse_time_of_day(str(value))
        except ValueError as error:
            self.fail(str(error).replace("`", ""), param, ctx)


class DayType(click.ParamType):
    """A date, `2026-12-24`."""

    name = "YYYY-MM-DD"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read it."""
        if isinstance(value, date):
            return value
        try:
            day = datetime.strptime(str(value), "%Y-%m-%d").date()
        except ValueError:
            self.fail(f"{value!r} is no date; write it like 2026-12-24", param, ctx)
        if day.year not in YEARS:
            self.fail(f"the year of {value} is out of range: {YEARS[0]} to {YEARS[-1]}", param, ctx)
        return day


def warn(text: str) -> None:
    """Say something on standard error that stops nothing where nobody takes it."""
    with suppress(OSError, ValueError):
        click.echo(text, err=True)


def find_scene(name: str) -> Path:
    """The scene file that a command line names; see `find_named`."""
    return find_named(name, "scenes")


def find_named(name: str, *kinds: str) -> Path:
    """The file that a command line names (see `assets.named`); where another could be meant, that is said.

    Raises:
        PerpetuumError: there is no such file.
    """
    path = assets.named(name, *kinds)
    if not assets.exists(name) or assets.is_folder(name):
        mine = [kind for kind in kinds if kind == path.parent.name]
        hidden = assets.hidden_by(mine[0], path) if mine else None
        here = assets.beside_me(name)
        if here is not None and here.resolve() != path.resolve():
            warn(f"{name} is {path}; for the file here say {here}")
        elif hidden is not None and path != here:
            warn(f"{name} is {path}, which hides the shipped {hidden.parent.name.removesuffix('s')}")
    return path


def load_playable(name: str, section: str | None = None, solo: str | None = None) -> Scene:
    """The scene that a command line names; its diagnostics are printed, and if it cannot be played at all, we exit.

    Missing weights do not stop us: rules play in place of networks, and the message says so.

    Args:
        name: as of `find_scene`.
        section: a section that must exist.
        solo: a part that must exist.

    Raises:
        PerpetuumError: there is no such file, section or part.
    """
    scene = valid(name, *load(find_scene(name), pipes=True))
    must_exist("section", section, list(scene.sections))
    must_exist("part", solo, list(scene.parts))
    return scene


def valid(name: str, found: Found | None, diagnostics: Sequence[Diagnostic]) -> Found:
    """What was read of a file; its diagnostics are printed, and where it is None, we exit.

    Args:
        name: of the file, as the command line says it.
        found: what was read.
        diagnostics: all that was found in it.
    """
    for diagnostic in diagnostics:
        warn(diagnostic.text(colour=is_terminal(sys.stderr)))
    if found is None:
        errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
        click.echo(f"{name} is not valid: {errors} error{'' if errors == 1 else 's'}", err=True)
        sys.exit(EXIT_NOT_VALID)
    return found


def begin_of(scene: Scene, seed: int | None, section: str | None) -> MindState | None:
    """The state with which a scene begins that `perpetuum fork` made; None for any other.

    Args:
        scene: that was read.
        seed: that was given.
        section: likewise.

    Raises:
        PerpetuumError: it cannot be read, or another seed or section was asked for.
    """
    if scene.begin is None:
        return None
    from engine.runtime.performance.mind.beginning import beginning_of

    begin = beginning_of(scene)
    if section is not None or (seed is not None and begin is not None and seed != begin.conductor.seed):
        what = "--section" if section is not None else "--seed"
        raise PerpetuumError(
            f"{scene.path} begins where a performance stood, and {what} asks for another beginning",
            f"leave {what} out, or take `begin` out of the scene",
        )
    return begin


def seed_of(scene: Scene, given: int | None) -> int:
    """The seed of a performance: given, or the scene's own, or a new one."""
    if given is not None:
        return given
    return scene.seed if scene.seed is not None else secrets.randbits(32)


def data_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option `--data`, as `sources`: folders of music and data sets, at least one.

    Args:
        text: of its help.
    """
    return click.option(
        "--data",
        "sources",
        multiple=True,
        required=True,
        metavar="DIR",
        type=click.Path(exists=True, path_type=Path),
        help=text,
    )


def file_size(size: int) -> str:
    """Bytes as "4.7 MB" or "12.3 kB"."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def clock_time(seconds: float) -> str:
    """Seconds as "1:02:03.4" or "2:03.4"."""
    tenths = round(seconds * 10)
    hours, minutes = tenths // 36000, tenths // 600 % 60
    rest = f"{tenths // 10 % 60:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{rest}" if hours else f"{minutes}:{rest}"


def must_exist(what: str, name: str | None, known: list[str]) -> None:
    """Raise a `PerpetuumError` where a section or part that was asked for is none of the scene's."""
    if name is None or name in known:
        return
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"it has: {', '.join(known)}"
    raise PerpetuumError(f"the scene has no {what} {name!r}", hint)
