"""Facts about `perpetuum models`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine import assets
from engine.networks import load_network, read_card
from engine.networks.checkpoints import open_weights
from engine.runtime.ending import networks_of
from engine.scenes import load
from tests.networks.checkpoints import writing
from tests.networks.checkpoints.test_reading import FIXTURES

ONE_DRUM = FIXTURES / "drums_rnn__one_drum__small.mag"
ATTENTION = FIXTURES / "melody_rnn__attention_rnn_outer__small.mag"


pytestmark = pytest.mark.usefixtures("here")


def test_import_says_what_it_found_and_writes_a_weights_file(perpetuum, tmp_path):
    status, out, _ = perpetuum(
        *("models", "import", ATTENTION, "-o", "night.safetensors", "--name", "Night"),
        *("--licence", "CC-BY-4.0", "--credit", "Ada", "--credit", "Bob", "--training-data", "jazz"),
    )
    assert status == 0
    for said in (
        "Magenta bundle with a TensorFlow V1 checkpoint, 0.2 MB",
        "melody_rnn, attention_rnn (as the bundle says)",
        "layers 20 + 12, attention outer",
        "14, 17,378 numbers; spelt as with TensorFlow 1.2 or later",
        "night.safetensors: 71.",
        "weights: night.safetensors",
    ):
        assert said in out
    card = read_card(tmp_path / "night.safetensors")
    assert (card.name, card.licence, card.credits, card.training_data) == (
        "Night",
        "CC-BY-4.0",
        ("Ada", "Bob"),
        ("jazz",),
    )
    assert card.imported_from["file"] == ATTENTION.name
    assert len(card.imported_from["sha256"]) == 64
    _, before = open_weights(ATTENTION)
    _, after = open_weights(tmp_path / "night.safetensors")
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert load_network("night.safetensors").config.name == "attention_rnn"


def test_half_precision_takes_half_the_size(perpetuum, tmp_path):
    perpetuum("models", "import", ATTENTION, "-o", "whole.safetensors")
    perpetuum("models", "import", ATTENTION, "-o", "half.safetensors", "--half")
    whole, half = ((tmp_path / f"{name}.safetensors").stat().st_size for name in ("whole", "half"))
    assert half < 0.55 * whole


def test_what_a_training_leaves_behind_is_said(perpetuum, tmp_path):
    _, weights = open_weights(ONE_DRUM)
    slots = {f"{name}/Adam": value for name, value in weights.items()}
    writing.write_v2(tmp_path, "model.ckpt-30", weights | slots | {"global_step": np.array(30, np.int64)})
    status, out, _ = perpetuum("models", "import", tmp_path)
    assert status == 0
    assert "left out    6 of optimizer, 1 of counters and rates" in out
    assert read_card(tmp_path / "one_drum-imported.safetensors").imported_from["training_steps"] == 30


def test_import_writes_over_nothing_unless_told_to(perpetuum, tmp_path):
    target = tmp_path / "drums_rnn__one_drum__small.safetensors"
    target.write_text("precious")
    status, _, err = perpetuum("models", "import", ONE_DRUM)
    assert status == 2
    assert "is there already" in err
    assert target.read_text() == "precious"
    status, _, _ = perpetuum("models", "import", ONE_DRUM, "--force")
    assert status == 0
    assert read_card(target).config == "one_drum"


def test_import_goes_to_the_first_folder_of_the_user_where_scenes_find_it_by_name(perpetuum, tmp_path, monkeypatch):
    monkeypatch.setenv("PERPETUUM_PATH", str(tmp_path))
    status, out, _ = perpetuum("models", "import", ONE_DRUM)
    assert status == 0
    name = "drums_rnn__one_drum__small"
    assert f"name it in a scene as `weights: {name}`, beside `kind: drums_rnn` and `config: one_drum`" in out
    assert assets.find("weights", name, ".safetensors") == tmp_path / "weights" / f"{name}.safetensors"


def test_import_never_takes_the_name_of_shipped_weights_unless_told_to(perpetuum, tmp_path, monkeypatch):
    """A checkpoint called like one (Magenta's own are) would be played by every scene that names its config."""
    monkeypatch.setenv("PERPETUUM_PATH", str(tmp_path))
    checkpoint = tmp_path / "one_drum.mag"
    checkpoint.write_bytes(ONE_DRUM.read_bytes())
    status, out, _ = perpetuum("models", "import", checkpoint)
    assert status == 0
    assert "named one_drum-imported: one_drum is the name of shipped weights" in out
    assert assets.find("weights", "one_drum", ".safetensors") == assets.shipped("weights") / "one_drum.safetensors"
    shipped = assets.shipped("weights") / "one_drum.safetensors"
    before = shipped.read_bytes()
    for output in ("one_drum.safetensors", tmp_path / "weights/one_drum.safetensors", shipped):
        status, _, err = perpetuum("models", "import", checkpoint, "--force", "-o", output)
        assert status == 2
        assert "is the name of shipped weights" in err
    assert shipped.read_bytes() == before
    status, out, _ = perpetuum("models", "import", checkpoint, "--replace")
    assert status == 0
    assert "it hides the shipped weights one_drum from all scenes" in out
    _, out, _ = perpetuum("models", "list")
    assert [line.split()[0] for line in out.splitlines() if line.endswith("(hides the shipped one)")] == ["one_drum"]
    _, out, _ = perpetuum("models", "list", "--format", "json")
    assert [row["name"] for row in json.loads(out) if row["hides"]] == ["one_drum"]


def test_after_importing_every_checkpoint_the_shipped_scenes_load_the_same_networks(perpetuum, tmp_path, monkeypatch):
    """Also where each is called like shipped weights, as Magenta's own are."""
    scenes = {name: assets.scene(name) for name in assets.names("scenes")}
    before = {name: networks_of(scene) for name, path in scenes.items() if (scene := load(path)[0]) is not None}
    monkeypatch.setenv("PERPETUUM_PATH", str(tmp_path))
    checkpoints = sorted(FIXTURES.glob("*.mag"))
    for checkpoint in checkpoints:
        perpetuum("models", "import", checkpoint)
    for name in ("drum_kit", "attention_rnn", "multiconditioned_performance_with_dynamics"):
        (tmp_path / f"{name}.mag").write_bytes(ONE_DRUM.read_bytes())
        assert perpetuum("models", "import", tmp_path / f"{name}.mag")[0] == 0
        assert assets.find("weights", name, ".safetensors") == assets.shipped("weights") / f"{name}.safetensors"
    assert len(list((tmp_path / "weights").iterdir())) > len(checkpoints) > 2
    after = {name: networks_of(scene) for name, path in scenes.items() if (scene := load(path)[0]) is not None}
    assert after == before
    assert len(after) == len(scenes)


def test_check_says_what_hides_shipped_files_and_in_what_it_differs(perpetuum, tmp_path, monkeypatch):
    monkeypatch.setenv("PERPETUUM_PATH", str(tmp_path))
    text = (assets.shipped("scenes") / "slow_groove.yaml").read_text()
    (tmp_path / "s.yaml").write_text(text.replace("config: drum_kit", "config: one_drum"))
    assert perpetuum("check", "s.yaml")[1] == "s.yaml: valid\n"
    (tmp_path / "weights").mkdir()
    perpetuum("models", "import", ONE_DRUM, "-o", "weights/one_drum.safetensors", "--replace")
    (tmp_path / "instruments").mkdir()
    kit = (assets.shipped("instruments") / "electronic_kit.yaml").read_text()
    (tmp_path / "instruments" / "electronic_kit.yaml").write_text(kit)
    status, out, _ = perpetuum("check", "s.yaml")
    assert status == 0
    assert "`one_drum` is not the shipped network here" in out
    assert "other sizes: layers 20 + 12, not layers 64 + 64" in out
    assert ("`electronic_kit` is not the shipped instrument here" in out) == ("electronic_kit" in text)
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "slow_groove.yaml").write_text(text)
    _, out, err = perpetuum("check", "slow_groove")
    assert "which hides the shipped scene" in err
    for verb, name in (("scenes", "slow_groove"), ("instruments", "electronic_kit")):
        hiding = [line.split()[0] for line in perpetuum(verb)[1].splitlines() if "hides the shipped one" in line]
        assert hiding == [name]


def test_a_network_that_no_scene_names_is_the_one_that_was_looked_into(perpetuum, tmp_path):
    """A file beside the scene that happens to be called like a config is neither checked nor played."""
    text = (assets.shipped("scenes") / "slow_groove.yaml").read_text()
    (tmp_path / "s.yaml").write_text(text)
    (tmp_path / "drum_kit.safetensors").write_bytes(b"x")
    assert perpetuum("check", "s.yaml")[:2] == (0, "s.yaml: valid\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.mag"], "no such checkpoint"),
        ([ONE_DRUM, "--config", "drum_kit"], "not the weights of drum_kit: weight"),
        ([ONE_DRUM, "--config", "drumkit"], "Did you mean drum_kit?"),
        ([ONE_DRUM, "-o", "net.npz"], "what can be written is .safetensors"),
        ([ONE_DRUM, "-o", "gone/net.safetensors"], "there is no folder gone"),
        ([assets.shipped("weights") / "drum_kit.safetensors"], "this is a weights file already"),
        ([__file__], "not a checkpoint of Magenta"),
        ([Path(__file__).parent], "a folder with no checkpoint in it"),
    ],
)
def test_import_refuses_with_a_sentence_and_writes_nothing(arguments, message, perpetuum, tmp_path):
    status, _, err = perpetuum("models", "import", *arguments)
    assert status == 2
    assert message in err
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())


def test_weights_too_large_for_half_precision_are_refused(perpetuum, tmp_path):
    _, weights = open_weights(ONE_DRUM)
    writing.write_v2(tmp_path, "big.ckpt", weights | {"fully_connected/biases": np.array([1e6, 0], np.float32)})
    status, _, err = perpetuum("models", "import", "big.ckpt", "--half", "-o", "big.safetensors")
    assert status == 2
    assert "fully_connected/biases has numbers that float16 cannot hold" in err
    assert not (tmp_path / "big.safetensors").exists()


def test_list_shows_shipped_weights_and_those_of_the_user_and_what_is_wrong_with_them(perpetuum, tmp_path, monkeypatch):
    monkeypatch.setenv("PERPETUUM_PATH", str(tmp_path))
    perpetuum("models", "import", ONE_DRUM, "--licence", "CC0")
    (tmp_path / "weights/broken.safetensors").write_bytes(b"x")
    status, out, _ = perpetuum("models", "list")
    assert status == 0
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert "one_drum" in lines["drums_rnn__one_drum__small"]
    assert "licence CC0" in lines["drums_rnn__one_drum__small"]
    assert "not a readable weights file" in lines["broken"]
    assert {"drum_kit", "attention_rnn"} <= lines.keys()
    _, out, _ = perpetuum("models", "list", "--format", "json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert rows["broken"]["problem"]
    assert rows["drum_kit"]["problem"] is None
    assert rows["drum_kit"]["metrics"]["network"] > 0
    assert rows["drums_rnn__one_drum__small"]["sizes"] == {"layers": [20, 12]}


@pytest.mark.parametrize("name", ["drum_kit", ATTENTION])
def test_show_tells_of_weights_and_of_checkpoints(name, perpetuum):
    status, out, _ = perpetuum("models", "show", name)
    assert status == 0
    assert "attention" in out
    _, out, _ = perpetuum("models", "show", name, "--format", "json")
    facts = json.loads(out)
    assert facts["config"] in ("drum_kit", "attention_rnn")
    assert facts["bytes"] > 0


def test_the_folder_of_a_training_means_the_weights_in_it(perpetuum, tmp_path):
    shipped = assets.shipped("weights") / "one_drum.safetensors"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.safetensors").write_bytes(shipped.read_bytes())
    status, out, _ = perpetuum("models", "show", tmp_path / "run")
    assert status == 0
    assert str(tmp_path / "run" / "mine.safetensors") in out
    assert read_card(tmp_path / "run").config == "one_drum"


def test_show_of_what_is_not_here_says_what_is_meant_or_where_to_look(perpetuum):
    status, _, err = perpetuum("models", "show", "oboe")
    assert status == 2
    assert "there are no weights 'oboe' here" in err
    assert "perpetuum models list" in err
    _, _, err = perpetuum("models", "show", "drumkit")
    assert "Did you mean drum_kit?" in err


def test_a_card_cannot_move_the_cursor(perpetuum, tmp_path):
    perpetuum("models", "import", ONE_DRUM, "--name", "\x1b[2Jgone", "-o", "net.safetensors")
    _, out, _ = perpetuum("models", "show", "./net.safetensors")
    assert "\x1b" not in out
    assert "[2Jgone" in out


def test_the_command_runs_without_tensorflow():
    program = (
        "import sys\n"
        "sys.modules['tensorflow'] = None\n"
        "from engine.cli import main\n"
        f"main(['models', 'show', {str(ATTENTION)!r}])\n"
    )
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "melody_rnn, attention_rnn" in made.stdout


def test_the_timbre_network_has_its_card_among_the_others(perpetuum, tmp_path):
    _, out, _ = perpetuum("models", "list", "--format", "json")
    [row] = [one for one in json.loads(out) if one["name"] == "timbre"]
    assert (row["family"], row["config"], row["licence"]) == ("timbre", "neural", "MIT")
    copy = tmp_path / "mine.safetensors"
    copy.write_bytes(Path(row["path"]).read_bytes())
    for name in ("timbre", copy):
        _, out, _ = perpetuum("models", "show", name)
        assert "components 192, hidden 256, latent 16" in out
        assert "Frank Wen" in out
        assert "held out: General MIDI programs 5, 11" in out
