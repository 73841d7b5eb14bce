"""A stand-in for a generator worker that misbehaves on order: the kind of a job says how."""

import argparse
import os
import pickle
import signal
import socket
import struct
import sys
import threading
import time
from dataclasses import replace
from multiprocessing.connection import Connection

import msgspec

from engine.conductor.makers.contract import Job, Reply
from engine.generators.contract import GENERATORS, TRANSFORMS
from engine.runtime.workers.messages import FROM_WORKER, TO_WORKER, Cancel, FromWorker, Load, Loaded, Started
from engine.score.phrase import Origin, Phrase, Provenance

HELD: list[bytearray] = []


def rest(job: Job, beats: float | None = None) -> Reply:
    phrase = Phrase.empty(
        job.request.beats if beats is None else beats, Provenance(job.kind, Origin.NETWORK, os.getpid())
    )
    return Reply(job.ticket, phrase, phrase)


class Line:
    """To the conductor, one thread at a time."""

    def __init__(self, fd: int) -> None:
        self.connection = Connection(fd)

    def say(self, message: FromWorker) -> None:
        self.connection.send_bytes(FROM_WORKER.encode(message))

    def say_fields(self, name: str, fields: dict[str, object]) -> None:
        """Something in the form of a message, whatever its fields are."""
        self.connection.send_bytes(msgspec.msgpack.encode((name, fields)))


def do(job: Job, line: Line, fd: int) -> None:
    empty = rest(job)
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
            line.connection.send_bytes(b"no message at all")
        case "oversized":
            line.connection.send_bytes(bytes(17 << 20))
        case "wrong ticket":
            line.say(replace(empty, ticket=job.ticket + 1000))
        case "torn":
            with socket.socket(fileno=os.dup(fd)) as raw:
                raw.sendall(struct.pack("!i", 1000) + b"the first half of a message")
            os._exit(0)
        case "negative length":
            with socket.socket(fileno=os.dup(fd)) as raw:
                raw.sendall(struct.pack("!i", -5))
        case "no ticket":
            line.say_fields("Reply", {"ticket": [], "raw": None, "phrase": None})
        case "no type":
            line.say_fields("Nonsense", {"ticket": job.ticket})
        case "no phrase":
            line.say_fields("Reply", {"ticket": job.ticket, "raw": "la", "phrase": "la la"})
        case "nests":
            line.connection.send_bytes(b"\x92\xa5Reply" + b"\x91" * 100_000 + b"\xc0")
        case "a pickle":
            line.connection.send_bytes(pickle.dumps(empty))
        case "too long":
            line.say(rest(job, beats=job.request.beats + 1))
        case "grows":
            HELD.append(bytearray(os.urandom(1 << 20)) * 210)
            line.say(empty)
        case "fails":
            line.say(Reply(job.ticket, None, None, "no idea came"))
        case _:
            line.say(empty)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--control", type=int, required=True)
    fd = parser.parse_args().control
    line = Line(fd)
    jobs = []
    arrived = threading.Condition()

    def listen() -> None:
        while True:
            try:
                message = TO_WORKER.decode(line.connection.recv_bytes())
            except (EOFError, OSError):
                os._exit(0)
            if not isinstance(message, Cancel):
                with arrived:
                    jobs.append(message)
                    arrived.notify()

    # Reading the first job asks for all kinds; those who test short patience do not mean that.
    GENERATORS.kinds()
    TRANSFORMS.kinds()
    threading.Thread(target=listen, daemon=True).start()
    while True:
        with arrived:
            arrived.wait_for(lambda: jobs)
            message = jobs.pop(0)
        if isinstance(message, Load):
            line.say(Loaded(0.0))
        else:
            line.say(Started(message.ticket))
            do(message, line, fd)


if __name__ == "__main__":
    main()
