"""What is said about a wrong scene, and where."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import model_validator

from engine import assets
from engine.generators.contract import GENERATORS, Settings
from engine.scenes import check_files
from engine.scenes.text.problems import Severity
from engine.score.midi import writing as midi_writing
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track
from engine.sound.instruments.instrument_file import load_instrument
from tests.scenes.writing import RIGHT, errors, load_text, only_error, pointed_at, right, spoiled

CASES = [
    # (what is replaced, by what, the characters above the caret, words of the message, what was probably meant)
    ("perpetuum: 1", "perpetuum: 2", "2", "`perpetuum`", ""),
    ("perpetuum: 1", "", "t", "no `perpetuum`", ""),
    ("title: A small scene", "titel: A small scene", "titel", "unknown key", "title"),
    ("title: A small scene", "title: 12", "12", "`title`", ""),
    ("title: A small scene", "title:", "title", "`title` is empty", ""),
    ("seed: 7", "seed: -7", "-7", "out of range", ""),
    ("seed: 7", "seed: 1.5", "1.5", "`seed`", ""),
    ("meter: 4/4", "meter: 4/5", "4/5", "not a meter", ""),
    ("tempo: 84..92 qpm", "tempo: 90", "90", "`tempo`", ""),
    ("tempo: 84..92 qpm", "tempo: 92..84 qpm", "92..84 qpm", "upside down", ""),
    ("tempo: 84..92 qpm", "tempo: 84 -> 920 qpm", "84 -> 920 qpm", "out of range", ""),
    ("key: D dorian", "key: D doria", "D doria", "no mode", "dorian"),
    ("key: D dorian", "key: H dorian", "H dorian", "not a note name", "B dorian"),
    ("generator: chord_walk", "generator: chord_wolk", "chord_wolk", "unknown generator", "chord_walk"),
    ("generator: chord_walk", "generator: {chords: tune}", "generator", "no `kind`", ""),
    ("    phrase: 8 bars", "    role: bass", "bass", "cannot play the role", ""),
    ("    phrase: 8 bars", "    role: singer", "singer", "none of the choices", ""),
    ("style: straight", "kind: drums_rnn, weights: drum_kid", "kind", "stands twice", ""),
    ("drum_rules, style: straight", "drums_rnn, weights: drum_kid", "drum_kid", "no weights", "drum_kit"),
    ("phrase: 8 bars", "phrase: 8 beats", "8 beats", "not a unit", ""),
    ("phrase: 8 bars", "phrase: 100 bars", "100 bars", "out of range", ""),
    ("instrument: warm_pad", "instrument: 12", "12", "`instrument`", ""),
    ("instrument: warm_pad", "instrument: warm_pat", "warm_pat", "no instrument", "warm_pad"),
    ("instrument: warm_pad", "instrument: ../warm_pad.yaml", "../warm_pad.yaml", "no instrument", "warm_pad"),
    ("    instrument: warm_pad\n", "", "pad", "no `instrument`", ""),
    ("level: -14 dB", "level: -14", "-14", "has no unit", ""),
    ("level: -14 dB", "levle: -14 dB", "levle", "unknown key", "level"),
    ("level: -14 dB", "colour: 20 %", "colour", "unknown key `colour`", ""),
    ("pan: 20 % left", "pan: 120 % left", "120 % left", "`pan`", ""),
    ("reverb: -10 dB", "reverbe: -10 dB", "reverbe", "unknown key", "reverb"),
    ("style: straight", "style: strait", "strait", "none of the choices", "straight"),
    ("style: straight", "stile: straight", "stile", "unknown key", "style"),
    ("chords: pad", "chords: pat", "pat", "unknown part", "pad"),
    ("chords: pad", "chords: tune", "tune", "cannot listen to itself", ""),
    ("chords: pad", "chords: drums", "drums", "no chords", ""),
    ("chords: pad", "chords: [pad]", "chords", "must name a part", ""),
    ("drums.kick", "drums.kik", "kik", "unknown drum", "kick"),
    ("drums.kick", "pad.kick", "kick", "plays no drums", ""),
    ("D4:1 E4", "D4:1 H4", "H4", "no note", ""),
    ("D4:1 E4", "D4 1 E4", "1", "no note", ""),
    ("[D4 A4]:2", "[D4 A4:2", "[", "does not end", ""),
    ("[D4 A4]:2", "| [D4 A4]:2", "|", "no bar ends here", ""),
    ("- octave_range: C4..C6", "- octave_range: C6..C4", "C6..C4", "octave", ""),
    ("- thin: 30 %", "- thyn: 30 %", "thyn", "unknown transform", "thin"),
    ("- thin: 30 %", "- thin: 30", "30", "has no unit", ""),
    ("timing: 12 ms", "timing: 5 s", "5 s", "out of range", ""),
    ("velocity: 8}", "velocty: 8}", "velocty", "unknown key", "velocity"),
    ("bars: 16..24 bars", "bars: 24..16 bars", "24..16 bars", "upside down", ""),
    ("parts: [pad, tune]", "parts: [pad, tun]", "tun", "unknown part", "tune"),
    ("parts: [pad, tune]", "parts: []", "parts", "would be silent", ""),
    ("parts: [pad, tune]", "parts: pad", "pad", "`parts`", ""),
    ("next: {bloom: 3, drift: 1}", "next: blom", "blom", "unknown section", "bloom"),
    ("next: {bloom: 3, drift: 1}", "next: {blom: 3}", "blom", "unknown section", "bloom"),
    ("next: {bloom: 3, drift: 1}", "next: {bloom: much}", "much", "weight", ""),
    ("next: {bloom: 3, drift: 1}", "next: {bloom: 0}", "next", "all weights are 0", ""),
    ("tune.density:", "tune.densty:", "densty", "has no `densty`", "tune.density"),
    ("tune.density:", "tun.density:", "tun", "unknown part", "tune"),
    ("20 % -> 60 %", "20 % -> 160 %", "160 %", "out of range", ""),
    ("20 % -> 60 %", "20 % ->", "20 % ->", "point is missing", ""),
    ("-30 -> -14 dB", "-30 -> -14", "-30", "has no unit", ""),
    ("pad.style: pulsed", "pad.style: held -> pulsed", "held -> pulsed", "cannot move", ""),
    ("pad.style: pulsed", "pad.style: puls", "puls", "none of the choices", "pulsed"),
    ("tune.humanize.velocity", "tune.humanize.velocty", "humanize.velocty", "no setting", "tune.humanize.velocity"),
    ("brightness: 30 %", "brightness: 30", "30", "has no unit", ""),
    ("time: 3/4 beats", "time: 30 beats", "30 beats", "out of range", ""),
    ("time: 3/4 beats", "time: 0.75", "0.75", "`time`", ""),
    ("feedback: 35 %", "feedback: 100 %", "100 %", "out of range", ""),
    ("seed: 7", "seed: 7\nseed: 8", "seed", "stands twice, first in line 3", ""),
    ("seed: 7", "seed: !number 7", "!number 7", "tag", ""),
    ("seed: 7", "<<: 7", "<<", "merges mappings", ""),
    ("  pad:", "  a pad:", "a pad", "cannot be the name", ""),
]


@pytest.mark.parametrize(("old", "new", "place", "words", "meant"), CASES, ids=[case[1] or case[0] for case in CASES])
def test_an_error_points_at_its_place(tmp_path, old, new, place, words, meant):
    found = errors(tmp_path, spoiled((old, new)))
    first = next((one for one in found if words in one.message), None)
    assert first is not None, [one.text() for one in found]
    assert pointed_at(first) == place
    assert first.suggestion == meant


def test_all_errors_of_a_file_are_told_at_once(tmp_path):
    text = spoiled(
        ("seed: 7", "seed: x"),
        ("- thin: 30 %", "- thyn"),
        ("repeat: 1..2 times", "repeat: 3"),
        ("level: -1 dB", "level: 1"),
    )
    assert [one.line for one in errors(tmp_path, text)] == [3, 28, 36, 53]


def test_a_key_in_the_wrong_place_is_sent_to_the_right_one(tmp_path):
    found = only_error(
        tmp_path, spoiled(("level: -14 dB", "colour: 20 %"), ("pad.level: -30 -> -14 dB", "pad.pan: left"))
    )
    assert "generator: {kind: chord_walk, colour: …}" in found.expected
    found = only_error(
        tmp_path, spoiled(("level: -14 dB", "thin: 20 %"), ("pad.level: -30 -> -14 dB", "pad.pan: left"))
    )
    assert "transforms: [thin: …]" in found.expected


def test_a_circle_of_parts_is_named(tmp_path):
    text = spoiled(("generator: chord_walk", "generator: {kind: chord_walk, rhythm: tune}"))
    assert "pad -> tune -> pad" in only_error(tmp_path, text).message


def test_an_error_inside_a_block_pattern_has_its_own_line_and_column(tmp_path):
    grid = "\n      kind: drum_rules\n      primer: |\n        bd: x...x...\n        sn: ..y.\n"
    found = only_error(tmp_path, spoiled((" {kind: drum_rules, style: straight}\n", grid)))
    assert found.quoted == "        sn: ..y."
    assert (found.column, pointed_at(found)) == (15, "y")


def test_an_error_inside_an_escaped_pattern_has_its_own_column(tmp_path):
    found = only_error(tmp_path, spoiled(('"D4:1 E4', r'"D4:1\u0020\x45\u0034:1 H4')))
    assert pointed_at(found) == "H4"


def test_a_setting_that_moves_may_not_belong_to_two_transforms(tmp_path):
    text = spoiled(("- thin: 30 %", "- thin: 30 %\n      - thin: 10 %"))
    assert "2 times" in only_error(tmp_path, text).message


def test_a_midi_primer_must_be_a_midi_file_with_notes_for_the_part(tmp_path):
    notes = np.array([(4.5, 5.0, 60, 80), (6.0, 7.0, 64, 80)], NOTE)
    midi_writing.write_piece(tmp_path / "tune.mid", Piece((Track(notes),)))
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    old = '"D4:1 E4:1/2 ~:1/2 [D4 A4]:2"'
    primer = right(tmp_path, spoiled((old, "{midi: tune.mid}"))).parts["tune"].primer
    assert primer.notes["start"].tolist() == [0.5, 2.0]
    assert primer.length == 4.0
    for missing in ("other.mid", "o" * 300 + ".mid"):
        assert "no MIDI file" in only_error(tmp_path, spoiled((old, f"{{midi: {missing}}}"))).message
    assert "not a readable" in only_error(tmp_path, spoiled((old, "{midi: broken.mid}"))).message
    drums = spoiled(("style: straight", "primer: {midi: tune.mid}"))
    found = only_error(tmp_path, drums)
    assert "`tune.mid` has no notes for this part" in found.message
    assert "drums on channel 10" in str(found)


def test_a_section_that_nobody_reaches_and_a_part_that_never_plays_are_warned_of(tmp_path):
    text = spoiled(
        ("next: {bloom: 3, drift: 1}", "next: drift"), ("generator: chord_walk", "generator: chord_walk\n    x-y: 1")
    )
    text = text.replace("      rhythm: drums.kick\n", "").replace("[pad, tune, drums]", "[pad, tune]")
    scene, found = load_text(tmp_path, text)
    assert scene is not None
    assert {one.severity for one in found} == {Severity.WARNING}
    assert {one.message for one in found} == {"part `drums` never plays", "section `bloom` is never reached"}


def test_a_part_that_others_listen_to_may_be_unheard_itself(tmp_path):
    right(tmp_path, spoiled(("[pad, tune, drums]", "[pad, tune]")))


def test_a_link_that_a_generator_does_not_hear_is_warned_of(tmp_path):
    scene, found = load_text(tmp_path, spoiled(("style: straight", "chords: pad")))
    assert scene is not None
    assert ["does not listen to `chords`" in one.message for one in found] == [True]


def test_a_kit_for_a_melody_is_warned_of(tmp_path):
    scene, found = load_text(tmp_path, spoiled(("instrument: glass_bell", "instrument: electronic_kit")))
    assert scene is not None
    assert ["plays drums alone" in one.message for one in found] == [True]


def test_errors_in_an_instrument_point_into_its_file(tmp_path):
    (tmp_path / "mine.yaml").write_text("perpetuum: 1\nkind: pluck\ntitle: Mine\nvoces: 8\n")
    found = errors(tmp_path, spoiled(("instrument: warm_pad", "instrument: mine")))
    assert [(one.path.name, one.line) for one in found] == [("scene.yaml", 12), ("mine.yaml", 4)]
    assert found[1].suggestion == "voices"


def test_a_missing_sample_is_told_in_the_instrument(tmp_path):
    path = assets.find("instruments", "electronic_kit")
    assert path is not None
    (tmp_path / "kit.yaml").write_text(path.read_text())
    found = errors(tmp_path, spoiled(("instrument: electronic_kit", "instrument: kit")))
    assert "no sample" in found[1].message
    assert found[1].path.name == "kit.yaml"


def test_a_diagnostic_quotes_the_line_with_a_caret(tmp_path):
    found = only_error(tmp_path, spoiled(("style: straight", "style: strait")))
    assert found.snippet.splitlines() == [
        "   17 |     generator: {kind: drum_rules, style: strait}",
        "      |                                          ^^^^^^",
    ]
    assert found.text().splitlines()[0].endswith("scene.yaml:17:42: error: `style`: `strait` is none of the choices")
    assert found.text().splitlines()[-1].strip() == "= did you mean `straight`?"


def test_the_caret_stands_below_the_place_also_behind_wide_characters(tmp_path):
    quoted, caret = only_error(tmp_path, RIGHT.replace("A small scene", '"夜"\nsede: 1')).snippet.splitlines()
    assert caret.index("^") == quoted.index("sede")


def test_control_characters_of_a_file_never_reach_the_terminal(tmp_path):
    text = RIGHT.replace("title: A small scene", "title: x\nti\u202etle: y")
    assert "\u202e" not in only_error(tmp_path, text).text(colour=False)


def test_a_plug_in_that_raises_anything_gives_an_error_at_its_place(tmp_path, monkeypatch):
    class Broken(Settings):
        @model_validator(mode="before")
        @classmethod
        def _raise(cls, value):
            raise KeyError("nothing here")

    kind = replace(GENERATORS.get("drum_rules"), settings=Broken)
    monkeypatch.setattr("engine.scenes.reading.parts.chains.GENERATORS", GENERATORS.having(kind))
    found = only_error(tmp_path, RIGHT)
    assert "nothing here" in found.message
    assert pointed_at(found) == "{kind: drum_rules, style: straight}"


def test_a_valid_instrument_is_one_that_the_audio_process_can_read(tmp_path):
    """It has a reader of its own, so both must agree about free keys."""
    path = tmp_path / "mine.yaml"
    path.write_text("perpetuum: 1\nkind: pluck\ntitle: Mine\nx-why: {a: 1}\neffects: {drive: {amount: 20 %}}\n")
    right(tmp_path, spoiled(("instrument: warm_pad", "instrument: mine")))
    assert load_instrument(path)[0].name == "pluck"
    path.write_text("perpetuum: 1\nkind: pluck\ntitle: Mine\neffects: {x-why: 1}\n")
    found = errors(tmp_path, spoiled(("instrument: warm_pad", "instrument: mine")))
    assert (found[1].line, found[1].column) == (4, 11)


@pytest.mark.parametrize("path", assets.names("instruments").values(), ids=lambda path: path.stem)
def test_every_shipped_instrument_is_valid(path):
    assert [one.text() for checked in check_files([path]) for one in checked.diagnostics] == []
