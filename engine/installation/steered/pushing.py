# pyright: strict
"""Files that are pushed: checked here by the checker itself, then written whole; a bad one changes nothing.

They take the place of the files that `perpetuum run` reads. Who may push is so for the owner of these to say: the user
of the installation must be able to write in their folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine import assets
from engine.errors import PerpetuumError
from engine.files import read_bytes, reason
from engine.fleet.messages import LARGEST_FILE, FoundProblem, Push, PushedFile
from engine.installation.installation import Installation
from engine.installation.steered.checking import CheckFile, FileChecked, check_elsewhere
from engine.output_file import write_bytes

BEFORE = ".before"
"""Ending of the name under which the file lies that another one has taken the place of."""

ONLY_HERE = ("steering", "listening", "pool", "notices", "alarm", "amplifier", "ups", "state")
"""What no pushed installation file may change: it would cut the player off, open it, have it send its secrets to
others, take its fire alarm away, or run commands on it."""

_CALLED = {"steering": "mqtt", "listening": "listen"}


class RefusedFileError(PerpetuumError):
    """A file that was not taken.

    Attributes:
        found: problems in it.
        more: how many further ones there are.
    """

    def __init__(self, message: str, found: tuple[FoundProblem, ...] = (), more: int = 0) -> None:
        super().__init__(message)
        self.found = found
        self.more = more


@dataclass(frozen=True, slots=True)
class TakenFile:
    """A file that lies where it will be read.

    Attributes:
        what: took another's place, in words.
        text: the same, with what becomes of it.
        found: warnings.
        more: how many further ones there are.
    """

    what: str
    text: str
    found: tuple[FoundProblem, ...]
    more: int


def take_file(
    file: PushedFile, installation: Installation, check: Callable[[CheckFile], FileChecked] = check_elsewhere
) -> TakenFile:
    """Check a file, and put it where it will be read.

    Args:
        file: as it was pushed.
        installation: that runs.
        check: checks it.

    Raises:
        RefusedFileError: nothing was changed.
        PerpetuumError: it could not be checked, or written.
    """
    try:
        data = file.text.encode()
    except UnicodeEncodeError:
        raise RefusedFileError("the file is no text: half of a character stands in it") from None
    if len(data) > LARGEST_FILE:
        raise RefusedFileError(f"the file has {len(data)} bytes; {LARGEST_FILE} are taken at most")
    path = installation.path if file.kind is Push.INSTALLATION else _place_of(file.name, installation)
    checked = check(CheckFile(str(path), data))
    if checked.kind != file.kind.value:
        raise RefusedFileError(
            f"this is no {file.kind}, but looks like one: {checked.kind}", checked.found, checked.more
        )
    if not checked.valid:
        raise RefusedFileError(f"{path} stays as it is: what was pushed is not valid", checked.found, checked.more)
    if checked.installation is not None:
        _refuse_what_only_hands_change(installation, checked.installation)
    before = _bytes_at(path)
    if file.kind is Push.SCENE and file.name not in installation.programme.scenes and before is not None:
        _refuse_what_is_no_scene(path, check(CheckFile(str(path), before)))
    what = "installation" if file.kind is Push.INSTALLATION else f"scene {file.name}"
    if before == data:
        return TakenFile(what, f"{path} is so already", checked.found, checked.more)
    if before is not None:
        write_bytes(path.with_name(path.name + BEFORE), before)
    write_bytes(path, data)
    kept = f"; what was there before is kept as {path.name}{BEFORE}" if before is not None else ""
    known = file.kind is Push.INSTALLATION or file.name in installation.programme.scenes
    unknown = "" if known else f"; no scene of the programme is called {file.name} yet"
    return TakenFile(what, f"{path} was checked and written{kept}{unknown}", checked.found, checked.more)


def _place_of(name: str, installation: Installation) -> Path:
    """Where a scene lies that the installation file names, or where it would be found.

    Raises:
        RefusedFileError: it has no name, or lies where nothing is written.
    """
    if not name:
        raise RefusedFileError("a scene is pushed under the name that the programme calls it by, and there is none")
    folder = installation.path.parent
    entry = installation.programme.scenes.get(name)
    found = entry.file if entry is not None else folder / f"{name}.yaml"
    if found.parent != folder and found.parent not in [one.absolute() for one in assets.folders("scenes")]:
        raise RefusedFileError(f"{found} does not lie beside the installation file: it is changed there alone")
    path = folder / found.name  # a file here is found before a shipped one of its name
    if path in (installation.path, installation.path.with_name(installation.path.name + BEFORE)):
        raise RefusedFileError(f"{path} is the installation file, and no scene")
    return path


def _refuse_what_is_no_scene(path: Path, there: FileChecked) -> None:
    if there.kind != Push.SCENE.value:
        raise RefusedFileError(f"{path} is there already and is no scene: {there.kind}; push it under another name")


def _refuse_what_only_hands_change(before: Installation, after: Installation) -> None:
    changed = [_CALLED.get(name, name) for name in ONLY_HERE if getattr(before, name) != getattr(after, name)]
    if changed:
        names = ", ".join(f"`{name}`" for name in changed)
        raise RefusedFileError(f"{names} can only be changed on the player itself; leave it as it is there")


def _bytes_at(path: Path) -> bytes | None:
    """What lies there; None where nothing does.

    Raises:
        PerpetuumError: it may not be read, or is no file.
    """
    try:
        return read_bytes(path, LARGEST_FILE)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise PerpetuumError(f"{path} cannot be read: {reason(error)}") from None
