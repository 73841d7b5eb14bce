"""Folders of music, as proofs read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.training.datasets.score import Score, UnusableError
from engine.training.datasets.sources import Work, find_files


def scores_in(folder: Path) -> Iterator[tuple[Work, Score]]:
    """All music below a folder that can be read, with where it is from; the rest is left out."""
    for file in find_files([folder]):
        for work in file.works(file.read()):
            try:
                yield work, work.read()
            except UnusableError:
                continue
