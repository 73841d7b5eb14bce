"""What the README promises is so."""

import re
from pathlib import Path

from engine.cli import VERBS
from engine.scenes import load

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def test_its_first_scene_is_valid(tmp_path):
    (scene,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "evening.yaml").write_text(scene)
    found, diagnostics = load(tmp_path / "evening.yaml")
    assert found is not None
    assert diagnostics == []


def test_its_links_and_pictures_are_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_its_make_targets_and_verbs_are_there():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for verb in re.findall(r"^perpetuum (\w+)", README, re.MULTILINE):
        assert verb in VERBS
