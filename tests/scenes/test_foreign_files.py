"""No line of a file is shown that is not what it should be, whoever names it, by whatever verb."""

import pytest
from click.testing import CliRunner

from engine.cli import cli

SECRET = "hunter2"
FILES = {
    "shadow": "root:$6$hunter2$hunter2:19000:0:99999:7:::\nhunter2\n",
    "yaml": "hunter2: [hunter2, hunter2\n",
    "mapping.yaml": "hunter2: hunter2\nkind: hunter2\npassword: hunter2\n",
    "json": '{"kind": "hunter2", "hunter2": 1}',
    "tagged": "kind: !hunter2 hunter2\n*hunter2 : 1\n",
    "latin": b"hunter2 \xe9 hunter2\n",
    "binary": b"hunter2\0\1\2hunter2",
    "midi": b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\0\x20hunter2hunter2",
    "weights": b"\x20\0\0\0\0\0\0\0" + b'{"hunter2": "hunter2hunter2"}   ',
    "a.tar": b"hunter2" * 200,
    "sound": b"RIFFhunter2WAVEhunter2",
    "checkpoint": b"\x0a\x07hunter2" * 9,
}
SCENE = """\
perpetuum: 1
title: t
tempo: 90 qpm
key: C major
parts:
  a: {{generator: chord_walk, instrument: {file}}}
  b: {{generator: {{kind: melody_rules, primer: {{midi: {file}}}}}, instrument: glass_bell}}
  c: {{generator: {{kind: melody_rnn, weights: {file}}}, instrument: glass_bell}}
  d: {{generator: {{kind: music_vae, points: [{file}]}}, instrument: glass_bell}}
  e: {{generator: drum_rules, transforms: [groove: {{weights: {file}}}], instrument: ./kit.yaml}}
sections:
  s: {{bars: 4 bars, parts: [a, b, c, d, e]}}
"""
KIT = "perpetuum: 1\nkind: drum_kit\ntitle: t\ndrums: {{kick: {{samples: {file}}}}}\n"


def output(*arguments):
    result = CliRunner().invoke(cli, [str(one) for one in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit | Exception)
    said = result.output + repr(result.exception)
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("name", FILES)
def test_nothing_of_a_foreign_file_is_shown(tmp_path, name):
    content = FILES[name]
    secret = tmp_path / name
    secret.write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "scene.yaml").write_text(SCENE.format(file=secret))
    (tmp_path / "kit.yaml").write_text(KIT.format(file=secret))
    for arguments in (
        ("check", tmp_path / "scene.yaml"),
        ("check", tmp_path / "scene.yaml", "--format", "json"),
        ("plan", tmp_path / "scene.yaml"),
        ("continue", secret, "-o", tmp_path / "out.mid"),
        ("groove", secret, "-o", tmp_path / "out.mid"),
        ("models", "show", secret),
        ("models", "import", secret, "-o", tmp_path / "out.safetensors"),
    ):
        assert SECRET not in output(*arguments), arguments
    if not name.endswith(".yaml"):
        for arguments in (("check", secret), ("play", secret), ("train", secret, "--data", tmp_path)):
            assert SECRET not in output(*arguments), arguments


def test_a_broken_scene_of_ones_own_is_quoted(tmp_path):
    (tmp_path / "mine.txt").write_text("perpetuum: 1\ntitle: mine: too\n")
    (tmp_path / "mine.yaml").write_text("title: mine: too\n")
    assert "title: mine: too" in output("check", tmp_path / "mine.txt")
    assert "title: mine: too" in output("check", tmp_path / "mine.yaml")
