"""Facts about `perpetuum dataset`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from engine.cli import cli
from engine.cli.networks.dataset import reading
from engine.errors import PerpetuumError
from engine.training.datasets import open_dataset
from tests.training.datasets.writing import quarters, rock, scale, tune, write_drums, write_notes, write_scores


def run(*arguments):
    """What a command line printed, and its status."""
    result = CliRunner().invoke(cli, ["dataset", *map(str, arguments)])
    if isinstance(result.exception, PerpetuumError):
        return str(result.exception), 2
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.output, result.exit_code


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    for k in range(3):
        write_drums(folder / f"beat{k}.mid", rock(8, seed=k), qpm=90 + 40 * k)
    write_notes(folder / "song.mid", [(73, scale(64, 72)), (33, [(4.0 * k, 4.0 * k + 4, 40) for k in range(16)])])
    write_scores(folder / "set.jsonl", [tune(quarters(32))])
    (folder / "set.jsonl").write_bytes(b'{"nothing": 1}\n')
    (folder / "broken.mid").write_bytes(b"MThd")
    return folder


def test_building_says_what_was_used_and_why_the_rest_was_not(music, tmp_path):
    out, status = run("build", music, "--for", "drum_kit", "-o", tmp_path / "set", "--tempo", "100..200", "--jobs", "1")
    assert status == 0
    for said in (
        "used",
        "skipped",
        "its header is cut off",
        "tempo outside 100..200",
        "no drums",
        "train",
        "validation",
    ):
        assert said in out
    assert f"perpetuum train drum_kit --data {tmp_path / 'set'}" in out
    assert len(open_dataset([tmp_path / "set"], "drum_kit").pieces) == 2
    assert (tmp_path / "set" / "cache" / "read.sqlite").exists()


def test_where_no_folder_can_be_made_the_reason_is_told(music, tmp_path):
    (tmp_path / "file").write_text("")
    out, status = run("build", music, "--for", "drum_kit", "-o", tmp_path / "file" / "set")
    assert status == 2
    assert f"there is no folder {tmp_path / 'file'}" in out


def test_the_command_that_trains_on_it_can_be_pasted(music, tmp_path):
    out, _ = run("build", music, "--for", "drum_kit", "-o", tmp_path / "my set", "--jobs", "1")
    assert f"--data '{tmp_path / 'my set'}'" in out
    assert str(tmp_path / "my set" / "manifest.json") in out


def test_settings_are_kept_in_the_manifest(music, tmp_path):
    out, status = run(
        *(
            "build",
            music / "song.mid",
            "--for",
            "attention_rnn",
            "-o",
            tmp_path,
            "--transpose",
            "-2..3",
            "--meter",
            "4/4,2/4",
        ),
        *("--instruments", "Pipe,34", "--min-bars", 2, "--seed", 5, "--jobs", 1),
    )
    assert status == 0, out
    settings = json.loads((tmp_path / "manifest.json").read_text())["settings"]
    assert settings["augmentation"] == {"transpose": [-2, 3], "stretch": [1.0, 1.0]}
    assert settings["filters"]["meters"] == [[2, 4], [4, 4]]
    assert settings["filters"]["instruments"] == ["pipe", "34"]
    assert (settings["seed"], settings["filters"]["min_bars"]) == (5, 2)
    assert open_dataset([tmp_path], "attention_rnn").augmentation.transpose == (-2, 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--for", "drumkit"), "Did you mean drum_kit"),
        (("--for", "drum_kit", "--meter", "4"), "'4' is not a meter"),
        (("--for", "attention_rnn", "--instruments", "kazoo"), "'kazoo' is no instrument"),
        (("--for", "performance", "--stretch", "1.1..0.9"), "no range within 0.5..2"),
        (("--for", "attention_rnn", "--transpose", "a..b"), "not two numbers"),
        (("--for", "drum_kit", "--validation", "0.6", "--test", "0.6"), "leave nothing to train on"),
        (("--for", "drum_kit", "--meter", "3/4"), "bars of sixteen sixteenths"),
    ],
)
def test_options_that_make_no_sense_are_refused_with_what_to_do(music, tmp_path, options, said):
    out, status = run("build", music, "-o", tmp_path, *options)
    assert status == 2
    assert said in out


def test_stats_of_a_folder_of_music(music, tmp_path):
    out, status = run("stats", music, "--format", "json", "--plot", tmp_path / "plot.png", "--jobs", 1)
    assert status == 0, out
    found = json.loads(out[out.index("{") :])  # before it, on stderr, how far it is, where that takes long
    assert (found["pieces"], found["skipped"]) == (4, {"its header is cut off": 1, "not a line of a score set": 1})
    assert found["meters"] == {"4/4": 4}
    assert found["tempi"] == {"90": 1, "130": 1, "170": 1, "120": 1}
    assert found["instruments"]["bass"] == 16
    assert found["drums"]["snare"] == 3 * 16
    assert found["voices"] == {"2": 64}
    assert found["lengths"] == {"1/4": 64, "1/1": 16}
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_stats_of_a_data_set_count_its_pieces(music, tmp_path):
    run("build", music / "song.mid", "--for", "attention_rnn", "-o", tmp_path, "--jobs", 1)
    out, status = run("stats", tmp_path)
    assert status == 0, out
    assert "1 pieces, 64 notes, 16 bars" in out
    assert "instruments" not in out


def test_without_a_terminal_lines_say_how_far_the_reading_is(capsys, monkeypatch):
    now = 100.0
    monkeypatch.setattr("engine.cli.waiting.time.monotonic", lambda: now)
    with reading("Reading", "nothing is kept") as tell:
        tell(0, 8)
        now += 6
        tell(2, 8)
    assert capsys.readouterr().err == "reading: 25%, about 18 s left\n"


def test_ctrl_c_says_how_to_go_on():
    def stopped():
        with reading("Reading", "the same command goes on") as tell:
            tell(3, 9)
            raise KeyboardInterrupt

    with pytest.raises(PerpetuumError, match=r"stopped after 3 of 9\n  The same command goes on\."):
        stopped()
