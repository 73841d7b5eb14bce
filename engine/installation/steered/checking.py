# pyright: strict
"""Checks a pushed file and ends: `python -m engine.installation.steered.checking`, bytes in, bytes out.

The checker of `perpetuum check` imports much, and a hostile file is its business alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.codec import Codec, CodecError
from engine.errors import PerpetuumError
from engine.fleet.messages import MOST_FOUND, FoundProblem
from engine.installation.installation import Installation
from engine.processes.child import OomScore, environment, python_module, start_bound

PATIENCE = 120.0
"""Seconds that a check may take: a Raspberry Pi imports for some, and looks into every scene that is named."""

NICENESS = 10
"""The music comes first."""

LONGEST_TEXT = 1500


@dataclass(frozen=True, slots=True)
class CheckFile:
    """A file to check.

    Attributes:
        path: at which it is to lie.
        data: its bytes.
    """

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class FileChecked:
    """What was found.

    Attributes:
        kind: "scene", "instrument" or "installation".
        valid: whether it can be played.
        found: problems, the errors first, `MOST_FOUND` at most.
        more: how many further ones there are.
        installation: that it is, where it is a valid one.
    """

    kind: str
    valid: bool
    found: tuple[FoundProblem, ...]
    more: int
    installation: Installation | None


CHECK_FILE: Codec[CheckFile] = Codec(CheckFile)
FILE_CHECKED: Codec[FileChecked] = Codec(FileChecked)


def check_pushed(asked: CheckFile) -> FileChecked:
    """Check a file as if it lay there already.

    Raises:
        PerpetuumError: nobody can say.
    """
    from engine.installation.loading import check_file
    from engine.scenes.instruments.files import Instruments
    from engine.scenes.text.problems import Severity

    checked = check_file(Path(asked.path), Instruments(), data=asked.data)
    found = sorted(checked.diagnostics, key=lambda one: one.severity is not Severity.ERROR)
    told = tuple(
        FoundProblem(
            str(one.path), one.line, one.column, one.severity is Severity.ERROR, one.text(colour=False)[:LONGEST_TEXT]
        )
        for one in found[:MOST_FOUND]
    )
    valid = (checked.installation if checked.kind == "installation" else checked.scene) is not None
    return FileChecked(checked.kind, valid, told, len(found) - len(told), checked.installation)


def check_elsewhere(asked: CheckFile, patience: float = PATIENCE) -> FileChecked:
    """Have a file checked by a process that lives no longer than that.

    Raises:
        PerpetuumError: it could not be checked.
    """
    try:
        process = start_bound(
            python_module("engine.installation.steered.checking"),
            OomScore.BACKGROUND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
    except OSError as error:
        raise PerpetuumError(f"the file could not be checked: {error}") from None
    try:
        out, said = process.communicate(CHECK_FILE.encode(asked), patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise PerpetuumError(f"the file could not be checked within {patience:g} s") from None
    try:
        return FILE_CHECKED.decode(out)
    except CodecError:
        words = said.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise PerpetuumError(f"the file could not be checked: {words[0][:300]}") from None


def main() -> int:
    """Check what comes in; gives the exit code."""
    with suppress(OSError):
        os.nice(NICENESS)
    try:
        checked = check_pushed(CHECK_FILE.decode(sys.stdin.buffer.read()))
    except PerpetuumError as error:
        print(error, file=sys.stderr)
        return 1
    sys.stdout.buffer.write(FILE_CHECKED.encode(checked))
    return 0


if __name__ == "__main__":
    sys.exit(main())
