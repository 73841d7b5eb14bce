"""Fixtures of the tests of installations."""

import pytest

from engine.installation.loading import read_installation
from engine.scenes.text.problems import Severity
from tests.installation.making import HEAD, LOOKED_INTO, SCENES, SHARED


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No scenes and no state of a user."""
    for name in ("PERPETUUM_PATH", "STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def read(tmp_path):
    """(installation, diagnostics) of a text."""

    def run(text, head=HEAD + SCENES):
        path = tmp_path / "here.yaml"
        path.write_text(head + text)
        return read_installation(path, instruments=SHARED, scenes=LOOKED_INTO)

    return run


@pytest.fixture
def right(read):
    """What a text comes to that is right."""

    def run(text, head=HEAD + SCENES):
        found, diagnostics = read(text, head)
        assert found is not None, [one.text() for one in diagnostics]
        return found

    return run


@pytest.fixture
def wrong(read):
    """(line, column, message, expected, suggestion) of the one error of a text, lines counted in the text."""

    def run(text, head=HEAD + SCENES):
        found, diagnostics = read(text, head)
        errors = [one for one in diagnostics if one.severity is Severity.ERROR]
        assert found is None
        assert len(errors) == 1, [one.text() for one in diagnostics]
        return errors[0], errors[0].line - head.count("\n")

    return run
