# pyright: strict
"""Makes banks of notes: `python -m engine.runtime.timbres.process --control FD`. It imports what its timbres need.

It makes one bank after the other, and ends when the conductor's end is closed, whatever it is doing then.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from engine.codec import CodecError
from engine.errors import PerpetuumError
from engine.logs.log import log_to_parent
from engine.progress import heard_by
from engine.runtime.timbres.messages import (
    FROM_BANK_MAKER,
    TO_BANK_MAKER,
    BankFailed,
    BankMade,
    BankOrder,
    FromBankMaker,
    Making,
)
from engine.timbres.bank_cache import BankCache
from engine.timbres.contract import TIMBRES

log = logging.getLogger(__name__)

NICENESS = 10
"""Nobody waits for a bank: sound, conductor and phrases come first."""


class BankMaker:
    """Takes orders from a connection and answers them.

    Args:
        connection: to the conductor's process.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._orders: queue.SimpleQueue[BankOrder] = queue.SimpleQueue()

    def run(self) -> None:
        """Work until the connection ends."""
        threading.Thread(target=self._listen, name="control", daemon=True).start()
        while True:
            self._say(self._made(self._orders.get()))

    def _listen(self) -> None:
        while True:
            try:
                self._orders.put(TO_BANK_MAKER.decode(self._connection.recv_bytes()))
            except (EOFError, OSError):
                os._exit(0)  # nobody waits for what is being made
            except CodecError as error:
                log.error("an order that cannot be read: %s", error)
                os._exit(1)

    def _say(self, message: FromBankMaker) -> None:
        self._connection.send_bytes(FROM_BANK_MAKER.encode(message))

    def _made(self, order: BankOrder) -> BankMade | BankFailed:
        began = time.monotonic()
        cache = BankCache(Path(order.folder))
        try:
            # Somebody else may have made it meanwhile.
            if (there := cache.find(order.digest)) is not None:
                return BankMade(order.digest, str(there), 0.0)
            kind = TIMBRES.get(order.kind)
            with heard_by(lambda share: self._say(Making(order.digest, share))):
                made = cache.keep(order.digest, lambda folder: kind.make(order.settings, folder))
        except PerpetuumError as error:
            return BankFailed(order.digest, error.message)
        except Exception as error:  # a plug-in's timbre may raise anything
            return BankFailed(order.digest, repr(error))
        return BankMade(order.digest, str(made), time.monotonic() - began)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make banks."""
    parser = argparse.ArgumentParser(prog="engine.runtime.timbres.process", description=__doc__)
    parser.add_argument("--control", type=int, required=True, help="descriptor of the socket to the conductor")
    options = parser.parse_args(arguments)
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the conductor's business
    log_to_parent()
    os.nice(NICENESS)
    BankMaker(Connection(options.control)).run()


if __name__ == "__main__":
    main()
