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
from pathlib import Path

from engine.errors import PerpetuumError
from engine.files import read_bytes
from engine.installation.choices.secret import LONGEST, Secret
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.source import SECRET

_ENV = re.compile(r"\benv[\"']?\s*:\s*[\"']?([A-Za-z_]\w*)")
_FILE = re.compile(r"\{\s*[\"']?file[\"']?\s*:\s*[\"']?([^\s\"',}]+)")


def named_secrets(text: str, node: Node | None) -> set[Secret]:
    """Where secrets lie, of an installation file.

    Args:
        text: of the file.
        node: what stands in it; None where it cannot be read, and the text is searched.
    """
    if node is None:
        return {Secret(env=name) for name in _ENV.findall(text)} | {Secret(file=path) for path in _FILE.findall(text)}
    return set(_of(node))


def _of(node: Node) -> Iterator[Secret]:
    if isinstance(node, ListNode):
        for item in node.items:
            yield from _of(item)
    if not isinstance(node, MapNode):
        return
    for kind in ("env", "file"):
        value = node.get(kind)
        if len(node.entries) == 1 and isinstance(value, ScalarNode) and value.text and "\0" not in value.text:
            yield Secret(**{kind: value.text})
    for name, (_, value) in node.entries.items():
        if name != "scenes":
            yield from _of(value)


def values_of(secrets: set[Secret], pid: int | None) -> set[str]:
    """What they are: in our environment, in that of the process that runs, in files.

    Args:
        secrets: where they lie.
        pid: of the process that runs the installation; None where none does.
    """
    found: set[str] = set()
    environment = {name: value for name, value in os.environ.items() if SECRET.search(name)}
    running = _environment(pid) if pid is not None else {}
    environment |= {name: value for name, value in running.items() if SECRET.search(name)}
    found.update(environment.values())
    for one in secrets:
        if one.env:
            found |= {os.environ.get(one.env, ""), running.get(one.env, "")}
        else:
            with suppress(PerpetuumError):
                found.add(one.reveal())
            with suppress(OSError, ValueError):  # what is no secret as it should be is masked line by line
                found.update(read_bytes(one.file, LONGEST).decode("utf-8", "replace").split())
    return found


def _environment(pid: int) -> dict[str, str]:
    try:
        data = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return {}
    pairs = (one.partition("=") for one in data.decode("utf-8", "replace").split("\0"))
    return {name: value for name, equals, value in pairs if equals}
