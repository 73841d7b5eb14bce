"""Every example of docs/installation.md is what the page says it is."""

import re
from pathlib import Path

import pytest

from engine.installation.loading import read_installation
from tests.installation.making import LOOKED_INTO, SHARED, secrets_are_there
from tests.scenes.test_docs import pieces

PAGE = (Path(__file__).parents[2] / "docs" / "installation.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
BASE = {
    "perpetuum": "perpetuum: 1\n",
    "title": "title: Around an example\n",
    "scenes": "scenes: {still_water: }\n",
    "time_zone": "time_zone: UTC\n",
}


@pytest.mark.parametrize("example", EXAMPLES, ids=[text.partition(":")[0] for text in EXAMPLES])
def test_the_example_is_right(example, tmp_path, monkeypatch):
    secrets_are_there(monkeypatch)
    monkeypatch.delenv("PERPETUUM_PATH", raising=False)
    path = tmp_path / "foyer.yaml"
    path.write_text("".join((BASE | pieces(example)).values()))
    found, diagnostics = read_installation(path, instruments=SHARED, scenes=LOOKED_INTO)
    assert found is not None, [one.text() for one in diagnostics]
    assert diagnostics == []


def test_the_page_shows_every_key_of_a_file():
    from engine.installation.reading.models import InstallationFile

    for name in InstallationFile.model_fields:
        assert f"{name}:" in PAGE or f"`{name}`" in PAGE, name
