"""Commands that make music, run in the test's process."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli import cli
from engine.errors import PerpetuumError
from engine.score.midi.reading import read_piece
from engine.score.midi.writing import write_piece
from engine.score.piece import Piece

CHECKPOINTS = Path(__file__).parent.parent / "networks" / "checkpoints" / "fixtures"
BEAT = "bd: x.......x....... | sn: ....x.......x... | hh: x.x.x.x.x.x.x.x."
TUNE = "C4:1 D4:1/2 E4:1/2 G4:2 | E4:1 D4:1 C4:2"


def run(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def fails(*arguments):
    with pytest.raises(PerpetuumError) as caught:
        CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)
    return str(caught.value)


def made(folder):
    return [read_piece(path) for path in sorted(folder.glob("*.mid"))]


def lines(piece, place=0):
    return [(start, end, pitch) for start, end, pitch, _ in piece.tracks[place].notes.tolist()]


def song(path, *tracks):
    write_piece(path, Piece(tracks, 100.0, tempos=((0.0, 100.0), (4.0, 110.0)), markers=((0.0, "verse"),)))
