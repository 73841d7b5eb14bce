"""`perpetuum doctor`: whether this machine can be trusted with an installation, and what to do where it cannot."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.listing import as_text_or_json

if TYPE_CHECKING:
    from engine.health.doctor.diagnosis import Diagnosis
    from engine.installation.choices.secret import Secret
    from engine.installation.installation import Installation

BROKER_PATIENCE = 6.0
"""Seconds that a broker may take to answer."""

MOST_ERRORS = 5
"""Errors of files that are told; `check` tells all."""

SIGNS = {"good": "ok", "doubtful": "!", "bad": "BAD", "unknown": "?"}

EXAMPLES = """
\b
Examples:
  perpetuum doctor gallery              this machine, and what gallery asks of it
  perpetuum doctor --format json        the machine alone, for other programs
"""


@click.command(epilog=EXAMPLES)
@click.argument("installation", required=False)
@as_text_or_json
@click.pass_context
def command(context: click.Context, installation: str | None, form: str) -> None:
    """Look at the machine, and at what INSTALLATION asks of it: sound, time, disk, heat, limits, files, ports.

    The exit code is 1 where something would keep it from sounding as it should.
    """
    from engine.health.doctor import machine
    from engine.health.doctor.diagnosis import Grade

    found = diagnoses(installation)
    if form == "json":
        click.echo(as_json(found))
    else:
        _show(found)
    if machine.worst(found) is Grade.BAD:
        context.exit(1)


def diagnoses(installation: str | None) -> list[Diagnosis]:
    """All that the doctor finds.

    Args:
        installation: a name or a file; None: the machine alone.

    Raises:
        PerpetuumError: there is no such file.
    """
    from engine.health.doctor import machine, sound

    found: list[Diagnosis] = []
    read = _read(installation, found) if installation is not None else None
    output = read.sound.output if read is not None else None
    kind, argument = (output.kind, output.argument) if output is not None else ("auto", None)
    found.append(sound.device(kind, argument))
    found += sound.mixer(kind, argument)
    found.append(sound.library())
    found.append(machine.clock())
    found += machine.board()
    found.append(machine.memory())
    found += machine.limits()
    if read is not None:
        found += machine.state_folder(read.state)
        found += _ports(read)
        found += _secrets(read)
        found += _broker(read)
    return found


def as_json(found: list[Diagnosis]) -> str:
    """What it finds, for other programs."""
    return json.dumps([asdict(one) for one in found], indent=2)


def _read(name: str, found: list[Diagnosis]) -> Installation | None:
    """The installation, and what is wrong with its files: scenes, samples and weights are looked into."""
    from engine import assets
    from engine.health.doctor.diagnosis import Diagnosis, Grade
    from engine.installation.loading import read_installation
    from engine.scenes.text.problems import Severity

    path = assets.installation(name)
    read, diagnostics = read_installation(path)
    wrong = [one for one in diagnostics if one.severity is Severity.ERROR] or diagnostics
    remedy = f"perpetuum check {name}"
    if read is None:
        # Also what is wrong with its scenes: of them the file itself says only that they are not valid.
        told = [one.text() for one in wrong[:MOST_ERRORS]] or [f"{path} is not valid"]
        found += [Diagnosis("files", Grade.BAD, text, remedy) for text in told]
    elif diagnostics:
        more = f", and {len(diagnostics) - 1} more" if len(diagnostics) > 1 else ""
        found.append(Diagnosis("files", Grade.DOUBTFUL, f"{wrong[0].text()}{more}", remedy))
    else:
        found.append(
            Diagnosis("files", Grade.GOOD, "the installation, its scenes, samples and weights are as they should be")
        )
    return read


def _ports(read: Installation) -> list[Diagnosis]:
    """Whether what it listens on is free, or held by the installation itself."""
    from engine.errors import PerpetuumError
    from engine.health.doctor.diagnosis import Diagnosis, Grade
    from engine.installation.keeper.hands.control import ask

    running = False
    with suppress(PerpetuumError):
        running = bool(ask(read.state, "status"))
    found: list[Diagnosis] = []
    for address in (*read.listening.control, *read.listening.health):
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        try:
            socket.create_server((address.host, address.port), family=family).close()
        except OSError as error:
            grade = Grade.UNKNOWN if running else Grade.BAD
            text = f"{address} cannot be listened on now: {error.strerror}"
            remedy = "if the installation runs, that is why" if running else "choose another port under `listen`"
            found.append(Diagnosis("ports", grade, text, remedy))
        else:
            found.append(Diagnosis("ports", Grade.GOOD, f"{address} is free"))
    return found


def _secrets(read: Installation) -> list[Diagnosis]:
    """Whether its secrets are there, and nobody else may read them."""
    from engine.errors import PerpetuumError
    from engine.health.doctor.diagnosis import Diagnosis, Grade

    found: list[Diagnosis] = []
    for secret in _secrets_of(read):
        try:
            secret.reveal()
        except PerpetuumError as error:
            found.append(Diagnosis("secrets", Grade.BAD, error.message, error.hint or ""))
            continue
        if secret.file and Path(secret.file).stat().st_mode & 0o044:
            text, remedy = f"everybody on this machine may read {secret.file}", f"chmod 600 {secret.file}"
            found.append(Diagnosis("secrets", Grade.DOUBTFUL, text, remedy))
        else:
            found.append(Diagnosis("secrets", Grade.GOOD, f"the one in {secret} is there"))
    return found


def _secrets_of(read: Installation) -> list[Secret]:
    mail = read.notices.mail
    named = (
        read.listening.token,
        read.listening.staff_password,
        mail.password if mail is not None else None,
        read.notices.webhook,
        read.notices.ping,
        read.steering.password if read.steering is not None else None,
        read.pool.token if read.pool is not None else None,
    )
    return list(dict.fromkeys(one for one in named if one is not None))


def _broker(read: Installation) -> list[Diagnosis]:
    """Whether the broker by which it is steered can be reached, and lets it in; as nobody's twin."""
    from engine.errors import PerpetuumError
    from engine.fleet.broker import BrokerAddress
    from engine.fleet.desk import FleetDesk
    from engine.health.doctor.diagnosis import Diagnosis, Grade

    choice = read.steering
    if choice is None:
        return []
    password = choice.password.reveal if choice.password is not None else None
    address = BrokerAddress(choice.host, choice.port, "", choice.user, password, choice.tls, choice.ca)
    try:
        with FleetDesk(address, choice.prefix, BROKER_PATIENCE):
            return [Diagnosis("mqtt", Grade.GOOD, f"{address} lets {choice.user or 'anybody'} in")]
    except PerpetuumError as error:
        return [Diagnosis("mqtt", Grade.BAD, error.message, broker_remedy(error.message))]


def broker_remedy(why: str) -> str:
    """What to do about a broker that cannot be reached, or refuses."""
    said = why.casefold()
    if "not yet valid" in said or "expired" in said:
        return "set the clock: certificates hold for a time (`timedatectl`); if it is right, the broker needs a new one"
    if "certificate" in said:
        return "`ca` of `mqtt` must name the certificate of who signed the broker's, and `host` the name that is in it"
    if "authorized" in said or "user name" in said:
        return "`user` and `password` of `mqtt` must be those that the broker knows"
    if "the secret in" in said:
        return "see above"
    return "is it on, and does `host` and `port` of `mqtt` name it? The music plays without it"


def _show(found: list[Diagnosis]) -> None:
    width = max(len(one.subject) for one in found)
    for one in found:
        sign = SIGNS[one.grade.value]
        click.echo(f"{sign:>4}  {one.subject:<{width}}  {one.text}")
        if one.remedy:
            click.echo(f"{'':>4}  {'':<{width}}    -> {one.remedy}")
