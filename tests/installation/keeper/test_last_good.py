"""The last installation file that could be played is kept, and known by all that counts in it."""

import pytest

from engine.installation.keeper.folder.last_good import NAME, LastGoodFile
from engine.installation.keeper.reading import FileRead
from engine.installation.state_place import default_state
from tests.installation.making import installation


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "states"))
    path = tmp_path / "here.yaml"
    path.write_text("perpetuum: 1\n")
    return path


def kept(file) -> FileRead:
    """What another process finds after this one has kept something."""
    first = LastGoodFile(file)
    assert first.kept is None
    assert not first.unchanged
    read = FileRead(installation(), "a doubt")
    first.keep(read, first.digest())
    return read


def test_what_came_of_a_file_is_found_at_the_next_start(file):
    read = kept(file)
    again = LastGoodFile(file)
    assert again.kept == read
    assert again.unchanged


def test_a_file_that_was_saved_since_deleted_or_read_elsewhere_is_not_unchanged(file, tmp_path, monkeypatch):
    kept(file)
    monkeypatch.setenv("PERPETUUM_PATH", "/elsewhere")
    assert not LastGoodFile(file).unchanged
    monkeypatch.delenv("PERPETUUM_PATH")
    file.write_text("perpetuum: 1\n# saved\n")
    assert not LastGoodFile(file).unchanged
    file.unlink()
    again = LastGoodFile(file)
    assert again.kept is not None, "it still plays"
    assert not again.unchanged


def test_another_file_of_that_name_and_bytes_of_another_version_count_for_nothing(file, tmp_path):
    kept(file)
    other = tmp_path / "elsewhere" / "here.yaml"
    other.parent.mkdir()
    other.write_text(file.read_text())
    assert LastGoodFile(other).kept is None
    place = default_state("here") / NAME
    for nonsense in (b"", b"\xff" * 100, place.read_bytes()[:-3]):
        place.write_bytes(nonsense)
        assert LastGoodFile(file).kept is None


def test_a_folder_that_cannot_be_written_costs_nothing_but_memory(file, tmp_path, caplog):
    (tmp_path / "states").write_text("no folder")
    first = LastGoodFile(file)
    first.keep(FileRead(installation(), ""), first.digest())
    assert LastGoodFile(file).kept is None
    assert "installation cannot be read" in caplog.text
