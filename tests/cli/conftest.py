"""Fixtures of the tests of commands."""

from __future__ import annotations

import pytest

from engine.cli import main
from tests.cli.weights import made_up


@pytest.fixture
def here(monkeypatch, tmp_path):
    """An empty folder in which commands run, without scenes, instruments and weights of a user."""
    monkeypatch.delenv("PERPETUUM_PATH", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def perpetuum(capsys, here):
    """Runs a command line `here`: (exit status, what it printed, what it complained about)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return run


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A weights file of a made-up network of a config."""
    folder = tmp_path_factory.mktemp("weights")
    return lambda config: made_up(folder, config)
