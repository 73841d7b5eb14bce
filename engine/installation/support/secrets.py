# pyright: strict
"""The secrets that an installation file names, as far as they can be read here: so that they can be masked.

It is looked for by shape, not by key, in a file that may be broken: what says `{env: NAME}`, or `{file: PATH}` outside
`scenes`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.errors import PerpetuumError
from engine.files import read_bytes
from engine.installation.choices.secret import LONGEST, Secret
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.source import SECRET

_ENV = re.compile(r"\benv[\"']?\s*:\s*[\"']?([A-Za-z_]\w*)")
_FILE = re.compile(r"\{\s*[\"']?file[\"']?\s*:\s*[\"']?(?!(?:true|false)\b)([^\s\"',}]+)")


@dataclass(frozen=True)
class KnownSecrets:
    """What there is to mask.

    Attributes:
        values: of all that could be read.
        unread: where the others lie, in words; they cannot be looked for.
    """

    values: set[str]
    unread: list[str]


def named_secrets(text: str, node: Node | None, folder: Path) -> set[Secret]:
    """Where secrets lie, of an installation file.

    Args:
        text: of the file.
        node: what stands in it; None where it cannot be read, and the text is searched.
        folder: that paths in the file are relative to: its own.
    """
    if node is None:
        found = {"env": _ENV.findall(text), "file": _FILE.findall(text)}
        return {_secret(kind, value, folder) for kind, values in found.items() for value in values}
    return set(_of(node, folder))


def _secret(kind: str, value: str, folder: Path) -> Secret:
    return Secret(env=value) if kind == "env" else Secret(file=str(folder.absolute() / value))


def _of(node: Node, folder: Path) -> Iterator[Secret]:
    if isinstance(node, ListNode):
        for item in node.items:
            yield from _of(item, folder)
    if not isinstance(node, MapNode):
        return
    for kind in ("env", "file"):
        value = node.get(kind)
        place = value.plain() if isinstance(value, ScalarNode) else None
        if len(node.entries) == 1 and isinstance(place, str) and place and "\0" not in place:  # not `log: {file: true}`
            yield _secret(kind, place, folder)
    for name, (_, value) in node.entries.items():
        if name != "scenes":
            yield from _of(value, folder)


def known_secrets(secrets: set[Secret], pid: int | None) -> KnownSecrets:
    """What they are: in our environment, in that of the process that runs, in files.

    Args:
        secrets: where they lie.
        pid: of the process that runs the installation; None where none does.
    """
    running = _environment(pid) if pid is not None else {}
    both = [*os.environ.items(), *running.items()]
    values = {value for name, value in both if SECRET.search(name)}
    unread: list[str] = []
    for one in sorted(secrets, key=str):
        found = {value for name, value in both if name == one.env} if one.env else _lines_of(one)
        values |= found
        if not any(map(str.strip, found)):
            unread.append(str(one))
    return KnownSecrets(values, unread)


def _lines_of(secret: Secret) -> set[str]:
    found: set[str] = set()
    with suppress(PerpetuumError):
        found.add(secret.reveal())
    with suppress(OSError, ValueError):  # what is no secret as it should be is masked word by word
        found.update(read_bytes(secret.file, LONGEST).decode("utf-8", "replace").split())
    return found


def _environment(pid: int) -> dict[str, str]:
    try:
        data = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return {}
    pairs = (one.partition("=") for one in data.decode("utf-8", "replace").split("\0"))
    return {name: value for name, equals, value in pairs if equals}
