# pyright: strict
"""`notices` of an installation file: addresses of mail, and where secrets lie. No message holds what may be one."""

from __future__ import annotations

import re
from email.utils import parseaddr

from engine.installation.choices.notices import MailChoice, NoticeChoices
from engine.installation.reading.listening import read_secret, warn_of_an_absent
from engine.installation.reading.models import MailFile, NoticesFile
from engine.scenes.schema.validation import validate
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, good, problems
from engine.scenes.text.source import SourceFile, clipped

PORTS = {"starttls": 587, "tls": 465, "none": 25}
"""Ports of mail servers, by the encryption that they expect there."""

MOST_RECIPIENTS = 20

_SERVER = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::(\d{1,5}))?")


def read_notices(source: SourceFile, node: MapNode) -> NoticeChoices | Problem:
    """Who is told when something breaks.

    Args:
        source: the file.
        node: of the whole installation.
    """
    if "notices" not in node.entries:
        return NoticeChoices()
    key, value = node.entries["notices"]
    head = validate(NoticesFile, value, source, "`notices`", key.span)
    if isinstance(head, Problem) or not isinstance(value, MapNode):
        return head if isinstance(head, Problem) else source.error(key.span, "`notices` must be a mapping")
    secrets = {name: read_secret(source, *value.entries[name]) for name in ("webhook", "ping") if name in value.entries}
    mail = _read_mail(source, value) if "mail" in value.entries else None
    if wrong := problems([*secrets.values(), *([mail] if mail is not None else [])]):
        return wrong[0]
    for name, one in secrets.items():
        if not isinstance(one, Problem):
            warn_of_an_absent(source, value.key(name).span, one, "nobody is told by it")
    known = {name: one for name, one in secrets.items() if not isinstance(one, Problem)}
    found = mail if not isinstance(mail, Problem) else None
    return NoticeChoices(found, known.get("webhook"), known.get("ping"), head.every, head.weekly)


def _read_mail(source: SourceFile, node: MapNode) -> MailChoice | Problem:
    key, value = node.entries["mail"]
    head = validate(MailFile, value, source, "`mail`", key.span)
    if isinstance(head, Problem) or not isinstance(value, MapNode):
        return head if isinstance(head, Problem) else source.error(key.span, "`mail` must be a mapping")
    items: list[Node] = list(value.entries["to"][1].items) if isinstance(value.entries["to"][1], ListNode) else []
    recipients = [_read_address(source, one) for one in items or [value.entries["to"][1]]]
    if len(recipients) > MOST_RECIPIENTS:
        return source.error(value.key("to").span, f"more than {MOST_RECIPIENTS} addresses")
    sender = _read_address(source, value.entries["sender"][1])
    if wrong := problems([*recipients, sender]):
        return wrong[0]
    port = PORTS[head.encryption.value]
    server = read_server(source, value.entries["server"][1], head.server, port, "mail.example.org:587")
    if isinstance(server, Problem):
        return server
    password = read_secret(source, *value.entries["password"]) if "password" in value.entries else None
    if isinstance(password, Problem):
        return password
    if bool(head.user) != (password is not None):
        there, missing = ("user", "password") if head.user else ("password", "user")
        return source.error(value.key(there).span, f"there is a `{there}` and no `{missing}`", "both, or neither")
    if password is not None and head.encryption.value == "none":
        source.warning(value.key("password").span, "the password can be read on its way", "use `encryption: starttls`")
    if password is not None:
        warn_of_an_absent(source, value.key("password").span, password, "no mail leaves")
    return MailChoice(*server, good([sender])[0], tuple(good(recipients)), head.user, password, head.encryption)


def read_server(source: SourceFile, node: Node, text: str, port: int, example: str) -> tuple[str, int] | Problem:
    """Name and port of a server somewhere else.

    Args:
        source: the file.
        node: what says it.
        text: the same.
        port: where the file says none.
        example: of what is expected.
    """
    match = _SERVER.fullmatch(text.strip())
    if match is None:
        return source.error(node.span, f"`{clipped(text)}` is no server", f"a name and a port, like `{example}`")
    port = int(match[2] or port)
    if not 1 <= port <= 65535:
        return source.error(node.span, f"the port {port} is out of range: 1 to 65535")
    return match[1], port


def _read_address(source: SourceFile, node: Node) -> str | Problem:
    text = node.text.strip() if isinstance(node, ScalarNode) else ""
    name, at, host = parseaddr(text)[1].rpartition("@")
    if not (name and at and host) or parseaddr(text)[1] != text or not text.isascii() or not text.isprintable():
        return source.error(node.span, "this is no address of mail", "one like `technician@example.org`")
    return text
