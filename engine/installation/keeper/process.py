# pyright: strict
"""The keeper's process: `python -m engine.installation.keeper.process FILE`, which is what `perpetuum run` becomes."""

from __future__ import annotations

import argparse
import faulthandler
import logging
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from engine.errors import PerpetuumError
from engine.installation.keeper.folder import StateFolder
from engine.installation.keeper.keeper import Keeper
from engine.installation.keeper.notify import Notifier
from engine.installation.keeper.reading import PATIENCE, Reading

log = logging.getLogger(__name__)

STOPPING = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Run an installation; gives the exit code."""
    parser = argparse.ArgumentParser(prog="perpetuum run", description="Run an installation.")
    parser.add_argument("file", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    level = logging.INFO if options.verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    try:
        return run(options.file)
    except PerpetuumError as error:
        print(f"perpetuum: {error}", file=sys.stderr)
        return 2


def run(file: Path) -> int:
    """Run an installation file until a signal ends it; gives the exit code.

    Raises:
        PerpetuumError: it cannot be run.
    """
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    for number in (*STOPPING, signal.SIGHUP, signal.SIGUSR2):
        signal.signal(number, ask)
    reading = Reading(file)
    read = reading.result(PATIENCE) or reading.give_up()
    if read.problems:
        print(read.problems, file=sys.stderr)
    if read.installation is None:
        return 1
    with ExitStack() as stack:
        folder = StateFolder(read.installation.state)
        folder.lock()
        stack.callback(folder.close)
        keeper = Keeper(read.installation, folder, Notifier())
        stack.callback(keeper.stop)
        keeper.start()
        log.info("%s", keeper.sentence)
        while not keeper.stopping:
            keeper.look()
            while asked:
                number = asked.pop(0)
                if number in STOPPING:
                    keeper.stopping = True
    return 0


if __name__ == "__main__":
    sys.exit(main())
