"""`perpetuum bundle`: a support bundle of an installation."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from engine.cli.common import warn
from engine.cli.numbers import Number

EXAMPLES = """
\b
Examples:
  perpetuum bundle gallery                       a zip in this folder
  perpetuum bundle gallery --hours 72            three days of the journal
  perpetuum bundle gallery -o - | ssh host 'cat > gallery.zip'    nothing is written here
"""


@click.command(epilog=EXAMPLES)
@click.argument("installation")
@click.option("-o", "--output", help="A .zip file; `-` for standard output.")
@click.option("--hours", type=Number(0.1, 24 * 366), default=24.0, show_default=True, help="Of the journal.")
@click.option("--state", type=click.Path(path_type=Path), help="Its state folder, where the file does not say so.")
def command(installation: str, output: str | None, hours: float, state: Path | None) -> None:
    """Pack what a technician far away needs to see of INSTALLATION: files, logs, journal, metrics, findings.

    It works while the installation runs, is stopped, or is broken. Secrets are masked.
    """
    from engine import assets
    from engine.cli.installation.doctor import as_json, diagnoses
    from engine.errors import PerpetuumError
    from engine.files import stem_of
    from engine.installation.support.bundle import packed
    from engine.installation.support.gathering import parts_of, support_case
    from engine.installation.support.masking import Masker
    from engine.installation.support.secrets import known_secrets
    from engine.output_file import Target, write_bytes

    path = assets.installation(installation)
    place = Path(output or f"perpetuum-{stem_of(path)}-{time.strftime('%Y%m%d-%H%M%S')}.zip")
    if output != "-":
        Target(place, (".zip",))
    case = support_case(path, state)
    known = known_secrets(case.secrets, case.pid)
    masker = Masker(known.values, known.unread)
    for sentence in masker.left:
        warn(sentence)
    data = packed(parts_of(case, lambda: as_json(diagnoses(installation)), hours), masker)
    if output == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        write_bytes(place, data, (".zip",))
    except PerpetuumError as error:
        hint = f"give another place by -o: a stick, /dev/shm, or `-o -` for standard output; it has {len(data)} bytes"
        raise PerpetuumError(error.message, hint) from None
    click.echo(f"{place}: {len(data) / 1000:.0f} kB, secrets masked; look through it before it leaves the house")
