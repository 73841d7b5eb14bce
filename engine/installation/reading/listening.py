# pyright: strict
"""Addresses and secrets of an installation file. Nothing that may be a secret comes into a message."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Container, Sequence

from engine.errors import PerpetuumError
from engine.installation.choices.access import SHORTEST_PASSWORD, Address, Listening
from engine.installation.choices.secret import Secret
from engine.installation.reading.models import ListenFile, SecretFile
from engine.scenes.schema.validation import validate
from engine.scenes.text.diagnostics import nearest
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, Severity, Span, good, problems
from engine.scenes.text.source import SECRET, SourceFile, clipped

MOST_ADDRESSES = 8

_ADDRESS = "an address and a port, like `127.0.0.1:8470`, `[::1]:8470` or `0.0.0.0:8470`"
_WHERE = "`{env: NAME}`, a variable of the environment, or `{file: PATH}`"
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_ALIKE = ("token", "secret", "password", "listen", "notices", "webhook")
_HIDDEN = ("listen", "notices")
"""Keys under which somebody may write a secret by mistake."""
_WRITTEN = re.compile(r"(\[[^\]]*\]|[^:\s]*):(\d{1,5})")


def hide_secrets(source: SourceFile, node: Node, known: Container[str]) -> None:
    """Let no message quote a line on which the value of a secret may stand.

    Args:
        source: the file.
        node: what is looked into, with all that is in it.
        known: keys that are right somewhere; others may be misspelt.
    """
    if isinstance(node, ListNode):
        for item in node.items:
            hide_secrets(source, item, known)
    if isinstance(node, MapNode):
        for name, (_, value) in node.entries.items():
            if SECRET.search(name) or name in _HIDDEN or (name not in known and nearest(name, _ALIKE)):
                source.hidden += [one.span for one in _scalars(value) if not _is_place(value, one)]
            else:
                hide_secrets(source, value, known)


def read_listening(source: SourceFile, node: MapNode) -> Listening | Problem:
    """Who may ask and command.

    Args:
        source: the file.
        node: of the whole installation.
    """
    if "listen" not in node.entries:
        return Listening()
    key, value = node.entries["listen"]
    head = validate(ListenFile, value, source, "`listen`", key.span)
    if isinstance(head, Problem) or not isinstance(value, MapNode):
        return head if isinstance(head, Problem) else source.error(key.span, "`listen` must be a mapping")
    addresses = read_addresses(source, value, "control", Listening().control)
    health = read_addresses(source, value, "health", Listening().health)
    token = read_secret(source, *value.entries["token"]) if "token" in value.entries else None
    staff = read_secret(source, *value.entries["staff_password"]) if "staff_password" in value.entries else None
    if isinstance(addresses, Problem):
        return addresses
    if isinstance(health, Problem):
        return health
    if isinstance(token, Problem):
        return token
    if isinstance(staff, Problem):
        return staff
    if both := [one for one in health if one in addresses]:
        return source.error(value.key("health").span, f"{both[0]} stands under `control`, too", "a port of its own")
    open_one = next((one for one in addresses if not one.loopback), None)
    if open_one is not None and token is None:
        return source.error(
            value.key("control").span,
            f"{open_one} can be reached from other machines, and there is no `token`",
            f"a `token`: {_WHERE}",
            hint="or listen on 127.0.0.1 alone",
        )
    if token is not None:
        warn_of_an_absent(source, value.key("token").span, token, "nothing listens beyond this machine")
    if staff is not None:
        _look_at_password(source, value.key("staff_password").span, staff)
    return Listening(addresses, token, health, staff)


def _look_at_password(source: SourceFile, span: Span, staff: Secret) -> None:
    try:
        if len(staff.reveal()) >= SHORTEST_PASSWORD:
            return
    except PerpetuumError:
        warn_of_an_absent(source, span, staff, "it opens nothing")
    else:
        what = f"the password of staff in {staff} is shorter than {SHORTEST_PASSWORD} characters, and opens nothing"
        source.note(Problem(Severity.WARNING, span, what, hint="a longer one: it could be found by trying"))


def read_addresses(
    source: SourceFile, node: MapNode, name: str, without: tuple[Address, ...]
) -> tuple[Address, ...] | Problem:
    """Addresses of a key, one or a list; `without` where it is not there."""
    if name not in node.entries:
        return without
    key, value = node.entries[name]
    items: Sequence[Node] = value.items if isinstance(value, ListNode) else [value]
    if len(items) > MOST_ADDRESSES:
        return source.error(key.span, f"more than {MOST_ADDRESSES} addresses")
    read = [_read_address(source, item, key.span) for item in items]
    if wrong := problems(read):
        return wrong[0]
    found = good(read)
    for number, one in enumerate(found):
        if one in found[:number]:
            return source.error(items[number].span, f"{one} stands here twice", hint="delete one of them")
    return tuple(found)


def _read_address(source: SourceFile, node: Node, at: Span) -> Address | Problem:
    span = node.span if node.span.end > node.span.start else at
    match = _WRITTEN.fullmatch(node.text.strip()) if isinstance(node, ScalarNode) else None
    if not match:
        return source.error(span, "this is no address", _ADDRESS)
    host, port = match[1].strip("[]"), int(match[2])
    if not 1 <= port <= 65535:
        return source.error(span, f"the port {port} is out of range: 1 to 65535")
    if host == "localhost":
        host = "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return source.error(span, f"`{clipped(host)}` is no numeric address", _ADDRESS)
    if (":" in host) != match[1].startswith("["):
        return source.error(span, "an IPv6 address stands in brackets, and no other does", _ADDRESS)
    return Address(str(address), port, address.is_loopback)


def read_secret(source: SourceFile, key: ScalarNode, node: Node) -> Secret | Problem:
    """Where a secret lies, of a key and what stands behind it."""
    if not isinstance(node, MapNode):
        message = f"`{key.text}` must say where the secret lies, not what it is"
        return source.error(key.span, message, _WHERE, hint="take the secret out of this file: others may read it")
    places = {name: value.plain() for name, _, value in node.meant()}
    # Not as a model: its errors would say what stands there.
    if len(places) != 1 or not places.keys() <= SecretFile.model_fields.keys():
        return source.error(key.span, f"`{key.text}` must say one place", _WHERE)
    name, value = next(iter(places.items()))
    if not isinstance(value, str) or not value or "\0" in value:
        wanted = "the name of a variable" if name == "env" else "the path of a file"
        return source.error(node.key(name).span, f"`{name}` will not do", wanted)
    if name == "file":
        return Secret(file=str(source.folder.absolute() / value))
    if not _VARIABLE.fullmatch(value):
        expected = "capital letters, digits and `_`, like `PERPETUUM_TOKEN`"
        return source.error(node.key(name).span, "`env` is not the name of a variable", expected)
    return Secret(env=value)


def warn_of_an_absent(source: SourceFile, span: Span, secret: Secret, without: str) -> None:
    """Warn where a secret is not there now.

    Args:
        source: the file.
        span: of the key.
        secret: where it should be.
        without: what is so without it.
    """
    try:
        secret.reveal()
    except PerpetuumError as error:
        what = f"{error.message}; without it {without}"
        source.note(Problem(Severity.WARNING, span, what, hint=error.hint or ""))


def _scalars(node: Node) -> list[ScalarNode]:
    if isinstance(node, ScalarNode):
        return [node]
    inside = node.items if isinstance(node, ListNode) else [value for _, value in node.entries.values()]
    return [one for item in inside for one in _scalars(item)]


def _is_place(node: Node, scalar: ScalarNode) -> bool:
    """Whether a value says where a secret lies, or is an address, rather than perhaps being a secret."""
    if _WRITTEN.fullmatch(scalar.text.strip()):
        return True
    if not isinstance(node, MapNode):
        return False
    for name, (_, value) in node.entries.items():
        if value is scalar:
            return name == "file" or (name == "env" and _VARIABLE.fullmatch(scalar.text) is not None)
        if isinstance(value, MapNode) and _is_place(value, scalar):
            return True
    return False
