"""`perpetuum schema`: the JSON Schema of scene files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from engine.cli.targets import OutputPath
from engine.errors import PerpetuumError
from engine.output_file import write_text
from engine.scenes.schema.json_schema import scene_schema
from engine.scenes.schema.reference import settings_reference


@click.command(short_help="Print the JSON Schema of scene files, for editors.")
@click.option("--settings", is_flag=True, help="Tables of all settings instead, in Markdown.")
@click.option("--training", is_flag=True, help="The schema of files for `perpetuum train` instead.")
@click.option("-o", "--output", type=OutputPath(".json", ".md"), help="File to write instead.")
def command(settings: bool, training: bool, output: Path | None) -> None:
    """Print the JSON Schema (draft 7) of scene files, so that an editor completes and checks them while you write.

    Editors with the YAML language server read it from a line at the top of a scene:

    \b
      # yaml-language-server: $schema=scene.schema.json

    \b
    Examples:
      perpetuum schema
      perpetuum schema -o scene.schema.json
      perpetuum schema --settings
      perpetuum schema --training -o training.schema.json
    """
    if settings and training:
        raise PerpetuumError("--settings and --training are two different things", "ask for one of them")
    if training:
        from engine.training.settings import training_schema

        text = training_schema()
    else:
        text = settings_reference() if settings else json.dumps(scene_schema(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    write_text(output, text, (".md",) if settings else (".json",))
