# pyright: strict
"""`mqtt` of an installation file: by which broker it is reached from afar. No message holds what may be a secret."""

from __future__ import annotations

import re
import ssl
from typing import Any

from pydantic import Field

from engine.files import reason, stem_of
from engine.generators.contract import Settings
from engine.installation.choices.secret import Secret
from engine.installation.choices.steering import WITHOUT_HARM, SteeringChoice, SteeringRight
from engine.installation.reading.listening import read_secret, warn_of_an_absent
from engine.installation.reading.notices import read_server
from engine.scenes.schema.validation import validate
from engine.scenes.text.diagnostics import nearest
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, Severity, good, problems
from engine.scenes.text.source import SourceFile, clipped

PORT, TLS_PORT = 1883, 8883

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}"
"""Of players, and of each level of the prefix: nothing that means something in a topic."""

PREFIX_PATTERN = rf"{NAME_PATTERN}(/{NAME_PATTERN}){{0,4}}"

_RIGHTS = ", ".join(f"`{one}`" for one in SteeringRight)
_HERE = ("localhost", "127.0.0.1", "::1")


class MqttFile(Settings):
    """A broker by which the installation is watched and steered from afar; see docs/rig.md."""

    broker: str = Field(description="Its name and port.", examples=["broker.example.org:8883"])
    name: str = Field(
        default="",
        description="Name of this player, which no other has at this broker; without it, that of the file.",
        examples=["foyer"],
    )
    prefix: str = Field(
        default="perpetuum",
        pattern=f"^{PREFIX_PATTERN}$",
        description="What all topics begin with.",
        examples=["museum/sound"],
    )
    user: str = Field(default="", max_length=256, description="Whom to log in as; without it, the name of the player.")
    password: Any = Field(default=None, description="Where its password lies: `{env: NAME}` or `{file: PATH}`.")
    tls: bool = Field(
        default=True, description="Whether all is encrypted (port 8883), or can be read on the way (1883)."
    )
    ca: str = Field(
        default="",
        description="File of the certificates that the broker's must be signed by; without it, those of the system.",
        examples=["/etc/perpetuum/ca.crt"],
    )
    allow: Any = Field(
        default=list(WITHOUT_HARM),
        description=f"What may be asked this way: {_RIGHTS}. Who may push an installation file may name any output "
        "and microphone of this machine.",
    )


def read_steering(source: SourceFile, node: MapNode) -> SteeringChoice | Problem | None:
    """How it is steered from afar; None where it is not.

    Args:
        source: the file.
        node: of the whole installation.
    """
    if "mqtt" not in node.entries:
        return None
    key, value = node.entries["mqtt"]
    head = validate(MqttFile, value, source, "`mqtt`", key.span)
    if isinstance(head, Problem) or not isinstance(value, MapNode):
        return head if isinstance(head, Problem) else source.error(key.span, "`mqtt` must be a mapping")
    server = read_server(
        source, value.entries["broker"][1], head.broker, TLS_PORT if head.tls else PORT, "broker.example.org:8883"
    )
    name = _read_name(source, value, head)
    password = read_secret(source, *value.entries["password"]) if "password" in value.entries else None
    rights = _read_rights(source, value)
    ca = _read_ca(source, value, head)
    if isinstance(server, Problem):
        return server
    if isinstance(name, Problem):
        return name
    if isinstance(password, Problem):
        return password
    if isinstance(rights, Problem):
        return rights
    if isinstance(ca, Problem):
        return ca
    if head.user and password is None:
        return source.error(value.key("user").span, "there is a `user` and no `password`", "both, or neither")
    if password is not None:
        warn_of_an_absent(source, value.key("password").span, password, "nobody reaches it from afar")
    host, port = server
    _warn_of_the_open(source, value, head, host, password)
    user = (head.user or name) if password is not None else ""
    return SteeringChoice(host, port, name, head.prefix, user, password, head.tls, ca, rights)


def _read_name(source: SourceFile, node: MapNode, head: MqttFile) -> str | Problem:
    said = "name" in node.entries
    name = head.name if said else stem_of(source.path)
    if re.fullmatch(NAME_PATTERN, name):
        return name
    message = f"`{clipped(name)}` cannot be the name of a player" + ("" if said else ", and the file is called so")
    span = node.entries["name"][1].span if said else node.key("broker").span
    return source.error(span, message, "letters, digits, `-` and `_`, like `name: foyer`")


def _read_rights(source: SourceFile, node: MapNode) -> tuple[SteeringRight, ...] | Problem:
    if "allow" not in node.entries:
        return WITHOUT_HARM
    key, value = node.entries["allow"]
    items: list[Node] = list(value.items) if isinstance(value, ListNode) else [value]
    if len(items) > len(SteeringRight):
        return source.error(key.span, "some of these stand here twice", "each once")
    read = [_read_right(source, item) for item in items]
    return wrong[0] if (wrong := problems(read)) else tuple(dict.fromkeys(good(read)))


def _read_right(source: SourceFile, node: Node) -> SteeringRight | Problem:
    text = node.text if isinstance(node, ScalarNode) else ""
    try:
        return SteeringRight(text)
    except ValueError:
        what = (
            f"`{clipped(text)}` is nothing that could be allowed" if text else "this is nothing that could be allowed"
        )
        return source.error(node.span, what, f"one of {_RIGHTS}", nearest(text, list(SteeringRight)))


def _read_ca(source: SourceFile, node: MapNode, head: MqttFile) -> str | Problem:
    if not head.ca:
        return ""
    span = node.entries["ca"][1].span
    if not head.tls:
        return source.error(span, "`ca` is for `tls: true`", hint="delete one of the two")
    path = str(source.folder.absolute() / head.ca)
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as error:  # a machine that the file is written on may lack it
        what = f"the certificates of `ca` cannot be read: {reason(error)}; without them nobody reaches it from afar"
        source.note(Problem(Severity.WARNING, span, what, hint="give the path of a PEM file"))
    return path


def _warn_of_the_open(source: SourceFile, node: MapNode, head: MqttFile, host: str, password: Secret | None) -> None:
    if not head.tls and host not in _HERE:
        what = "whoever is on the way can read all of this, and command the installation"
        span = node.key("tls").span
        source.warning(span, what, "leave `tls: false` out")
    elif password is None and host not in _HERE:
        source.warning(node.key("broker").span, "nobody logs in, so that anybody may command", "add a `password`")
