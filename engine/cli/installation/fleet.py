"""`perpetuum fleet`: players that are watched and steered from afar, by an MQTT broker."""

from __future__ import annotations

import getpass
import json
import re
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.errors import PerpetuumError

if TYPE_CHECKING:
    from engine.fleet.desk import Asked, FleetDesk, KnownPlayer

OLD = 60.0
"""Seconds after which what a player said of itself counts no more: it says so every ten."""

UNREACHABLE, NO_ANSWER = 2, 3

EXAMPLES = """
\b
The broker, and who you are, by options or by the environment:
  export PERPETUUM_FLEET_BROKER=broker.example.org:8883
  export PERPETUUM_FLEET_USER=technician
  export PERPETUUM_FLEET_PASSWORD_FILE=~/.config/perpetuum/password
\b
Examples:
  perpetuum fleet status                          all players, in words
  perpetuum fleet command foyer mute              silence, until unmute
  perpetuum fleet command foyer,tower volume -6   softer by 6 dB, until the next opening
  perpetuum fleet push foyer sunset.yaml          a scene of its programme, by the file's name
  perpetuum fleet push foyer foyer.yaml           its installation file
"""


@dataclass(frozen=True)
class _Desk:
    """Options that all verbs share."""

    broker: str
    user: str
    password_file: Path | None
    ca: Path | None
    tls: bool
    prefix: str

    def open(self, timeout: float) -> FleetDesk:
        """A connection to the broker; not made yet."""
        from engine.fleet.broker import BrokerAddress
        from engine.fleet.desk import FleetDesk
        from engine.installation.choices.secret import Secret

        match = re.fullmatch(r"([^:\s]+)(?::(\d{1,5}))?", self.broker)
        port = int(match[2] or (8883 if self.tls else 1883)) if match else 0
        if match is None or not 1 <= port <= 65535:
            raise PerpetuumError(f"{self.broker!r} is no broker", "a name and a port, like broker.example.org:8883")
        secret = Secret(file=str(self.password_file)) if self.password_file else Secret(env=_PASSWORD)
        password = secret.reveal() if self.user else ""
        ca = str(self.ca) if self.ca is not None else ""
        address = BrokerAddress(match[1], port, "", self.user, lambda: password, self.tls, ca)
        return FleetDesk(address, self.prefix, timeout)


_PASSWORD = "PERPETUUM_FLEET_PASSWORD"

_TIMEOUT = click.option(
    "--timeout", type=click.FloatRange(0.1, 3600), default=10.0, show_default=True, help="Seconds that are waited."
)
_FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How it is said."
)
_KEEP = click.option(
    "--keep",
    type=click.FloatRange(0, 720),
    default=0.0,
    help="Hours for which the broker keeps it for a player that is away; without, nothing is done after the time-out.",
)


@click.group(epilog=EXAMPLES)
@click.option("--broker", envvar="PERPETUUM_FLEET_BROKER", required=True, help="Name and port of the broker.")
@click.option("--user", envvar="PERPETUUM_FLEET_USER", default="", help="Whom to log in as.")
@click.option(
    "--password-file",
    envvar="PERPETUUM_FLEET_PASSWORD_FILE",
    type=click.Path(path_type=Path),
    help=f"File with the password; without, ${_PASSWORD} is it.",
)
@click.option(
    "--ca",
    envvar="PERPETUUM_FLEET_CA",
    type=click.Path(path_type=Path),
    help="Certificates that the broker's must be signed by.",
)
@click.option("--tls/--no-tls", default=True, help="Whether all is encrypted.")
@click.option("--prefix", envvar="PERPETUUM_FLEET_PREFIX", default="perpetuum", help="What all topics begin with.")
@click.pass_context
def command(
    context: click.Context, broker: str, user: str, password_file: Path | None, ca: Path | None, tls: bool, prefix: str
) -> None:
    """Watch and steer players from afar, by the MQTT broker that their installation files name.

    Exit codes: 0 all is well, or done; 1 something is not, or was refused; 2 the broker does not answer; 3 a player
    does not.
    """
    context.obj = _Desk(broker, user, password_file, ca, tls, prefix)


@command.command()
@click.argument("players", default="")
@_TIMEOUT
@_FORMAT
@click.pass_context
def status(context: click.Context, players: str, timeout: float, form: str) -> None:
    """Say how all PLAYERS are, or those named, with commas between them."""
    with context.obj.open(timeout) as desk:
        found: list[KnownPlayer] = desk.players()
    wanted = _names(players) if players else [one.name for one in found]
    known = {one.name: one for one in found}
    missing = [name for name in wanted if name not in known]
    shown = [known[name] for name in wanted if name in known]
    now = time.time()
    if form == "json":
        click.echo(json.dumps([_as_json(one, now) for one in shown], indent=2))
    else:
        _say(_table(shown, now))
    for name in missing:
        click.echo(f"{name}: the broker knows no player of this name", err=True)
    if missing or not shown or not all(one.well and not _is_old(one, now) for one in shown):
        context.exit(1)


@command.command(name="command", context_settings={"ignore_unknown_options": True})
@click.argument("players")
@click.argument("ask")
@click.argument("value", default="")
@_TIMEOUT
@_KEEP
@_FORMAT
@click.pass_context
def command_(
    context: click.Context, players: str, ask: str, value: str, timeout: float, keep: float, form: str
) -> None:
    """Ask something of PLAYERS: mute, unmute, quiet, normal, louder, softer, volume -6, section NAME, scene NAME,
    reload, alarm, release."""
    with context.obj.open(timeout) as desk:
        found = desk.ask(_names(players), f"{ask} {value}".strip(), by=_me(), keep=keep * 3600)
    _finish(context, found, form)


@command.command()
@click.argument("players")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--scene", "name", help="Name by which the programme calls the scene; without, that of the file.")
@click.option(
    "--timeout", type=click.FloatRange(0.1, 3600), default=120.0, show_default=True, help="Seconds that are waited."
)
@_KEEP
@_FORMAT
@click.pass_context
def push(
    context: click.Context, players: str, file: Path, name: str | None, timeout: float, keep: float, form: str
) -> None:
    """Send a scene FILE, or an installation file, to PLAYERS. Each checks it itself; a bad one changes nothing."""
    from engine.files import read_bytes, reason
    from engine.fleet.messages import LARGEST_FILE, Push, PushedFile

    try:
        data = read_bytes(file, LARGEST_FILE)
    except (OSError, ValueError) as error:
        raise PerpetuumError(f"cannot read {file}: {reason(error)}", "give the path of a YAML file") from None
    if len(data) > LARGEST_FILE:
        raise PerpetuumError(f"{file} is larger than {LARGEST_FILE // 1024} KiB", "no player takes more")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise PerpetuumError(f"{file} is not UTF-8: byte {error.start} is none", "save it as UTF-8") from None
    is_installation = name is None and re.search(r"^scenes\s*:", text, re.MULTILINE) is not None
    kind = Push.INSTALLATION if is_installation else Push.SCENE
    pushed = PushedFile(kind, text, "" if is_installation else name or file.stem)
    with context.obj.open(timeout) as desk:
        found = desk.ask(_names(players), push=pushed, by=_me(), keep=keep * 3600)
    _finish(context, found, form)


def _names(players: str) -> list[str]:
    """Names with commas between them, each once.

    Raises:
        PerpetuumError: one of them can be no player's.
    """
    found = list(dict.fromkeys(one.strip() for one in players.split(",") if one.strip()))
    for name in found:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", name):
            raise PerpetuumError(f"{name!r} can be no player's name", "letters, digits, - and _")
    if not found:
        raise PerpetuumError("no player is named", "give a name, or several with commas between them")
    return found


def _me() -> str:
    """Who asks, for the journal of a player; nothing is believed of it."""
    try:
        me = f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError):
        return ""
    return re.sub(r"[^A-Za-z0-9_.@-]", "_", me)[:40]


def _finish(context: click.Context, found: list[Asked], form: str) -> None:
    """Say what came of it, and end with the worst of it."""
    from engine.fleet.messages import Outcome

    if form == "json":
        click.echo(json.dumps([_asked_as_json(one) for one in found], indent=2))
    else:
        for one in found:
            _say(asked_lines(one))
    if any(one.answer is None and not one.forbidden for one in found):
        context.exit(NO_ANSWER)
    if any(one.answer is None or one.answer.outcome is not Outcome.DONE for one in found):
        context.exit(1)


def _say(lines: list[str]) -> None:
    """Print what others have said, who may have put control characters of terminals into it."""
    from engine.scenes.text.diagnostics import printable

    for line in lines:
        click.echo(printable(line))


def asked_lines(one: Asked) -> list[str]:
    """What came of asking a player, with what is wrong with a file that was pushed."""
    if one.answer is None:
        return [f"{one.name}: {'refused' if one.forbidden else 'NO ANSWER'}: {one.text}"]
    lines = [f"{one.name}: {one.answer.outcome}: {one.answer.text}", *(found.text for found in one.answer.found)]
    lines += [f"... and {one.answer.more} more"] if one.answer.more else []
    return [part for line in lines for part in line.splitlines()]


def _asked_as_json(one: Asked) -> dict[str, object]:
    import msgspec

    answer = msgspec.to_builtins(one.answer) if one.answer is not None else None
    return {"name": one.name, "answer": answer, "text": one.text, "forbidden": one.forbidden}


def _as_json(one: KnownPlayer, now: float) -> dict[str, object]:
    import msgspec

    state = msgspec.to_builtins(one.state) if one.state is not None else None
    return {
        "name": one.name,
        "online": one.online,
        "well": one.well and not _is_old(one, now),
        "words": _words(one, now),
        "state": state,
    }


def _is_old(one: KnownPlayer, now: float) -> bool:
    """Whether a player that is there has said nothing for long; its clock may be wrong by so much."""
    return one.online and one.state is not None and abs(now - one.state.at) > OLD


def _words(one: KnownPlayer, now: float) -> list[str]:
    """What is to be said of a player, the worst first."""
    state, words = one.state, list[str]()
    if one.problem:
        words.append(f"it says what cannot be read here: {one.problem}")
    if not one.online:
        why = one.presence.why if one.presence is not None and one.presence.why else "the broker has lost it"
        words.append(f"OFFLINE: {why}; it may well play")
    if state is None:
        return [*words, "it has never said how it is"]
    if not one.online:
        return [*words, f"{_ago(now - state.at)} ago: {state.sentence}"]
    if _is_old(one, now):
        words.append(f"said {_ago(now - state.at)} ago, by its own clock")
    words += state.wrong or [state.sentence]
    hands = [name for name, so in (("muted", state.muted), ("quiet mode", state.quiet)) if so]
    hands += [f"{state.volume:g} dB by hand"] if state.volume else []
    return [*words, ", ".join(hands)] if hands else words


def _table(players: list[KnownPlayer], now: float) -> list[str]:
    """A line for each player, and under it what is wrong."""
    rows = [("", "player", "version", "scene, section", "rung", "last sound", "board")]
    for one in players:
        state = one.state
        mark = "ok" if one.well and not _is_old(one, now) else "BAD" if one.online else "OFF"
        if state is None:
            rows.append((mark, one.name, "", "", "", "", ""))
            continue
        scene = ", ".join(part for part in (state.scene, state.section) if part) or "silent"
        last = f"{_ago(max(0.0, state.at - state.last_sound))} ago" if state.last_sound is not None else "none yet"
        warm = f"{state.temperature:.0f} C" if state.temperature is not None else ""
        rows.append((mark, one.name, state.engine, scene, state.rung or "all", last, warm))
    if len(rows) == 1:
        return ["the broker knows no players yet"]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    found = [lines[0]]
    for line, one in zip(lines[1:], players, strict=True):
        found += [line, *(f"     {words}" for words in _words(one, now))]
    return found


def _ago(seconds: float) -> str:
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
