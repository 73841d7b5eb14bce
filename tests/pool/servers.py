"""A pool's own HTTP server, with makers in threads in place of Ray's replicas; and a host that misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import uvicorn

from engine.pool.serving.app import PoolApp
from engine.pool.serving.making.banks import make_bank
from engine.pool.serving.making.makers import JobOutcome, MakersAwayError
from engine.pool.serving.making.phrases import PhraseMaker, Rehearsal
from engine.pool.serving.players import Players
from engine.pool.serving.run import served
from engine.pool.serving.store import WeightsStore


class ThreadMakers:
    """Makes phrases in a thread.

    Attributes:
        made: jobs that were done.
        away: why nobody is there; empty: somebody is.
    """

    def __init__(self) -> None:
        self.made = 0
        self.away = ""
        self._maker = PhraseMaker(1 << 30)
        self._rehearsal = Rehearsal(PhraseMaker(1 << 30))

    async def make(self, kind: str, job: bytes, paths: Mapping[str, str]) -> JobOutcome:
        if self.away:
            raise MakersAwayError(self.away)
        outcome = await asyncio.to_thread(self._maker.make, job, paths)
        self.made += 1
        return outcome

    async def make_bank(self, body: bytes, checkpoints: Sequence[str]) -> JobOutcome:
        if self.away:
            raise MakersAwayError(self.away)
        outcome = await asyncio.to_thread(make_bank, body, checkpoints)
        self.made += 1
        return outcome

    async def unwell(self) -> str:
        if not self.away:
            await asyncio.to_thread(self._rehearsal)
        return self.away


class PoolServer:
    """Serves an application on a port of its own until it is closed."""

    def __init__(
        self,
        folder: Path,
        tokens: Mapping[str, Callable[[], str]] | None = None,
        limit: int = 1 << 30,
        checkpoints: tuple[Path, ...] = (),
    ) -> None:
        self.makers = ThreadMakers()
        self.store = WeightsStore(folder, limit, 64 << 20)
        self.pool = PoolApp(self.makers, self.store, Players(tokens or {}), checkpoints=checkpoints)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        config = served(self.pool)
        config.timeout_graceful_shutdown = 1
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()

    def __enter__(self) -> PoolServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()


@contextlib.contextmanager
def misbehaving(answer: Callable[[bytes], bytes | None]) -> Iterator[str]:
    """A host that answers each request with the bytes that `answer` makes of its first line; None: never.

    Yields:
        its URL.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(one,), daemon=True).start()

    def talk(one: socket.socket) -> None:
        with contextlib.suppress(OSError):
            data = b""
            while b"\r\n\r\n" not in data:
                data += one.recv(65536)
            found = answer(data.partition(b"\r\n")[0])
            if found is None:
                held.append(one)
                return
            one.sendall(found)
            one.shutdown(socket.SHUT_WR)
            while one.recv(65536):
                pass
            one.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        for one in held:
            one.close()


def response(body: bytes, status: str = "200 OK") -> bytes:
    """An answer of HTTP."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nContent-Type: application/json\r\n\r\n"
    return head.encode() + body


def main() -> None:
    """Serve as a process until it is killed: `python -m tests.pool.servers PORT FOLDER [HOST]`."""
    import sys

    port, folder, host = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if sys.argv[3:] else "127.0.0.1"
    app = PoolApp(ThreadMakers(), WeightsStore(folder, 1 << 30, 64 << 20), Players({"foyer": lambda: "let-me-in"}))
    uvicorn.Server(served(app)).run([socket.create_server((host, port))])


if __name__ == "__main__":
    main()
