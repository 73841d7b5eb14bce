# pyright: strict
"""`pool` of an installation file: other machines that make phrases. No message holds what may be a secret."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from engine.installation.choices.access import PoolChoice
from engine.installation.reading.listening import read_secret, warn_of_an_absent
from engine.installation.reading.models import PoolFile
from engine.scenes.schema.validation import validate
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, good, problems
from engine.scenes.text.source import SourceFile

MOST_HOSTS = 8

_URL = "an address like `http://10.0.0.5:8480` or `https://pool.example.org`"


def read_pool(source: SourceFile, node: MapNode) -> PoolChoice | Problem | None:
    """The machines that make phrases; None where there are none.

    Args:
        source: the file.
        node: of the whole installation.
    """
    if "pool" not in node.entries:
        return None
    key, value = node.entries["pool"]
    head = validate(PoolFile, value, source, "`pool`", key.span)
    if isinstance(head, Problem) or not isinstance(value, MapNode):
        return head if isinstance(head, Problem) else source.error(key.span, "`pool` must be a mapping")
    hosts = _read_hosts(source, value)
    token = read_secret(source, *value.entries["token"]) if "token" in value.entries else None
    if isinstance(hosts, Problem):
        return hosts
    if isinstance(token, Problem):
        return token
    if token is not None:
        warn_of_an_absent(source, value.key("token").span, token, "the networks of this machine play alone")
        if any(one.startswith("http:") and not _near(one) for one in hosts):
            hint = "use `https`, or a network of its own (a VPN)"
            source.warning(value.key("hosts").span, "the token can be read on its way", hint)
    return PoolChoice(hosts, token)


def _read_hosts(source: SourceFile, node: MapNode) -> tuple[str, ...] | Problem:
    key, value = node.entries["hosts"]
    items: Sequence[Node] = value.items if isinstance(value, ListNode) else [value]
    if not 1 <= len(items) <= MOST_HOSTS:
        return source.error(key.span, f"`hosts` has {len(items)} addresses", f"1 to {MOST_HOSTS} addresses")
    read: list[str | Problem] = []
    for item in items:
        text = item.text.strip() if isinstance(item, ScalarNode) else ""
        wrong = wrong_url(text)
        if "@" in text:
            source.hidden.append(item.span)
        span = item.span if item.span.end > item.span.start else key.span
        read.append(source.error(span, wrong, _URL) if wrong else text.rstrip("/"))
    if wrong := problems(read):
        return wrong[0]
    found = good(read)
    for number, one in enumerate(found):
        if one in found[:number]:
            return source.error(items[number].span, f"{one} stands here twice", hint="delete one of them")
    return tuple(found)


def wrong_url(text: str) -> str:
    """Why a text is no address of a pool; empty: it is one."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "this is no address"
    if parts.scheme not in ("http", "https") or not parts.hostname or not text.isprintable() or " " in text:
        return "this is no address of a pool"
    if not text.isascii():
        return "an address is plain ASCII; a name with other letters has a form that begins with `xn--`"
    if parts.username is not None or parts.password is not None:
        return "an address holds no name and password; the token stands in `token`"
    if parts.query or parts.fragment or port == 0:
        return "this is no address of a pool"
    return ""


def _near(url: str) -> bool:
    """Whether an address is of this machine."""
    return urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")
