"""`perpetuum pool`: machines that make phrases for players."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.errors import PerpetuumError

if TYPE_CHECKING:
    from engine.pool.serving.file.config import PoolConfig


EXAMPLES = """
\b
Examples:
  perpetuum pool serve                          serve players of this machine
  perpetuum pool serve --config pool.yaml       serve those that the file names
  perpetuum pool check pool.yaml                can it be served?
  perpetuum pool schema > pool.schema.json      for editors
"""


@click.group(epilog=EXAMPLES)
def command() -> None:
    """Make phrases for players on other machines (docs/pool.md)."""


@command.command()
@click.option("--config", metavar="FILE", help="What it serves; without, this machine alone is served.")
def serve(config: str | None) -> None:
    """Serve until SIGTERM or Ctrl-C. Needs Ray: pip install 'ray[serve]>=2.50,<3'."""
    from engine.pool.serving.replicas import RayMakers
    from engine.pool.serving.run import listeners, named, serve_pool

    found = _read(config)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    sockets = listeners(found)  # what cannot be had is told before Ray takes its minute
    where = ", ".join(map(named, sockets))
    with RayMakers(found) as makers:
        serve_pool(found, makers, sockets, lambda: click.echo(f"the pool listens at {where}"))


@command.command()
@click.argument("file")
def check(file: str) -> None:
    """Whether FILE can be served."""
    _read(file)
    click.echo(f"{file}: valid")


@command.command()
def schema() -> None:
    """Print the JSON Schema of the file, for editors."""
    from engine.pool.serving.file.schema import pool_schema

    click.echo(json.dumps(pool_schema(), indent=2, ensure_ascii=False))


def _read(file: str | None) -> PoolConfig:
    from engine.cli.common import valid
    from engine.pool.serving.file.reading import default_pool, read_pool_file

    if file is None:
        return default_pool()
    if not Path(file).exists() and file != "-":
        raise PerpetuumError(f"there is no file {file}", "give the path of a pool's file (docs/pool.md)")
    return valid(file, *read_pool_file(Path(file)))
