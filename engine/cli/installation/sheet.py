"""`perpetuum sheet`: a page for the wall beside an installation."""

from __future__ import annotations

from pathlib import Path

import click

EXAMPLES = """
\b
Examples:
  perpetuum sheet gallery -o sheet.html                        print it from any browser
  perpetuum sheet foyer.yaml --contact "Ada, 030 1234567"      whom to call
"""


@click.command(epilog=EXAMPLES)
@click.argument("installation")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="An HTML file; default: standard output.")
@click.option("--contact", default="", help="Whom to call, and how.")
def command(installation: str, output: Path | None, contact: str) -> None:
    """Make a sheet of paper of INSTALLATION: what it should sound like when, and what to do first when it does not."""
    from engine import assets
    from engine.errors import PerpetuumError
    from engine.installation.loading import read_installation
    from engine.installation.sheet import sheet
    from engine.output_file import write_text

    path = assets.installation(installation)
    read, _ = read_installation(path)
    if read is None:
        raise PerpetuumError(f"{path} is not valid", f"perpetuum check {installation} says why")
    text = sheet(read, installation, contact)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_text(output, text)
        click.echo(f"{output}: print it from any browser")
