# pyright: strict
"""Reads an installation file for the keeper and ends: `python -m engine.installation.reader FILE --control FD`.

The keeper itself imports no reader of YAML, and nothing that lies in a file can hurt it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from engine.errors import PerpetuumError
from engine.installation.installation import Installation, Programme, SceneEntry
from engine.installation.keeper.reading import FILE_READ, FileRead


def read_installation(path: Path) -> FileRead:
    """Read an installation file. Never raises for what lies in it."""
    try:
        return FileRead.of(_of_a_scene(path), "")
    except PerpetuumError as error:
        return FileRead.of(None, str(error))


def _of_a_scene(path: Path) -> Installation:
    from engine.installation.mind.process import playable

    scene = playable(path)
    entry = SceneEntry(path.stem, path.resolve(), 600.0, 600.0, seed=scene.seed)
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return Installation(path, scene.title, Programme({path.stem: entry}), home / "perpetuum" / path.stem)


def main() -> int:
    """Read a file and hand over what came of it; gives the exit code."""
    parser = argparse.ArgumentParser(prog="engine.installation.reader")
    parser.add_argument("file", type=Path)
    parser.add_argument("--control", type=int, required=True, help="descriptor of the socket to the keeper")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(options.control)
    connection.send_bytes(FILE_READ.encode(read_installation(options.file)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
