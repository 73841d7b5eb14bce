"""What a right scene means."""

import math
import shutil
import subprocess
import sys

import pytest

from engine import assets
from engine.generators.contract import Link, Role
from engine.score.harmony.keys import Key
from engine.score.time import Meter
from engine.units import PitchRange, Range
from tests.cli.weights import made_up
from tests.scenes.writing import RIGHT, load_text, only_error, pointed_at, right, spoiled


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return right(tmp_path_factory.mktemp("right"), RIGHT)


def test_the_head_is_read(scene):
    assert (scene.title, scene.seed, scene.meter, scene.key) == ("A small scene", 7, Meter(4, 4), Key(2, "dorian"))
    assert scene.tempo.qpm == Range(84, 92)
    assert scene.tempo.drift is None
    assert scene.opening == 0


def test_parts_and_sections_keep_the_order_of_the_file(scene):
    assert list(scene.parts) == ["pad", "drums", "tune"]
    assert list(scene.sections) == ["drift", "bloom"]


def test_the_sound_of_a_part_is_in_decibels_and_from_left_to_right(scene):
    sound = scene.parts["pad"].sound
    assert (sound.level, sound.pan, sound.reverb, sound.delay) == (-14.0, -0.2, -10.0, -math.inf)
    assert sound.instrument.endswith("/warm_pad.yaml")


def test_a_part_plays_the_first_role_of_its_generator(scene):
    assert [part.role for part in scene.parts.values()] == [Role.CHORDS, Role.DRUMS, Role.MELODY]


def test_links_name_parts_and_drums(scene):
    sources = scene.parts["tune"].sources
    assert sources[Link.CHORDS].part == "pad"
    assert (sources[Link.RHYTHM].part, sources[Link.RHYTHM].drum) == ("drums", 0)


def test_a_primer_of_notes_is_a_phrase(scene):
    primer = scene.parts["tune"].primer
    assert primer.length == 4.0
    assert primer.notes["pitch"].tolist() == [62, 64, 62, 69]
    assert primer.notes["start"].tolist() == [0, 1, 2, 2]


def test_transforms_are_read_with_shorthand_and_mapping(scene):
    kinds = [
        (kind, settings.model_dump(exclude={"chance", "every", "only"}))
        for kind, settings in scene.parts["tune"].transforms
    ]
    assert kinds[0] == ("octave_range", {"range": PitchRange(60, 84)})
    assert kinds[1] == ("thin", {"share": 0.3})
    assert kinds[2] == ("humanize", {"timing": 0.012, "velocity": 8})


def test_moves_are_curves_in_the_base_unit_of_what_they_move(scene):
    moves = {(move.part, move.target, move.transform): move.curve.points for move in scene.sections["drift"].moves}
    assert moves == {
        ("tune", "density", None): pytest.approx((0.2, 0.6)),
        ("pad", "level", None): (-30.0, -14.0),
        ("tune", "share", 1): (0.6,),
        ("tune", "velocity", 2): (4, 9),
        ("pad", "style", None): ("pulsed",),
    }


def test_a_fade_from_off_begins_at_a_level_that_a_line_can_leave(tmp_path):
    scene = right(tmp_path, spoiled(("-30 -> -14 dB", "off -> -14 dB")))
    move = next(move for move in scene.sections["drift"].moves if move.target == "level")
    assert all(math.isfinite(point) for point in move.curve.points)


def test_sections_follow_by_weights_or_by_order(scene):
    assert scene.sections["drift"].next == {"bloom": 3.0, "drift": 1.0}
    assert scene.sections["bloom"].next == {"drift": 1.0}


def test_a_section_may_have_its_own_tempo_and_key(scene):
    assert scene.sections["bloom"].tempo.drift.points == (84.0, 90.0)
    assert scene.sections["bloom"].key == Key(5, "major")
    assert scene.sections["drift"].tempo is None


def test_a_delay_in_beats_runs_at_the_middle_tempo_of_the_scene(scene):
    assert scene.mix.delay_time == pytest.approx(0.75 * 60 / 88)
    assert (scene.mix.reverb_time, scene.mix.level) == (4.0, -1.0)


def test_a_bare_name_uses_the_defaults_of_a_transform(tmp_path):
    scene = right(tmp_path, spoiled(("- thin: 30 %", "- thin"), ("tune.thin: 60 %", "tune.thin: 50 %")))
    assert scene.parts["tune"].transforms[1][1].share == 0.3


def test_free_keys_anchors_and_merges_change_nothing_else(tmp_path):
    text = spoiled(
        ("parts:\n", "x-soft: &soft {level: -20 dB, pan: 35 % right}\nparts:\n"),
        ("  drums:\n", "  drums:\n    <<: *soft\n    pan: center\n    x-why: {any: [thing]}\n"),
        ("kind: drum_rules,", "kind: drum_rules, x-note: yes,"),
    )
    drums = right(tmp_path, text).parts["drums"]
    assert (drums.sound.level, drums.sound.pan) == (-20.0, 0.0)


def test_no_is_a_name_like_any_other_even_below_a_yaml_1_1_header(tmp_path):
    text = "%YAML 1.1\n---\n" + RIGHT.replace("pad", "no").replace("warm_no", "warm_pad")
    assert "no" in right(tmp_path, text).parts


def test_a_drum_grid_may_be_a_mapping(tmp_path):
    grid = "{kind: drum_rules, primer: {bd: x...x..., hh: x.}}"
    primer = right(tmp_path, spoiled(("{kind: drum_rules, style: straight}", grid))).parts["drums"].primer
    assert primer.length == 2.0
    assert sorted(set(primer.notes["pitch"].tolist())) == [36, 42]


def test_a_primer_may_be_another_part(tmp_path):
    scene = right(tmp_path, spoiled(('"D4:1 E4:1/2 ~:1/2 [D4 A4]:2"', "{part: pad}")))
    assert scene.parts["tune"].sources[Link.PRIMER].part == "pad"
    assert scene.parts["tune"].primer is None


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path):
    scene, found = load_text(tmp_path, b"\xef\xbb\xbf" + RIGHT.replace("\n", "\r\n").encode())
    assert found == []
    assert scene is not None


def test_two_chains_of_three_links_come_from_yaml_alone(tmp_path):
    """Chords to bass to melody, and drums to bass to a second melody: every order is found."""
    text = spoiled(("rhythm: drums.kick", "rhythm: bass"), ("[pad, tune, drums]", "[echo, tune]"))
    text = text.replace("sections:\n", _BASS + "\nsections:\n", 1)
    order = right(tmp_path, text).playing_order()
    assert order.index("pad") < order.index("bass") < order.index("tune")
    assert order.index("drums") < order.index("bass") < order.index("echo")


_BASS = """\
  bass:
    generator: {kind: bass_line, chords: pad, rhythm: drums.kick}
    instrument: round_bass
  echo:
    generator: {kind: melody_rules, rhythm: bass}
    instrument: glass_bell
"""


def test_missing_weights_leave_the_scene_whole_but_not_valid(tmp_path):
    """Rules play in their place, and the message says which, and what to do."""
    text = spoiled(
        ("kind: melody_rules", "kind: melody_rnn\n      config: mono_rnn"),
        ("      density: 40 %\n", ""),
        ("tune.density: 20 % -> 60 %", "tune.temperature: 0.8 -> 1.2"),
    )
    scene, found = load_text(tmp_path, text)
    assert scene is not None
    assert [str(one.severity) for one in found] == ["unavailable"]
    assert "no shipped weights for `mono_rnn`" in found[0].message
    assert "`weights:`" in found[0].hint
    assert "melody_rules" in found[0].hint


def test_a_part_may_say_which_of_its_generators_roles_it_plays(tmp_path):
    text = spoiled(("generator: chord_walk\n    phrase", "generator: arpeggio\n    role: chords\n    phrase"))
    text = text.replace("      pad.style: pulsed\n", "").replace("instrument: warm_pad", "instrument: grand_piano")
    assert right(tmp_path, text).parts["pad"].role is Role.CHORDS


def test_weights_beside_the_scene_are_found_by_their_absolute_path(tmp_path):
    shutil.copy(assets.find("weights", "drum_kit", ".safetensors"), tmp_path / "mine.safetensors")
    text = spoiled(("{kind: drum_rules, style: straight}", "{kind: drums_rnn, weights: mine.safetensors}"))
    scene = right(tmp_path, text)
    assert scene.parts["drums"].settings.weights == str(tmp_path / "mine.safetensors")


@pytest.mark.parametrize(
    ("weights", "message", "expected"),
    [
        ("attention_rnn", "are of `attention_rnn`, not of `drum_kit`", "they are of melody_rnn"),
        ("broken.safetensors", "not a readable weights file", ""),
        ("nowhere.mag", "no weights `nowhere.mag`", ""),
    ],
)
def test_weights_that_do_not_fit_are_errors(tmp_path, weights, message, expected):
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    text = spoiled(("{kind: drum_rules, style: straight}", f"{{kind: drums_rnn, weights: {weights}}}"))
    scene, found = load_text(tmp_path, text)
    assert scene is None
    assert [str(one.severity) for one in found] == ["error"]
    assert message in found[0].message
    assert expected in found[0].hint
    assert found[0].quoted[found[0].column - 1 :].startswith(weights)


def test_a_config_that_would_fit_the_weights_is_named(tmp_path):
    text = spoiled(
        ("kind: melody_rules", "kind: melody_rnn\n      config: basic_rnn\n      weights: attention_rnn"),
        ("      density: 40 %\n", ""),
        ("tune.density: 20 % -> 60 %", "tune.temperature: 0.8 -> 1.2"),
    )
    assert "`config: attention_rnn` fits them" in load_text(tmp_path, text)[1][0].hint


def test_a_network_that_cannot_count_the_meter_is_an_error(tmp_path):
    """Drums in steps of an eighth have no place in a bar of fifteen sixteenths."""
    made_up(tmp_path, "one_drum")
    text = spoiled(
        ("{kind: drum_rules, style: straight}", "{kind: drums_rnn, config: one_drum, weights: one_drum.safetensors}"),
        ("meter: 4/4", "meter: 15/16"),
    )
    found = load_text(tmp_path, text)[1]
    assert any("in 15/16" in one.message for one in found)


def test_loading_a_scene_of_networks_imports_none_of_them(tmp_path):
    """Nor the sound, nor anything else that would keep `play` from sounding at once."""
    (tmp_path / "scene.yaml").write_text(spoiled(("kind: drum_rules, style: straight", "kind: drums_rnn")))
    code = (
        "import sys, pathlib\nfrom engine.scenes import load\n"
        f"assert load(pathlib.Path({str(tmp_path / 'scene.yaml')!r}))[0]\n"
        "print(*({'tensorflow', 'keras', 'pyo', 'pyo64', 'note_seq', 'mido', 'rich', 'click'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


@pytest.mark.parametrize(("opening", "bars"), [("4 bars", 4), ("1 bar", 1), ("0 bars", 0), ("256 bars", 256)])
def test_an_opening_is_a_number_of_bars(tmp_path, opening, bars):
    scene, found = load_text(tmp_path, spoiled(("\nparts:", f"\nopening: {opening}\nparts:")))
    assert found == []
    assert scene.opening == bars


@pytest.mark.parametrize("opening", ["12 s", "4", "-1 bars", "257 bars", "1/2 bars", "2..4 bars", "[]"])
def test_an_opening_that_is_no_number_of_bars_is_refused(tmp_path, opening):
    error = only_error(tmp_path, spoiled(("\nparts:", f"\nopening: {opening}\nparts:")))
    assert pointed_at(error) in (opening, "opening")
