"""A stand-in for the process that makes banks, which misbehaves on order: the latent of an order says how."""

import argparse
import os
import signal
import sys
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import soundfile

from engine.runtime.timbres.messages import FROM_BANK_MAKER, TO_BANK_MAKER, BankFailed, BankMade, BankOrder, Making
from engine.timbres.bank_cache import BankCache

DIES, HANGS, GARBAGE, STRANGER, FAILS, PRINTS = range(900, 906)

INSTRUMENT = """perpetuum: 1
kind: sampler
title: t
samples: [{file: s.wav, pitch: C4}]
"""


def write(folder: Path, hertz: float = 300.0) -> None:
    """An instrument of one tone."""
    folder.mkdir(parents=True)
    soundfile.write(folder / "s.wav", 0.3 * np.sin(np.arange(9_600) * 2 * np.pi * hertz / 48_000), 48_000)
    (folder / "instrument.yaml").write_text(INSTRUMENT)


def do(order: BankOrder, connection: Connection) -> None:
    def say(message: object) -> None:
        connection.send_bytes(FROM_BANK_MAKER.encode(message))

    match order.settings.latent:
        case 900:
            os.kill(os.getpid(), signal.SIGKILL)
        case 901:
            time.sleep(3600)
        case 902:
            connection.send_bytes(b"no message at all")
            time.sleep(3600)
        case 903:
            say(replace(BankFailed(order.digest, "whose?"), digest="another"))
            time.sleep(3600)
        case 904:
            say(BankFailed(order.digest, "the weights are not finite"))
        case 905:
            print("out of memory", file=sys.stderr, flush=True)
            os._exit(7)
        case latent:
            say(Making(order.digest, 0.5))
            made = BankCache(Path(order.folder)).keep(order.digest, lambda folder: write(folder, 200.0 + latent))
            say(BankMade(order.digest, str(made), 0.25))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--control", type=int)
    connection = Connection(parser.parse_args().control)
    while True:
        try:
            order = TO_BANK_MAKER.decode(connection.recv_bytes())
        except (EOFError, OSError):
            return
        do(order, connection)


if __name__ == "__main__":
    main()
