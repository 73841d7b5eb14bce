"""`perpetuum check`: are these files playable here? Scenes, instruments and installations."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from engine.cli.common import find_named, is_terminal
from engine.errors import PerpetuumError
from engine.installation.loading import CheckedFile, check_file
from engine.scenes.instruments.files import Instruments
from engine.scenes.text.problems import Severity


@click.command(short_help="Check scenes and installations: are they playable here?")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to write it.")
def command(files: tuple[str, ...], form: str) -> None:
    """Check scene and installation files, all errors of all files at once.

    A file is valid if it is playable here: what it says is right, and the scenes, instruments, samples, weights and
    MIDI files that it names exist, and are valid themselves. FILE is a path, whose ending may be left out, the name of
    a shipped scene or installation, or `-` for standard input; instrument files can be checked too. What a file holds
    says what it is.

    \b
    Exit status: 0 all valid, 1 not valid, 2 a file or the command line is not usable.

    \b
    Examples:
      perpetuum check my_scene.yaml
      perpetuum check scenes/*.yaml installations/*.yaml
      perpetuum check my_scene.yaml --format json
    """
    results: list[CheckedFile] = []
    unusable: list[PerpetuumError] = []
    paths: list[Path] = []
    for name in dict.fromkeys(files):
        try:
            paths.append(find_named(name, "scenes", "installations"))
        except PerpetuumError as error:
            unusable.append(error)
    instruments = Instruments()
    for path in dict.fromkeys(paths):
        try:
            results.append(check_file(path, instruments, pipes=True))
        except PerpetuumError as error:
            unusable.append(error)
    (_print_json if form == "json" else _print_text)(results, unusable)
    if unusable:
        sys.exit(2)
    sys.exit(0 if all(result.valid for result in results) else 1)


def _print_text(results: list[CheckedFile], unusable: list[PerpetuumError]) -> None:
    colour = is_terminal(sys.stdout) and not os.environ.get("NO_COLOR")
    errors = 0
    told = set()
    for result in results:
        for diagnostic in result.diagnostics:
            if diagnostic not in told:
                click.echo(diagnostic.text(colour) + "\n")
            told.add(diagnostic)
        if result.valid:
            what = " installation" if result.kind == "installation" else ""
            click.echo(f"{click.format_filename(result.path)}: valid{what}")
        else:
            errors += sum(one.severity is not Severity.WARNING for one in result.diagnostics)
    for error in unusable:
        click.echo(f"perpetuum: {error}", err=True)
    if errors:
        bad = sum(not result.valid for result in results)
        click.echo(f"{errors} error{'s' * (errors != 1)} in {bad} of {len(results)} file{'s' * (len(results) != 1)}")


def _print_json(results: list[CheckedFile], unusable: list[PerpetuumError]) -> None:
    report = {
        "valid": not unusable and all(result.valid for result in results),
        "files": [
            {
                "path": str(result.path),
                "kind": result.kind,
                "valid": result.valid,
                "diagnostics": [diagnostic.as_json() for diagnostic in result.diagnostics],
            }
            for result in results
        ],
        "unusable": [{"message": error.message, "hint": error.hint} for error in unusable],
    }
    click.echo(json.dumps(report, indent=2))
