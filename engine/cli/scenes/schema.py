"""`perpetuum schema`: the JSON Schema of scene, installation and training files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from engine.cli.targets import OutputPath
from engine.errors import PerpetuumError
from engine.output_file import write_text
from engine.scenes.schema.json_schema import scene_schema
from engine.scenes.schema.reference import settings_reference


@click.command(short_help="Print the JSON Schema of scenes and installations, for editors.")
@click.option("--settings", is_flag=True, help="Tables of all settings instead, in Markdown.")
@click.option("--installation", is_flag=True, help="Of installation files instead.")
@click.option("--training", is_flag=True, help="The schema of files for `perpetuum train` instead.")
@click.option("--chorale", is_flag=True, help="The schema of what `perpetuum chorale --json` writes instead.")
@click.option("-o", "--output", type=OutputPath(".json", ".md"), help="File to write instead.")
def command(settings: bool, installation: bool, training: bool, chorale: bool, output: Path | None) -> None:
    """Print the JSON Schema (draft 7) of scene files, so that an editor completes and checks them while you write.

    Editors with the YAML language server read it from a line at the top of a scene:

    \b
      # yaml-language-server: $schema=scene.schema.json

    \b
    Examples:
      perpetuum schema
      perpetuum schema -o scene.schema.json
      perpetuum schema --settings
      perpetuum schema --installation -o installation.schema.json
      perpetuum schema --training -o training.schema.json
      perpetuum schema --chorale -o chorale.schema.json
    """
    alone = "--training" if training else "--chorale" if chorale else None
    if alone is not None and (settings or installation or (training and chorale)):
        other = "--settings" if settings else "--installation" if installation else "--chorale"
        raise PerpetuumError(f"{other} and {alone} are two different things", "ask for one of them")
    if chorale:
        from engine.networks.chorale.record import record_schema

        text = record_schema()
    elif training:
        from engine.training.settings import training_schema

        text = training_schema()
    elif installation:
        from engine.installation.reading import schema

        text = schema.settings_reference() if settings else _written(schema.installation_schema())
    else:
        text = settings_reference() if settings else _written(scene_schema())
    if output is None:
        click.echo(text, nl=False)
        return
    write_text(output, text, (".md",) if settings else (".json",))


def _written(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
