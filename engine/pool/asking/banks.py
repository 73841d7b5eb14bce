# pyright: strict
"""Banks of notes that other machines make: asked for before this one makes them, and looked into before they play."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.assets import FOLDER_FILE
from engine.errors import PerpetuumError
from engine.new_folder import NewFolder
from engine.pool.wire.requests import WireError
from engine.runtime.timbres.messages import BankFailed, BankMade, BankOrder
from engine.scenes.instruments.files import Instruments
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.parsing import parse
from engine.scenes.text.problems import Severity
from engine.scenes.text.source import SourceFile, UnreadableError
from engine.timbres.bank_cache import BankCache

if TYPE_CHECKING:
    from engine.pool.asking.rung import PoolRung

_KIND = "sampler"


class PoolBanks:
    """Has banks made by a pool; a `runtime.timbres.timbres.BankSource`.

    Args:
        rung: whose hosts are asked.
    """

    def __init__(self, rung: PoolRung) -> None:
        self._rung = rung
        self._found: queue.SimpleQueue[BankMade | BankFailed] = queue.SimpleQueue()
        self._asked: Future[None] | None = None

    def takes(self, order: BankOrder) -> bool:
        """Whether any host has been heard of."""
        return self._rung.heard_of

    def submit(self, order: BankOrder) -> None:
        """Have one made; the one before is not waited for any more."""
        self.cancel()
        self._asked = asyncio.run_coroutine_threadsafe(self._ask(order), self._rung.loop)

    def poll(self) -> list[BankMade | BankFailed]:
        """What has come of it. Never waits."""
        found: list[BankMade | BankFailed] = []
        with suppress(queue.Empty):
            while True:
                found.append(self._found.get_nowait())
        return found

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None

    async def _ask(self, order: BankOrder) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            asker = self._rung.asker
            if asker is None:
                raise PerpetuumError("the pool is asked no more")
            instrument = await asker.bank(order)
        except Exception as error:  # this machine makes it, whatever it is
            self._found.put(BankFailed(order.digest, str(error) or repr(error)))
        else:
            self._found.put(BankMade(order.digest, str(instrument), loop.time() - began))


def keep_bank(files: Mapping[str, bytes], order: BankOrder) -> Path:
    """Keep a bank that came from another machine; gives its instrument file.

    Args:
        files: by name, as `wire.timbres.read_bank` gives them.
        order: what was asked for, and the cache.

    Raises:
        WireError: it is no instrument that could be played, or names what lies elsewhere.
        PerpetuumError: it cannot be kept.
    """

    def write(target: Path) -> None:
        with NewFolder(target, FOLDER_FILE) as new:
            for name, data in files.items():
                new.write(name, data)
            _require_instrument(new.growing)

    return BankCache(Path(order.folder)).keep(order.digest, write)


def _require_instrument(folder: Path) -> None:
    path = folder / FOLDER_FILE
    try:
        node = parse(SourceFile.read(path, named=True))
    except (UnreadableError, PerpetuumError) as error:
        raise WireError(f"its instrument cannot be read: {error}"[:300]) from error
    kind = node.get("kind") if isinstance(node, MapNode) else None
    if not isinstance(kind, ScalarNode) or kind.text != _KIND:
        raise WireError(f"its instrument is no `{_KIND}`")
    there = {one.name for one in folder.iterdir()}
    # Before anything is opened that it names.
    if elsewhere := [name for name in _named(node) if name not in there]:
        raise WireError(f"its instrument names {elsewhere[0][:60]!r}, which is not of the bank")
    try:
        found = [one for one in Instruments().look_into(path) if one.severity is Severity.ERROR]
    except PerpetuumError as error:
        raise WireError(f"its instrument cannot be read: {error.message}"[:300]) from error
    if found:
        raise WireError(f"its instrument is wrong: {found[0].message}"[:300])


def _named(node: Node) -> list[str]:
    """Files that an instrument names."""
    if isinstance(node, ListNode):
        return [name for item in node.items for name in _named(item)]
    names: list[str] = []
    if isinstance(node, MapNode):
        for key, (_, value) in node.entries.items():
            if key == "file":
                names.append(value.text.strip() if isinstance(value, ScalarNode) else "")
            else:
                names += _named(value)
    return names
