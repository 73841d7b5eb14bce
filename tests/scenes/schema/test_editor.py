"""The real YAML language server, as editors run it, with the shipped schema."""

import shutil
from pathlib import Path

import pytest

import engine.scenes
from tests.scenes.schema.language_server import SERVER, LanguageServer
from tests.scenes.writing import RIGHT, spoiled

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(
        shutil.which("node") is None or (shutil.which("npm") is None and not SERVER.exists()),
        reason="the YAML language server needs node and npm (Debian: apt install nodejs npm)",
    ),
]

MODELINE = f"# yaml-language-server: $schema={Path(engine.scenes.__file__).with_name('scene.schema.json').as_uri()}\n"


@pytest.fixture(scope="module")
def server():
    assert SERVER.exists(), "run `npm ci` in tests/node first; `make test` does"
    with LanguageServer() as running:
        yield running


def written(folder: Path, text: str) -> Path:
    path = folder / "scene.yaml"
    path.write_text(MODELINE + text)
    return path


def test_a_right_scene_has_no_marks(server, tmp_path):
    assert server.diagnostics(written(tmp_path, RIGHT)) == []


def test_anchors_merges_and_free_keys_have_no_marks(server, tmp_path):
    text = spoiled(
        ("parts:\n", "x-soft: &soft {level: -20 dB}\nparts:\n"),
        ("  drums:\n", "  drums:\n    <<: *soft\n    x-a: [1]\n"),
    )
    assert server.diagnostics(written(tmp_path, text)) == []


def test_a_wrong_scene_has_marks_at_the_wrong_places(server, tmp_path):
    wrong = {
        "tempo: 84..92 qpm": "tempo: 90",
        "generator: chord_walk": "generator: chord_wolk",
        "level: -14 dB": "levle: -14 dB",
        "style: straight": "style: strait",
        "- thin: 30 %": "- thin: lots",
        "bars: 8 bars": "bars: 8",
    }
    path = written(tmp_path, spoiled(*wrong.items()))
    found = server.diagnostics(path)
    lines = path.read_text().splitlines()
    assert sorted({lines[one["range"]["start"]["line"]].strip() for one in found}) == sorted(
        line.strip() for line in lines if any(new in line for new in wrong.values())
    )


def test_a_wrong_unit_is_explained_in_words(server, tmp_path):
    found = server.diagnostics(written(tmp_path, spoiled(("level: -14 dB", "level: -14 bars"))))
    assert ["like -14 dB" in one["message"] for one in found] == [True]


def test_the_editor_offers_generators_and_their_settings(server, tmp_path):
    text = spoiled(("{kind: drum_rules, style: straight}", "\n      kind: drum_rules\n      st"))
    path = written(tmp_path, text)
    server.diagnostics(path)
    line = next(k for k, line in enumerate(path.read_text().splitlines()) if line == "      st")
    assert "style" in server.completions(path, line, 8)


def test_written_chords_a_day_and_where_a_transform_acts_have_no_marks(server, tmp_path):
    text = spoiled(
        ("generator: chord_walk", "generator: {kind: chord_walk, chords: Am | F C:2 | V7/V %}"),
        ("- thin: 30 %", "- thin: {share: 30 %, every: '1:4 bars', chance: 50 %, only: [hats, kick]}"),
        ("parts:\n", "day:\n  tempo: {06:00: 60 qpm}\n  key: {06:00: D minor}\n  pad.level: {08:00: -12 dB}\nparts:\n"),
    )
    assert server.diagnostics(written(tmp_path, text)) == []
    (tmp_path / "wrong").mkdir()
    wrong = written(tmp_path / "wrong", text.replace("1:4 bars", "4").replace("hats, kick", "hads"))
    lines = wrong.read_text().splitlines()
    marked = {lines[one["range"]["start"]["line"]].strip()[:6] for one in server.diagnostics(wrong)}
    assert marked == {"- thin"}


def test_the_editor_offers_where_a_transform_acts_and_its_drums(server, tmp_path):
    text = spoiled(("      - thin: 30 %", "      - thin:\n          on\n"))
    path = written(tmp_path, text)
    server.diagnostics(path)
    line = next(k for k, line in enumerate(path.read_text().splitlines()) if line == "          on")
    assert {"only", "share"} <= set(server.completions(path, line, 10))
    (tmp_path / "drums").mkdir()
    path = written(tmp_path / "drums", text.replace("          on", "          only: "))
    server.diagnostics(path)
    line = next(k for k, line in enumerate(path.read_text().splitlines()) if line == "          only: ")
    assert {"hats", "closed_hat", "toms"} <= set(server.completions(path, line, 16))
