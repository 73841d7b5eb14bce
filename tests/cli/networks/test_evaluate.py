"""Facts about `perpetuum evaluate` and the page that it writes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from engine.cli import cli
from engine.networks import read_card
from engine.networks.card import read_weights
from engine.training.datasets import save_pieces
from engine.training.evaluation.page import marks, written
from tests.cli.weights import made_up
from tests.training.evaluation.pieces import basses, beats, chorales, grooves, melodies

PIECES = {
    "drum_kit": beats,
    "polyphony": chorales,
    "cat-mel_2bar_small": melodies,
    "groovae_2bar_humanize": grooves,
    "ensemble": basses,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Weights and data of each kind."""
    folder = tmp_path_factory.mktemp("evaluate")
    for config, pieces in PIECES.items():
        made_up(folder, config)
        save_pieces(folder / f"{config}.npz", pieces())
    return folder


def evaluate(made: Path, config: str, *more: object, weights: Path | None = None):
    """Run the command on what was made."""
    weights = weights or made / f"{config}.safetensors"
    words = ["evaluate", config, "--weights", weights, "--data", made / f"{config}.npz", "--samples", "4", *more]
    return CliRunner().invoke(cli, [str(word) for word in words])


def section_of(page: Path, name: str) -> str:
    begin, end = marks(name)
    text = page.read_text(encoding="utf-8")
    assert text.count(begin) == text.count(end) == 1
    return text.partition(begin)[2].partition(end)[0]


def numbers_of(section: str) -> dict[str, float]:
    """The figures that a section of the page gives."""
    rows = re.findall(r"^\| (\w+) \| (-?[\d,.]+) \| [^|]+ \| [^|]+ \|$", section, re.MULTILINE)
    return {name: float(value.replace(",", "")) for name, value in rows}


@pytest.mark.parametrize("config", PIECES)
def test_json_is_one_document_with_the_unit_of_every_figure(made, config):
    result = evaluate(made, config, "--format", "json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["config"], report["split"]) == (config, "test")
    assert report["pieces"]["train"] >= 2
    assert report["figures"]
    for name, figure in report["figures"].items():
        assert figure["unit"], name
        assert np.isfinite(figure["value"]), name
    again = evaluate(made, config, "--format", "json")
    assert again.stdout == result.stdout, "the same seed, the same figures"


def test_the_text_names_baselines_and_what_an_event_is(made):
    result = evaluate(made, "polyphony")
    assert result.exit_code == 0, result.output
    assert "a note, or the end of a sixteenth" in result.stdout
    for name in ("bigram", "under_bigram", "chorale_frame", "overlap_pitch_train", "copied_bars_held_out"):
        assert f"\n{name} " in result.stdout


def test_particles_ask_for_the_estimate_of_frames(made):
    result = evaluate(made, "polyphony", "--particles", "8", "--format", "json", "--samples", "0")
    figures = json.loads(result.stdout)["figures"]
    assert figures["chorale_frame_estimate"]["value"] < figures["chorale_frame"]["value"]
    assert "overlap_pitch" not in figures


def test_the_page_has_the_figures_of_the_card_and_is_the_same_when_made_again(made, tmp_path):
    weights = shutil.copy(made / "drum_kit.safetensors", tmp_path / "my_drums.safetensors")
    before = read_weights(Path(weights))[1]
    page = tmp_path / "docs" / "models.md"
    page.parent.mkdir()
    page.write_text("# Mine\n\nNot to be touched.\n")
    words = ("--page", page, "--update-card", "--remark", "It knows | one beat", "--temperature", "0.9")
    result = evaluate(made, "drum_kit", *words, weights=weights)
    assert result.exit_code == 0, result.output
    metrics = read_card(weights).metrics
    assert metrics["unit"] == "nats per sixteenth; test split"
    section = section_of(page, "my_drums")
    assert numbers_of(section) == {name: value for name, value in metrics.items() if name != "unit"}
    assert page.read_text().startswith("# Mine\n\nNot to be touched.\n")
    assert "**Known weaknesses.** It knows | one beat.\n" in section
    assert "weights: my_drums" in section
    assert "perpetuum evaluate drum_kit --weights my_drums --data DATA --samples 4 --temperature 0.9" in section
    picture = tmp_path / "docs" / "models" / "my_drums.png"
    assert "(models/my_drums.png)" in section
    assert 1_000 < picture.stat().st_size < 60_000
    made_first = page.read_bytes(), picture.read_bytes(), Path(weights).read_bytes()
    assert evaluate(made, "drum_kit", *words[:3], *words[5:], weights=weights).exit_code == 0, "the remark stays"
    assert (page.read_bytes(), picture.read_bytes(), Path(weights).read_bytes()) == made_first
    for name, numbers in before.items():
        np.testing.assert_array_equal(read_weights(Path(weights))[1][name], numbers)


def test_sections_of_others_stay(made, tmp_path):
    page = tmp_path / "models.md"
    for config in ("groovae_2bar_humanize", "cat-mel_2bar_small", "groovae_2bar_humanize"):
        result = evaluate(made, config, "--page", page)
        assert result.exit_code == 0, result.output
    text = page.read_text()
    assert text.startswith("# Models\n")
    assert text.index(marks("groovae_2bar_humanize")[0]) < text.index(marks("cat-mel_2bar_small")[0])
    assert "timing_mae_ms" in section_of(page, "groovae_2bar_humanize")
    assert "walk_step" in section_of(page, "cat-mel_2bar_small")
    assert "--update-card writes these" in result.stderr


@pytest.mark.parametrize("config", ["drum_kit", "groovae_2bar_humanize"])
def test_a_picture_is_drawn_anew_without_touching_the_rest_of_the_page(made, tmp_path, config):
    page, picture = tmp_path / "models.md", tmp_path / "models" / f"{config}.png"
    page.write_text("# Mine\n")
    assert "shows no picture" in str(evaluate(made, config, "--page", page, "--redraw").exception)
    assert evaluate(made, config, "--page", page).exit_code == 0
    first = picture.read_bytes(), page.read_text()
    caption = re.search(r"^\*.*typical excerpts.*\*$", first[1], re.MULTILINE)
    assert caption
    picture.unlink()
    page.write_text(first[1].replace(caption.group(), "*As it was.*"))
    result = evaluate(made, config, "--page", page, "--redraw")
    assert result.exit_code == 0, result.output
    assert (picture.read_bytes(), page.read_text()) == first


def test_what_has_no_card_gets_no_page(made, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    np.savez(run / "best.npz", allow_pickle=False, **read_weights(made / "drum_kit.safetensors")[1])
    result = evaluate(made, "drum_kit", "--format", "json", weights=run)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["weights"] == str(run)
    assert "only a weights file has a card" in str(evaluate(made, "drum_kit", "--page", "x.md", weights=run).exception)
    assert "only a weights file" in str(evaluate(made, "drum_kit", "--update-card", weights=run).exception)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["drum_kitt", "--weights", "drum_kit"], "Did you mean drum_kit?"),
        (["one_drum", "--weights", "{made}/drum_kit.safetensors"], "Say `perpetuum evaluate drum_kit` for these."),
        (["drum_kit", "--weights", "drum_kitt"], "there are no weights 'drum_kitt' here"),
        (
            ["drum_kit", "--weights", "{made}/drum_kit.safetensors", "--samples", "0", "--page", "x.md"],
            "Leave --samples 0",
        ),
        (
            ["drum_kit", "--weights", "{made}/drum_kit.safetensors", "--redraw"],
            "the picture of a --page",
        ),
    ],
)
def test_what_is_asked_wrongly_is_answered(made, words, message):
    arguments = [word.format(made=made) for word in words]
    result = CliRunner().invoke(cli, ["evaluate", *arguments, "--data", str(made / "drum_kit.npz")])
    assert result.exit_code != 0
    assert message in str(result.exception)


def test_a_section_without_an_end_is_not_guessed_at(made, tmp_path):
    page = tmp_path / "models.md"
    page.write_text(marks("drum_kit")[0] + "\nhalf a section\n")
    result = evaluate(made, "drum_kit", "--page", page)
    assert "the section of drum_kit has no end" in str(result.exception)
    assert page.read_text().endswith("half a section\n")


def test_networks_are_judged_without_tensorflow(made):
    script = (
        "import sys; from engine.cli import cli; "
        f"cli(['evaluate', 'drum_kit', '--weights', {str(made / 'drum_kit.safetensors')!r}, '--data', "
        f"{str(made / 'drum_kit.npz')!r}, '--samples', '2', '--format', 'json'], standalone_mode=False); "
        "sys.exit(bool({'tensorflow', 'keras', 'jax'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


@pytest.mark.parametrize(("value", "text"), [(48464.0, "48,464"), (0.98765, "0.9877"), (1.0, "1.0000"), (-3.0, "-3")])
def test_counts_are_written_whole(value, text):
    assert written(value) == text
