"""Facts about the picture of a plan, read back from matplotlib."""

import json

import pytest
from click.testing import CliRunner

pytest.importorskip("matplotlib")

from engine.cli import cli
from engine.cli.common import load_playable
from engine.cli.scenes.plan_picture import plan_figure
from engine.form.plan import Plan
from engine.form.themes import theme_of

SCENE = load_playable("slow_groove", None, None)
PLAN = Plan(SCENE, 20)
PASSES = [visit for visit, _ in zip(PLAN.passes(), range(60), strict=False)]
FIGURE = plan_figure(PLAN, PASSES)
AXES = {axes.get_ylabel(): axes for axes in FIGURE.axes}


def lines_of(axes) -> dict[str, int]:
    """How many spans of time each named line of an axes has."""
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    return {name: len(line.get_paths()) for name, line in zip(names, axes.collections, strict=True)}


def test_each_section_theme_and_part_has_a_line_with_its_spans_of_time():
    sections = [visit.section.name for visit in PASSES]
    assert lines_of(AXES["sections"]) == {name: sections.count(name) for name in sections}
    themes = [theme_of(SCENE, 20, visit).partition(".")[0] for visit in PASSES]
    assert lines_of(AXES["themes"]) == {one.name: themes.count(one.name) for one in SCENE.themes}
    heard = {name: sum(name in PLAN.sounding(visit) for visit in PASSES) for name in SCENE.parts}
    assert lines_of(AXES["parts"]) == heard


def test_movements_have_a_name_and_each_pass_is_as_high_as_it_is_full():
    movements = {visit.course.movement.index: visit.course.movement for visit in PASSES}
    assert [text.get_text() for text in AXES["full"].texts] == [f"{n + 1}, {one.shape}" for n, one in movements.items()]
    assert [bar.get_height() for bar in AXES["full"].patches] == [visit.intensity for visit in PASSES]


def test_levels_keys_and_tempo_go_over_all_bars():
    assert [list(line.get_ydata()) for line in AXES["levels"].lines] == [list(visit.dynamics) for visit in PASSES]
    names = [tick.get_text() for tick in AXES["keys"].get_yticklabels()]
    (keys,) = AXES["keys"].lines
    assert [names[int(place)] for place in keys.get_ydata()][:-1] == [str(visit.key) for visit in PASSES]
    (tempo,) = AXES["qpm"].lines
    assert list(tempo.get_ydata()) == [qpm for visit in PASSES for qpm in visit.qpms]
    assert AXES["qpm"].get_xlim()[1] == pytest.approx(PLAN.bar(PASSES[-1].end_bar).start / 48_000 / 60)


def test_the_command_draws_beside_what_it_prints_and_a_day_of_an_installation_has_no_form(tmp_path):
    picture = tmp_path / "form.svg"
    told = CliRunner().invoke(cli, ["plan", "still_water", "--bars", "40", "--format", "json", "--plot", str(picture)])
    assert told.exit_code == 0
    assert json.loads(told.stdout)["passes"]
    assert told.stderr == f"{picture}: the form\n"
    assert picture.read_bytes().startswith(b"<?xml")
    refused = CliRunner().invoke(cli, ["plan", "gallery", "--plot", str(picture)])
    assert refused.exit_code == 2
    assert "--plot is not for an installation" in refused.output


def test_names_that_look_like_formulas_are_written_as_they_are(tmp_path):
    scene = tmp_path / "odd.yaml"
    scene.write_text(
        "perpetuum: 1\ntitle: $\\frac\ntempo: 72 qpm\nkey: D dorian\nparts:\n  a_$b$:\n    generator: chord_walk\n"
        "    instrument: warm_pad\nsections:\n  s:\n    bars: 4 bars\n    parts: [a_$b$]\n"
    )
    told = CliRunner().invoke(cli, ["plan", str(scene), "--bars", "8", "--plot", str(tmp_path / "odd.png")])
    assert told.exit_code in (0, 1), told.output
    assert told.exit_code == 1 or (tmp_path / "odd.png").exists()
