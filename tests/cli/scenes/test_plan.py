"""Facts about `perpetuum plan`, `render` and the command line as a whole."""

import itertools
import json
import re

import pytest
from click.testing import CliRunner

from engine import assets
from engine.cli import VERBS, cli
from engine.errors import PerpetuumError


def run(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_a_plan_lists_sections_parts_generators_and_clock_times_and_seeds_where_they_are_asked_for():
    result = run("plan", "slow_groove", "--bars", "40")
    assert result.exit_code == 0
    assert "keys_alone: bars 1-8" in result.stdout
    assert "drums: drums_rnn" in result.stdout
    assert "0:00.0  bars 1-8\n" in result.stdout
    assert result.stdout.count("seed") == 1
    verbose = run("plan", "slow_groove", "--bars", "40", "--verbose").stdout
    assert re.search(r"0:00\.0  bars 1-8  seed [0-9a-f]{16}\n", verbose)
    assert re.sub(r"  seed [0-9a-f]{16}", "", verbose) == result.stdout


def test_a_plan_says_which_seed_it_took_and_which_one_play_takes(tmp_path):
    own = run("plan", "slow_groove", "--bars", "4").stdout.splitlines()[0]
    assert own.endswith("seed 20, the scene's own, which `play` takes, too")
    given = run("plan", "slow_groove", "--bars", "4", "--seed", "7").stdout.splitlines()[0]
    assert given.endswith("seed 7, as given; `play` takes the scene's own, 20, or this one with `--seed 7`")
    path = tmp_path / "scene.yaml"
    path.write_text(re.sub(r"^seed: .*\n", "", assets.scene("slow_groove").read_text(), flags=re.MULTILINE))
    drawn = [run("plan", path, "--bars", "4").stdout for _ in range(2)]
    seed = re.search(
        r"seed (\d+), drawn for this plan; `play` takes another each time, or this one with `--seed \1`\n", drawn[0]
    )
    assert seed
    assert drawn[0] != drawn[1]
    again = run("plan", path, "--bars", "4", "--seed", seed[1]).stdout
    assert again.splitlines()[1:] == drawn[0].splitlines()[1:]


def test_a_plan_tells_the_opening_in_bars(tmp_path):
    path = tmp_path / "scene.yaml"
    text = assets.scene("daylight").read_text()
    assert "by rules" not in run("plan", "daylight").stdout
    path.write_text(text.replace("\nparts:\n", "\nopening: 3 bars\n\nparts:\n", 1))
    out = run("plan", path).stdout
    assert "opening: 3 bars by rules, while networks load" in out.splitlines()[1:4]
    assert out.count("  by rules: the opening\n") == 1
    plan = json.loads(run("plan", path, "--bars", "100", "--format", "json").stdout)
    assert plan["opening"] == 3
    phrases = [
        phrase for visit in plan["passes"] for phrase in visit["phrases"] if phrase["generator"] == "performance_rnn"
    ]
    assert phrases[0]["opening"]
    assert all(phrase["opening"] == (phrase["first_bar"] <= 3) for phrase in phrases)


def test_the_plan_of_a_seed_is_always_the_same_and_of_another_differs():
    plans = [run("plan", "slow_groove", "--seed", seed).stdout for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]


def test_a_plan_in_json_holds_what_plays_when():
    plan = json.loads(run("plan", "glass_pulse", "--bars", "100", "--format", "json").stdout)
    passes = plan["passes"]
    assert passes[0]["section"] == "first_light"
    for one, other in itertools.pairwise(passes):
        assert other["first_bar"] == one["first_bar"] + one["bars"]
        assert other["seconds"] > one["seconds"]
    phrases = [phrase for visit in passes for phrase in visit["phrases"]]
    assert len({phrase["seed"] for phrase in phrases}) == len(phrases)


def test_a_plan_can_begin_with_a_section():
    assert "groove: bars 1-" in run("plan", "slow_groove", "--section", "groove").stdout


def test_a_plan_warns_of_what_is_never_reached(tmp_path):
    text = re.sub(r"breath: \d(?=[,}])(, )?", "", assets.scene("slow_groove").read_text())
    (tmp_path / "scene.yaml").write_text(text)
    result = run("plan", tmp_path / "scene.yaml")
    assert result.exit_code == 0
    assert "warning" in result.output
    assert "breath" in result.output


@pytest.mark.parametrize("arguments", [["--bars", "8", "--minutes", "1"], []])
def test_a_render_needs_one_length(arguments, tmp_path):
    result = run("render", "slow_groove", *arguments, "-o", tmp_path / "x.wav")
    assert result.exit_code == 2
    assert "either --bars N or --minutes M" in result.output


def test_an_unknown_scene_is_said_with_those_that_are_there():
    with pytest.raises(PerpetuumError, match=r"(?s)no scene or installation file 'slow_grove'.*slow_groove"):
        CliRunner().invoke(cli, ["plan", "slow_grove"], catch_exceptions=False)


def test_a_scene_that_is_not_valid_is_not_rendered(tmp_path):
    (tmp_path / "bad.yaml").write_text("perpetuum: 1\ntitle: Bad\n")
    result = run("render", tmp_path / "bad.yaml", "--bars", "1", "-o", tmp_path / "x.wav")
    assert result.exit_code == 1
    assert "is not valid" in result.output
    assert not (tmp_path / "x.wav").exists()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_examples(verb):
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"perpetuum {verb}" in result.stdout.partition("Examples:")[2]


def test_a_plan_tells_what_follows_the_day_and_its_hour(tmp_path):
    text = assets.scene("slow_groove").read_text()
    lines = "day:\n  keys.level: {06:00: -20 dB, 18:00: -8 dB}\n  melody.temperature: {06:00: 0.5, 18:00: 1.5}\n"
    (tmp_path / "scene.yaml").write_text(text.replace("\nparts:\n", f"\n{lines}\nparts:\n", 1))
    out = run("plan", tmp_path / "scene.yaml").stdout
    assert "at 12:00: keys.level -14 dB, melody.temperature 1" in out
    plan = json.loads(run("plan", tmp_path / "scene.yaml", "--at", "18:00", "--format", "json").stdout)
    assert plan["passes"][0]["time_of_day"] == "18:00"
    assert plan["passes"][0]["day"] == {"keys.level": "-8 dB", "melody.temperature": "1.5"}
    result = run("plan", tmp_path / "scene.yaml", "--at", "25:00")
    assert result.exit_code == 2
    assert "25:00 is no time of day; write it like 06:00" in result.output


@pytest.mark.parametrize(("arguments", "hour"), [((), 12.0), (("--at", "06:30"), 6.5)])
def test_a_render_begins_at_the_time_of_day_that_it_is_told(arguments, hour, tmp_path, monkeypatch):
    begun = []

    def render(*given):
        begun.append(next(one for one in given if hasattr(one, "at")))
        raise PerpetuumError("that is enough")

    monkeypatch.setattr("engine.runtime.render.render", render)
    run("render", "slow_groove", "--bars", "1", "-o", tmp_path / "x.wav", *arguments)
    assert [day.at(0) for day in begun] == [hour * 3600]


def test_how_far_a_plan_looks_is_said_once_and_minutes_end_with_the_pass_that_they_reach():
    both = run("plan", "slow_groove", "--bars", "8", "--minutes", "1")
    assert both.exit_code == 2
    assert "either --bars N or --minutes M" in both.output
    passes = json.loads(run("plan", "slow_groove", "--minutes", "3", "--format", "json").stdout)["passes"]
    assert 120 < passes[-1]["seconds"] < 180
