"""`perpetuum chaos`: what an installation makes of everything that can go wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import click

EXAMPLES = """
\b
Examples:
  perpetuum chaos chaos                             all faults, five times each, against the shipped drone
  perpetuum chaos gallery --times 1 --only mind     those with "mind" in their name
  perpetuum chaos --list                            the faults
"""


@click.command(epilog=EXAMPLES)
@click.argument("installation", required=False)
@click.option("--times", type=click.IntRange(1, 1000), default=5, show_default=True, help="How often each fault.")
@click.option("--only", multiple=True, metavar="WORDS", help="Faults with these words in their name; repeatable.")
@click.option("--list", "listed", is_flag=True, help="Only name the faults.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all that was measured to a file.")
@click.option("--log", type=click.Path(path_type=Path), help="Keep what all processes printed in a file.")
def command(
    installation: str | None,
    times: int,
    only: tuple[str, ...],
    listed: bool,
    json_file: Path | None,
    log: Path | None,
) -> None:
    """Run INSTALLATION here, break it in every way, and measure what is heard.

    It plays to a null sink of a PulseAudio of its own, whose monitor is recorded; nothing else on this machine is
    touched but its processors. Prints a table; the exit status is 1 if a bar is missed.
    """
    from engine.installation.chaos.run import FAULTS, chosen, run_chaos

    if listed:
        for fault in FAULTS:
            click.echo(fault.name)
        return
    if installation is None:
        raise click.UsageError("Missing argument 'INSTALLATION'.")
    from engine import assets
    from engine.installation.chaos.report import HEAD, FaultReport, as_json
    from engine.output_file import write_text

    reports: list[FaultReport] = []
    click.echo(HEAD)
    try:
        for report in run_chaos(
            assets.installation(installation), times, chosen(only), lambda text: click.echo(text, err=True), log
        ):
            reports.append(report)
            click.echo(report.row)
            sys.stdout.flush()
    finally:
        if json_file is not None and reports:
            write_text(json_file, as_json(reports))
    if any(report.missed for report in reports):
        sys.exit(1)
