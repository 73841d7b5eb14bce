"""Finding files."""

from engine import assets


def test_a_text_that_is_no_path_names_nothing(tmp_path):
    """A primer's pattern is longer than any file's name; to ask the system for it is an error of its own."""
    (tmp_path / "here.mid").touch()
    assert assets.is_file(tmp_path / "here.mid")
    assert assets.exists(tmp_path)
    assert not assets.is_file(tmp_path)
    for text in ("bd: x...x...x...x... | " * 20, "a\0b", "", tmp_path / "here.mid" / "below"):
        assert not assets.is_file(text)
        assert assets.find("weights", str(text), ".safetensors", beside=tmp_path) is None
