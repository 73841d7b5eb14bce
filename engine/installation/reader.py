# pyright: strict
"""Reads an installation file for the keeper and ends: `python -m engine.installation.reader FILE --control FD`.

The keeper itself imports no reader of YAML, and nothing that lies in a file can hurt it.
"""

from __future__ import annotations

import argparse
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from engine.errors import PerpetuumError
from engine.installation.keeper.reading import FILE_READ, FileRead
from engine.installation.reading.entries import NamedScenes
from engine.installation.reading.file import read_file
from engine.logs.log import log_to_parent
from engine.scenes.instruments.files import Instruments
from engine.scenes.loading import read_tree
from engine.scenes.text.nodes import MapNode
from engine.scenes.text.problems import Severity


def read_for_keeper(path: Path) -> FileRead:
    """Read an installation file. Never raises for what lies in it.

    A scene that is broken is told, and stops nothing: the others play, and it does once it is mended.
    """
    try:
        source, node = read_tree(path, pipes=False)
        scenes = NamedScenes(Instruments(), {})
        installation = read_file(source, node, scenes) if isinstance(node, MapNode) else None
    except PerpetuumError as error:
        return FileRead(None, str(error))
    found = sorted(source.found, key=lambda one: (one.line, one.column, one.message))
    found += [one for one in scenes.found if one not in found]
    text = "\n".join(one.text(colour=False) for one in found if one.severity is not Severity.UNAVAILABLE)
    if any(one.severity is Severity.ERROR for one in source.found):
        installation = None
    if installation is None and not text:
        text = f"{path} is no installation; `perpetuum check` says what it is"
    return FileRead(installation, text)


def main() -> int:
    """Read a file and hand over what came of it; gives the exit code."""
    parser = argparse.ArgumentParser(prog="engine.installation.reader")
    parser.add_argument("file", type=Path)
    parser.add_argument("--control", type=int, required=True, help="descriptor of the socket to the keeper")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log_to_parent()
    connection = Connection(options.control)
    connection.send_bytes(FILE_READ.encode(read_for_keeper(options.file)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
