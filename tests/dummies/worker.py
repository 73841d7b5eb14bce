"""A stand-in for a generator worker that misbehaves on order: the kind of a job says how."""

import argparse
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import replace
from multiprocessing.connection import Connection

from engine.conductor.contract import Job, Reply
from engine.runtime.messages import Cancel, Load, Loaded, Started
from engine.score.phrase import Origin, Phrase, Provenance

HELD: list[bytearray] = []


def rest(job: Job, beats: float | None = None) -> Reply:
    phrase = Phrase.empty(
        job.request.beats if beats is None else beats, Provenance(job.kind, Origin.NETWORK, os.getpid())
    )
    return Reply(job.ticket, phrase, phrase)


def do(job: Job, connection: Connection, fd: int) -> None:
    match job.kind:
        case "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        case "prints and dies":
            print("no weights on this machine", file=sys.stderr)
            sys.exit(7)
        case "hangs":
            time.sleep(3600)
        case "spins":
            while True:
                pass
        case "raw garbage":
            with socket.socket(fileno=os.dup(fd)) as raw:
                raw.sendall(b"\xff\xfe garbage " * 100)
        case "garbage":
            connection.send_bytes(b"no pickle at all")
        case "oversized":
            connection.send_bytes(bytes(17 << 20))
        case "wrong ticket":
            connection.send(replace(rest(job), ticket=job.ticket + 1000))
        case "unhashable ticket":
            connection.send(replace(rest(job), ticket=[]))  # type: ignore[arg-type]
        case "wrong type":
            connection.send({"ticket": job.ticket})
        case "no phrase":
            connection.send(Reply(job.ticket, "la", "la la"))  # type: ignore[arg-type]
        case "too long":
            connection.send(rest(job, beats=job.request.beats + 1))
        case "grows":
            HELD.append(bytearray(os.urandom(1 << 20)) * 210)
            connection.send(rest(job))
        case "fails":
            connection.send(Reply(job.ticket, None, None, "no idea came"))
        case _:
            connection.send(rest(job))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--control", type=int, required=True)
    fd = parser.parse_args().control
    connection = Connection(fd)
    jobs = []
    arrived = threading.Condition()

    def listen() -> None:
        while True:
            try:
                message = connection.recv()
            except (EOFError, OSError):
                os._exit(0)
            if not isinstance(message, Cancel):
                with arrived:
                    jobs.append(message)
                    arrived.notify()

    threading.Thread(target=listen, daemon=True).start()
    while True:
        with arrived:
            arrived.wait_for(lambda: jobs)
            message = jobs.pop(0)
        if isinstance(message, Load):
            connection.send(Loaded(0.0))
        else:
            connection.send(Started(message.ticket))
            do(message, connection, fd)


if __name__ == "__main__":
    main()
