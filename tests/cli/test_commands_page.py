"""Every example of docs/commands.md does what the page says, with made-up networks where none are shipped."""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from engine.cli import VERBS, cli
from engine.score.midi.reading import read_piece
from engine.score.midi.writing import write_piece
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track
from tests.cli.weights import made_up

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text("utf-8")
EXAMPLES = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.replace("\\\n", "").splitlines()
]
BUNDLE = Path(__file__).parents[1] / "networks/checkpoints/fixtures/melody_rnn__attention_rnn__small.mag"
CONFIGS = (
    "basic_improv",
    "polyphony",
    "chorale",
    "multiconditioned_performance_with_dynamics",
    "cat-mel_2bar_small",
    "cat-mel_2bar_med_chords",
    "groovae_2bar_humanize",
    "groovae_2bar_tap_fixed_velocity",
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home") / "weights"
    folder.mkdir()
    for config in CONFIGS:
        made_up(folder, config)
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch, weights):
    """A folder with what the examples name."""
    tune, other = (
        Track(np.array([(beat, beat + 1, 60 + step * beat % 12, 80) for beat in range(8)], NOTE), "Lead")
        for step in (2, 5)
    )
    bass = Track(np.array([(beat, beat + 1, 36 + beat % 3, 80) for beat in range(8)], NOTE), "Bass", 33)
    kit = np.array([(beat / 2, beat / 2 + 0.2, 36 + 2 * (beat % 2), 90) for beat in range(16)], NOTE)
    pieces = {"song": (tune, bass, Track(kit, "Drums", is_drum=True)), "tune": (tune,), "a": (tune,), "b": (other,)}
    for name, tracks in pieces.items():
        write_piece(tmp_path / f"{name}.mid", Piece(tracks, 96.0))
    shutil.copy(BUNDLE, tmp_path / "attention_rnn.mag")
    monkeypatch.setenv("PERPETUUM_PATH", str(weights.parent))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_runs(here, weights, example):
    before, known = set(here.rglob("*.mid")), set(weights.iterdir())
    words = shlex.split(example)
    assert words[0] == "perpetuum"
    result = CliRunner().invoke(cli, words[1:], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    made = set(here.rglob("*.mid")) - before
    if words[1] == "models":
        for path in set(weights.iterdir()) - known:
            path.unlink()
    else:
        assert made
        assert all(f"{path.relative_to(here)}: " in result.stdout for path in made)
        assert all(len(read_piece(path).tracks) for path in made)
        if "--num-outputs" in words:
            assert len(made) == int(words[words.index("--num-outputs") + 1])


def test_every_verb_that_makes_music_has_an_example():
    shown = {shlex.split(example)[1] for example in EXAMPLES}
    assert shown == {"models", "generate", "continue", "sample", "interpolate", "chorale", "groove", "drumify"}
    assert shown <= set(VERBS)
