# pyright: strict
"""Which journal a command line means, and whose clock."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import click

from engine import assets
from engine.cli.common import warn
from engine.errors import PerpetuumError
from engine.installation.history.moments import AskedMoment, parse_moment
from engine.installation.hours.timetable import Timetable
from engine.installation.hours.walltime import zone_of_the_machine
from engine.installation.installation import Installation
from engine.journal.reader import Journal
from engine.journal.schema import NAME

Command = Callable[..., Any]


@dataclass(frozen=True)
class OpenedJournal:
    """A journal, and the installation whose it is.

    Attributes:
        journal: open for reading.
        installation: as its file is now; None where that cannot be read any more.
        zone: of its clock.
        now: of this machine.
    """

    journal: Journal
    installation: Installation | None
    zone: tzinfo
    now: datetime

    def moment(self, text: str, latest: bool = False) -> AskedMoment:
        """The moment that a command line means; where it could mean another, that is said."""
        found = parse_moment(text, self.zone, self.now, latest)
        if found.note:
            warn(found.note)
        return found

    def told(self, seconds: float) -> datetime:
        """A moment on the installation's clock.

        Args:
            seconds: of UTC since 1970.
        """
        return datetime.fromtimestamp(seconds, UTC).astimezone(self.zone)


def journal_options(command: Command) -> Command:
    """The options by which a journal is named."""
    state = click.option(
        "--state", type=click.Path(path_type=Path), help="Its state folder, instead of the installation."
    )
    of = click.option(
        "--of", "installation", metavar="INSTALLATION", help="Whose journal; needed where several have run here."
    )
    return of(state(command))


@contextmanager
def opened(name: str | None, state: Path | None) -> Generator[OpenedJournal]:
    """Open the journal that a command line means.

    Args:
        name: of an installation, or its file.
        state: folder that the journal lies in.

    Raises:
        PerpetuumError: there is none, there are several, or it is broken.
    """
    installation = _read(assets.installation(name)) if name is not None else None
    if state is None and name is not None:
        if installation is None:
            raise PerpetuumError(
                f"{name} is not valid, so its state folder is not known", "give that by --state, or see `check`"
            )
        state = installation.state
    folder = state or _only_one()
    path = folder / NAME
    if not path.is_file():
        raise PerpetuumError(
            f"there is no journal in {folder}",
            "`perpetuum run` writes one there; name the installation by --of, or its state folder by --state",
        )
    with Journal(path) as journal:
        if installation is None:
            last = journal.sittings()[-1:]
            installation = _read(Path(last[0].told.installation)) if last else None
        zone = Timetable(installation).zone if installation is not None else zone_of_the_machine()
        yield OpenedJournal(journal, installation, zone, datetime.now(UTC))
        if journal.unreadable:
            warn(f"{journal.unreadable} records of {path} cannot be read and are left out")


def _read(path: Path) -> Installation | None:
    from engine.installation.loading import read_installation

    try:
        return read_installation(path)[0]
    except PerpetuumError:
        return None


def _only_one() -> Path:
    """The only state folder of this user with a journal."""
    from engine.installation.reading.file import default_state

    home = default_state("any").parent
    found = sorted(journal.parent for journal in home.glob(f"*/{NAME}"))
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(folder.name for folder in found)
        raise PerpetuumError(f"{len(found)} installations have journals in {home}: {names}", "say which by --of")
    raise PerpetuumError(
        f"there is no journal in {home}", "name the installation by --of, or its state folder by --state"
    )
