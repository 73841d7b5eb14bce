"""Networks in scenes: every family can be named, its settings move, and what would not play is an error of `check`."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.conductor.phrases.lines import Line
from engine.conductor.phrases.requests import request_for
from engine.form.plan import Plan
from engine.generators.contract import Role
from engine.generators.neural.continuation import rnn_of
from engine.ideas.memory import IdeaMemory
from engine.networks import CONFIGS
from engine.networks.card import read_weights, write_weights
from engine.runtime.ending import networks_of
from engine.scenes.text.diagnostics import listed
from engine.scenes.text.problems import Severity
from engine.score.midi.writing import write_piece
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track
from tests.cli.weights import made_up
from tests.scenes.writing import load_text, pointed_at

FIXTURES = Path(__file__).resolve().parents[2] / "networks" / "checkpoints" / "fixtures"
SMALL_VAE = "kind: music_vae, config: cat-mel_2bar_small, weights: cat-mel_2bar_small.safetensors"
PARTS = {
    "kit": "{kind: drums_rnn, config: one_drum, weights: one_drum.safetensors, candidates: 4}",
    "tune": "{kind: melody_rnn, config: lookback_rnn, weights: lookback_rnn.safetensors, top_k: 8, beam_size: 2}",
    "solo": "{kind: improv_rnn, config: basic_improv, weights: basic_improv.safetensors, chords: chorale}",
    "chorale": "{kind: polyphony_rnn, weights: polyphony.safetensors, primer: {midi: theme.mid}, inject_primer: true}",
    "piano": "{kind: performance_rnn, config: multiconditioned_performance_with_dynamics, "
    "weights: multiconditioned_performance_with_dynamics.safetensors, notes_per_second: 6, pitch_classes: chords}",
    "roll": "{kind: pianoroll_rnn_nade, weights: rnn-nade.safetensors, temperature: 0.8}",
    "way": f"{{{SMALL_VAE}, mode: interpolate, points: [theme.mid, 7]}}",
}
MADE_UP = (
    *(
        "one_drum",
        "performance",
        "lookback_rnn",
        "basic_improv",
        "polyphony",
        "multiconditioned_performance_with_dynamics",
        "rnn-nade",
    ),
    *("cat-mel_2bar_small", "groovae_2bar_humanize", "cat-drums_2bar_small", "hierdec-trio_16bar"),
)
MOVES = """\
      piano.notes_per_second: 2 -> 12
      way.temperature: 0.3 -> 1.2
      kit.groove: 20 -> 100 %
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Weights of all configs, and a MIDI file."""
    folder = tmp_path_factory.mktemp("networks")
    for config in MADE_UP:
        made_up(folder, config)
    tune = np.array([(beat, beat + 1, 60 + beat, 80) for beat in range(8)], NOTE)
    write_piece(folder / "theme.mid", Piece((Track(tune, "tune"),)))
    write_piece(folder / "beat.mid", Piece((Track(tune, "drums", is_drum=True),)))
    return folder


def written(folder, parts=PARTS, moves=MOVES, groove="groove: {weights: groovae_2bar_humanize.safetensors}", head=""):
    lines = [f"perpetuum: 1\ntitle: Networks\ntempo: 90 qpm\nkey: D dorian\n{head}\nparts:"]
    for name, generator in parts.items():
        instrument = "electronic_kit" if name == "kit" and "drum" in generator else "marimba"
        lines.append(f"  {name}:\n    generator: {generator}\n    instrument: {instrument}")
        if name == "kit" and groove:
            lines.append(f"    transforms:\n      - {groove}")
    lines.append(f"sections:\n  a:\n    bars: 16 bars\n    parts: [{', '.join(parts)}]")
    lines.append(f"    move:\n{moves}" if moves else "")
    return load_text(folder, "\n".join(lines))


def test_every_family_can_be_named_with_weights_beside_the_scene(folder):
    scene, found = written(folder)
    # Several of them make chords, and none of them can follow another.
    assert {str(each.severity) for each in found} == {"warning"}
    assert all("make chords of their own" in each.message for each in found)
    assert all("different sections" in each.hint for each in found)
    assert {part.generator for part in scene.parts.values()} == {text.split()[1].strip(",") for text in PARTS.values()}
    for part in scene.parts.values():
        assert part.needs_network
        assert part.settings.weights.startswith(str(folder))
    assert scene.parts["way"].settings.points == (str(folder / "theme.mid"), 7)
    assert scene.parts["kit"].transforms[0][1].weights == str(folder / "groovae_2bar_humanize.safetensors")
    others = [text.split()[1].strip(",") for name, text in PARTS.items() if name != "kit"]
    assert [name for name, _ in networks_of(scene)] == ["drums_rnn", "groove", *others]


def test_settings_of_networks_move_along_curves(folder):
    scene, _ = written(folder, head="opening: 0 bars")
    plan = Plan(scene, 1)
    lines = {name: Line(part, 4.0) for name, part in scene.parts.items()}

    def halfway(part):
        return request_for(plan, lines[part], plan.slot(part, 8), lines, IdeaMemory(), 0.0, complete=False)

    assert halfway("piano").settings.notes_per_second == 7.0
    assert halfway("kit").transforms[0][1].amount == pytest.approx(0.6)


def one(generator, **more):
    return {"one": generator, **more}


def test_of_a_list_of_points_every_missing_file_is_told_once_at_its_place(folder):
    _, found = written(folder, one(f"{{{SMALL_VAE}, points: [a.mid, theme.mid, b.mid, a.mid, 7]}}"), "", "")
    assert [(one.message, pointed_at(one)) for one in found] == [
        ("no MIDI file `a.mid`", "a.mid"),
        ("no MIDI file `b.mid`", "b.mid"),
    ]
    columns = [one.column for one in found]
    assert columns[0] < columns[1] < found[0].quoted.rindex("a.mid")


@pytest.mark.parametrize(
    ("generator", "message", "hint"),
    [
        (
            "{kind: melody_rnn, config: mono_rnn}",
            "no shipped weights for `mono_rnn`",
            "`melody_rules` plays this part",
        ),
        (
            "{kind: music_vae, config: cat-mel_2bar_big}",
            "no shipped weights for `cat-mel_2bar_big`",
            "`weights:`",
        ),
        (
            "{kind: melody_rnn, weights: lookback_rnn.safetensors}",
            "are of `lookback_rnn`, not of `attention_rnn`",
            "`config: lookback_rnn` fits",
        ),
        ("{kind: melody_rnn, weights: rnn-nade.safetensors}", "are of `rnn-nade`", "of pianoroll_rnn_nade"),
        (
            "{kind: music_vae, config: cat-drums_2bar_small, weights: cat-drums_2bar_small.safetensors}",
            "plays drums, and this part is melody",
            "`role: drums`",
        ),
        (f"{{{SMALL_VAE}, points: [beat.mid]}}", "has no tune", "another file"),
        (f"{{{SMALL_VAE}, points: [no.mid]}}", "no MIDI file `no.mid`", "where the scene lies"),
    ],
)
def test_what_would_not_play_is_said(folder, generator, message, hint):
    _, found = written(folder, one(generator), "", "")
    assert len(found) == 1
    assert message in found[0].message
    assert hint in found[0].hint


@pytest.mark.parametrize(
    ("generator", "doubt"),
    [
        (
            "{kind: performance_rnn, config: performance, weights: performance.safetensors, notes_per_second: 4}",
            "`performance` does not listen to `notes_per_second`",
        ),
        (
            "{kind: pianoroll_rnn_nade, weights: rnn-nade.safetensors, top_k: 3}",
            "`top_k` means nothing to `rnn-nade`",
        ),
    ],
)
def test_settings_that_change_nothing_are_told(folder, generator, doubt):
    scene, found = written(folder, one(generator), "", "")
    assert scene is not None
    assert [str(each.severity) for each in found] == ["warning"]
    assert doubt in found[0].message


@pytest.mark.parametrize("generator", ["improv_rnn", "{kind: improv_rnn, rhythm: pad}"])
def test_an_improvisation_needs_chords_to_sing_over(folder, generator):
    pad = {"pad": "chord_walk", "kit": "drum_rules"}
    scene, found = written(folder, one(generator, **pad), "", "")
    assert scene is None
    error = next(each for each in found if each.severity is Severity.ERROR)
    assert pointed_at(error) == "improv_rnn"
    assert "needs `chords`" in error.message
    assert error.expected == "`pad`"
    assert "{kind: improv_rnn, chords: pad}" in error.hint


@pytest.mark.parametrize(
    ("more", "right"),
    [
        ("points: [1]", False),
        ("points: [theme.mid]", False),
        ('primer: "D4:4"', False),
        ("points: [1, 2]", True),
        ('primer: "D4:4", points: [1]', True),
        ("temperature: 0.5", True),
    ],
)
def test_an_interpolation_leads_from_one_point_to_another(folder, more, right):
    _, found = written(folder, one(f"{{{SMALL_VAE}, mode: interpolate, {more}}}"), "", "")
    assert [each.message for each in found] == (
        [] if right else ["`mode: interpolate` leads from point to point, and there is one alone"]
    )


def test_a_section_cannot_make_an_interpolation_of_one_point(folder):
    _, found = written(folder, one(f"{{{SMALL_VAE}, points: [1]}}"), "      one.mode: interpolate\n", "")
    assert [pointed_at(each) for each in found] == ["interpolate"]
    assert "there is one alone" in found[0].message


def test_a_move_that_changes_nothing_is_told(folder):
    deaf = "{kind: performance_rnn, config: performance, weights: performance.safetensors}"
    scene, found = written(folder, one(deaf), "      one.notes_per_second: 2 -> 9\n", "")
    assert scene is not None
    assert {str(each.severity) for each in found} == {"warning"}
    assert {pointed_at(each) for each in found} == {"one.notes_per_second"}
    assert len(found) == 1
    assert "does not listen to `notes_per_second`" in found[0].message


def test_what_cannot_move_is_not_offered(folder):
    _, found = written(folder, moves="      kit.nothing: 3\n")
    offered = found[0].expected
    assert "`kit.temperature`" in offered
    assert "`kit.groove`" in offered
    assert "kit.config" not in offered
    assert "kit.weights" not in offered
    _, found = written(folder, moves="      kit.groove.nothing: 3\n")
    assert found[0].expected == listed(
        [f"kit.groove.{name}" for name in ("amount", "temperature", "chance", "every", "only")]
    )


def test_a_network_of_sixteen_bars_of_four_four_plays_no_waltz(folder):
    trio = "{kind: music_vae, config: hierdec-trio_16bar, weights: hierdec-trio_16bar.safetensors}"
    assert written(folder, one(trio), "", "")[1] == []
    _, found = written(folder, one(trio), "", "", head="meter: 3/4")
    assert "in 3/4: hierdec-trio_16bar plays 16 bars of 16/16" in found[0].message


def test_a_groove_without_weights_is_unavailable_and_on_a_melody_of_no_use(folder):
    scene, found = written(folder, moves="", groove="groove: {style: replay}")
    assert scene is not None
    unavailable = [each.message for each in found if str(each.severity) == "unavailable"]
    assert ["no shipped weights for `groovae_4bar`" in message for message in unavailable] == [True]
    parts = {"kit": "{kind: melody_rules}"}
    _, found = written(folder, parts, "", "groove: {weights: groovae_2bar_humanize.safetensors}")
    assert [str(one.severity) for one in found] == ["warning"]
    assert "changes drums only" in found[0].message


@pytest.mark.parametrize("move", ["kit.config: drum_kit", "kit.groove.style: tap", "kit.weights: drum_kit"])
def test_a_section_cannot_change_the_network(folder, move):
    scene, found = written(folder, moves=f"      {move}\n")
    assert scene is None
    assert ["another network would have to play" in one.message for one in found] == [True]


def test_rules_with_a_network_transform_need_a_network_and_keep_their_role(folder):
    scene, found = written(folder, {"kit": "drum_rules"}, "")
    assert found == []
    assert scene.parts["kit"].role is Role.DRUMS
    assert scene.parts["kit"].needs_network
    assert [name for name, _ in networks_of(scene)] == ["groove"]


def test_a_checkpoint_of_magenta_can_be_named(folder):
    shutil.copy(FIXTURES / "melody_rnn__attention_rnn__small.mag", folder / "mine.mag")
    scene, found = written(folder, one("{kind: melody_rnn, weights: mine.mag}"), "", "")
    assert found == []
    assert scene.parts["one"].settings.weights == str(folder / "mine.mag")
    assert rnn_of("melody_rnn", "attention_rnn", str(folder / "mine.mag")).config.name == "attention_rnn"


def test_a_decoder_alone_cannot_hear_midi_files(folder):
    card, numbers = read_weights(folder / "cat-mel_2bar_small.safetensors")
    alone = {name: value for name, value in numbers.items() if name.startswith("decoder/")}
    sizes = CONFIGS[card.config].sizes({name: value.shape for name, value in alone.items()})
    write_weights(folder / "alone.safetensors", replace(card, sizes=sizes), alone)
    kind = "kind: music_vae, config: cat-mel_2bar_small, weights: alone.safetensors"
    assert written(folder, one(f"{{{kind}, points: [1, 2]}}"), "", "")[1] == []
    assert "decoder alone" in written(folder, one(f"{{{kind}, points: [theme.mid]}}"), "", "")[1][0].message
