# pyright: strict
"""The keeper's process: `python -m engine.installation.keeper.process FILE`, which is what `perpetuum run` becomes."""

from __future__ import annotations

import os

# One thread: what is measured of the sound is small, and numpy's would only wait for each other. Before it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import faulthandler
import logging
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from engine.errors import PerpetuumError
from engine.installation.keeper.folder.folder import StateFolder
from engine.installation.keeper.folder.last_good import LastGoodFile
from engine.installation.keeper.folder.starts import Starts
from engine.installation.keeper.hands.buttons import Buttons
from engine.installation.keeper.hands.contact import watch_contact
from engine.installation.keeper.hands.control import ControlSocket
from engine.installation.keeper.hands.hands import Ask
from engine.installation.keeper.hands.http import HttpControl
from engine.installation.keeper.keeper import Keeper
from engine.installation.keeper.notify import Notifier
from engine.installation.keeper.power.mains import MainsWatch
from engine.installation.keeper.reading import PATIENCE, FileRead, Reading
from engine.installation.keeper.recording.messages import watch_of
from engine.installation.keeper.recording.recording import RecorderPlace
from engine.installation.keeper.sound.ahead import Ahead
from engine.installation.keeper.steering.place import SteeringPlace
from engine.installation.keeper.telling import Telling
from engine.logs.choice import LogFormat
from engine.logs.log import Log
from engine.memory_lock import lock_memory
from engine.runtime.performance.reporting import reporter

log = logging.getLogger(__name__)

STOPPING = (signal.SIGTERM, signal.SIGINT)

STACKS = 3.0
"""Seconds in which what children print is logged after SIGUSR1: their stacks."""

CHECK_AFTER = 10.0
"""Seconds after a start with what came of the file before, at which it is read all the same: what it names may have
changed. Until then processors are left to the music."""


STEERED_AFTER = 20.0
"""Seconds after a start at which it is steered from afar though it has come to nothing yet; the music comes first."""


class Running:
    """An installation that runs, and the signals that it is sent.

    Args:
        file: of the installation.
        written: the log.
    """

    def __init__(self, file: Path, written: Log) -> None:
        self._file = file
        self._log = written
        self._state = Path()
        self._last_good = LastGoodFile(file)
        self._digest = ""
        self._check_at: float | None = None
        self._http: HttpControl | None = None
        self._asked: list[int] = []
        self._reading: Reading | None = None
        self._give_up_at = 0.0
        self._quiet_at: float | None = None
        for number in (*STOPPING, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, self._ask)
        faulthandler.register(signal.SIGUSR1, all_threads=True, chain=True)

    def run(self) -> int:
        """Run until a signal ends it; gives the exit code.

        Raises:
            PerpetuumError: it cannot be run.
        """
        recording = RecorderPlace()  # at once: they import what they need while the file is read
        ahead = Ahead()
        read = self._first()
        if read.problems:
            print(read.problems, file=sys.stderr)
        again = False
        with ExitStack() as stack:
            stack.callback(recording.close)
            stack.callback(ahead.close)
            if read.installation is None:
                return 1
            folder = StateFolder(read.installation.state)
            folder.lock()
            self._state = folder.path
            self._log.take_choice(read.installation.log, self._state)
            stack.callback(folder.close)
            recording.open(folder.path, read.installation.journal.keep)
            recording.watch(watch_of(read.installation))
            starts, settled = Starts(folder), False
            keeper = Keeper(read.installation, folder, recording, starts.reason, ahead)
            keeper.later(starts.begin)
            telling = Telling(keeper, Notifier())
            steering = telling.steering = SteeringPlace(folder.path, telling.answer, reporter(keeper.tell))
            stack.callback(steering.close)
            contact = read.installation.alarm.contact
            if contact is not None:
                stack.callback(watch_contact(contact, keeper.hands.contact_is))
            buttons = Buttons(read.installation.buttons, keeper.hands)
            stack.callback(buttons.close)
            mains = MainsWatch(keeper.tell)
            stack.callback(mains.close)
            stack.callback(keeper.stop)
            stack.callback(telling.stopping)
            stack.enter_context(ControlSocket(folder.path, telling.answer))
            try:
                keeper.start()
            except PerpetuumError as error:
                starts.fails(str(error))
                raise
            telling.ready()
            log.info("%s", telling.sentence)
            self._keep(keeper, read)
            stack.callback(self._close_http)
            self._serve(keeper, telling)
            while not self._stops(keeper):
                keeper.look()
                telling.look(time.monotonic())
                buttons.show(telling.snapshot)
                mains.take(keeper.installation.ups)
                mains.look(time.monotonic())
                if mains.going:
                    break
                if not settled and keeper.healthy:
                    settled = True
                    keeper.later(starts.succeeds)
                self._serve(keeper, telling)
                if settled or time.monotonic() - keeper.began > STEERED_AFTER:
                    steering.take(keeper.installation)
                steering.look()
                if keeper.restart_due:
                    log.warning("the planned restart: all processes begin anew")
                    again = True
                    break
            keeper.later(starts.succeeds)  # it was told to end
        if again:
            self._log.close()
            os.execv(sys.executable, [sys.executable, "-P", "-m", __spec__.name, *sys.argv[1:]])
        return 0

    def _serve(self, keeper: Keeper, telling: Telling) -> None:
        """Be asked over HTTP at the addresses that the file names now."""
        listening, alarm = keeper.installation.listening, keeper.installation.alarm.http
        if self._http is None or not self._http.serves(listening, alarm):
            self._close_http()
            self._http = HttpControl(listening, alarm, telling.answer)
            self._http.start()

    def _close_http(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def _first(self) -> FileRead:
        """What is played at the start: the file as it is, or where that is broken, as it was when it was not."""
        kept = self._last_good.kept
        if kept is not None and self._last_good.unchanged:
            self._check_at = time.monotonic() + CHECK_AFTER
            return kept
        self._digest = self._last_good.digest()
        reading = Reading(self._file)
        read = reading.result(PATIENCE) or reading.give_up()
        if read.installation is not None or kept is None:
            return read
        what = f"{self._file} is broken; it plays as it was when it could be played last. Mend it and send SIGHUP"
        return FileRead(kept.installation, f"{read.problems}\n{what}")

    def _keep(self, keeper: Keeper, read: FileRead) -> None:
        """Keep a file that can be played, if it was read just now."""
        digest, self._digest = self._digest, ""
        if digest and read.installation is not None:
            keeper.later(lambda: self._last_good.keep(read, digest))

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked.append(number)

    def _stops(self, keeper: Keeper) -> bool:
        """Do what signals ask; whether one asks to stop."""
        while self._asked:
            number = self._asked.pop(0)
            if number in STOPPING:
                return True
            if number == signal.SIGHUP:
                keeper.read_due = True
            elif number == signal.SIGUSR1:
                self._show_stacks(keeper)
            elif keeper.installation.alarm.signal:
                keeper.hands.ask(Ask.ALARM, "signal")
        # A reading that has begun may have missed what was saved since: who asks meanwhile has another one follow.
        if keeper.read_due and (self._reading is None or self._check_at is not None):
            keeper.read_due = False
            if self._reading is not None:
                self._reading.give_up()
            self._check_at = None
            self._read_again()
        if self._quiet_at is not None and time.monotonic() > self._quiet_at:
            self._quiet_at = None
            logging.getLogger("engine.processes.child").setLevel(logging.NOTSET)
        if self._check_at is not None and self._reading is None and time.monotonic() > self._check_at:
            self._read_again()
        self._look_at_reading(keeper)
        return False

    def _read_again(self) -> None:
        self._digest = self._last_good.digest()
        self._reading, self._give_up_at = Reading(self._file), time.monotonic() + PATIENCE

    def _look_at_reading(self, keeper: Keeper) -> None:
        if self._reading is None:
            return
        read = self._reading.result(0.0)
        if read is None:
            if time.monotonic() < self._give_up_at:
                return
            read = self._reading.give_up()
        self._reading = None
        checked, self._check_at = self._check_at is not None, None
        if checked and (keeper.safe or read.installation in (keeper.installation, None)):
            return  # as it was; or saved broken since, which whoever says SIGHUP is told
        self._keep(keeper, read)
        if read.problems:
            log.warning("%s", read.problems)
        if read.installation is None:
            log.error("%s is broken; nothing changes", self._file)
        else:
            log.warning("%s was read again", self._file)
            self._log.take_choice(read.installation.log, self._state)
            keeper.take(read.installation)
            keeper.recording.watch(watch_of(read.installation))

    def _show_stacks(self, keeper: Keeper) -> None:
        """The stacks of our threads are printed already; those of our children come the way of all that they print."""
        logging.getLogger("engine.processes.child").setLevel(logging.DEBUG)
        self._quiet_at = time.monotonic() + STACKS
        if keeper.performance is not None:
            keeper.performance.show_stacks()


def main() -> int:
    """Run an installation; gives the exit code."""
    parser = argparse.ArgumentParser(prog="perpetuum run", description="Run an installation.")
    parser.add_argument("file", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("--log-format", choices=list(LogFormat), default="")
    options = parser.parse_args()
    faulthandler.enable()
    written = Log("keeper", LogFormat(options.log_format) if options.log_format else None)
    logging.getLogger().addHandler(written)
    logging.getLogger("engine").setLevel(logging.INFO if options.verbose else logging.WARNING)
    lock_memory()
    try:
        return Running(options.file, written).run()
    except PerpetuumError as error:
        print(f"perpetuum: {error}", file=sys.stderr)
        return 2
    finally:
        written.close()


if __name__ == "__main__":
    sys.exit(main())
