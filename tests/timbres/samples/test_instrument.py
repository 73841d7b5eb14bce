"""Instruments made of notes, played by the sampler of the house."""

import numpy as np
import pyloudnorm
import pytest

from engine import assets
from engine.errors import PerpetuumError
from engine.sound.instruments.instrument_file import load_instrument
from engine.timbres.samples.instrument import About, RawNote, make_sampler, notes_at, write_instrument
from engine.timbres.samples.pitch import track_pitch
from tests.sound.rendering import notes, play
from tests.timbres.samples.tones import RATE, tone

ABOUT = About("Test tones", "Sums of sines", "CC0 1.0", made="by a test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Notes of five pitches, at 16 kHz and of different levels; one is 35 cents off."""
    off = {48: 0.0, 54: 0.35, 60: 0.0, 66: -0.12, 72: 0.0}
    sounds = {pitch: tone(pitch + by, rate=16_000, peak=0.1 + pitch / 100) for pitch, by in off.items()}
    made, judgements = make_sampler(notes_at(sounds, 16_000), ABOUT)
    assert [one.remarks for one in judgements] == [(), ("+35 cents off, tuned",), (), (), ()]
    folder = tmp_path_factory.mktemp("instruments") / "tones"
    write_instrument(made, folder)
    return folder


LINE = tuple(range(44, 78, 3))
LEVELS = (48, 51, 60, 66, 71)
EACH = RATE // 2


@pytest.fixture(scope="module")
def played(folder):
    """By the real sampler: half-second notes of LINE; three of each of LEVELS; C4, held for six seconds."""
    pitches = [*LINE, *np.repeat(LEVELS, 3)]
    events = [(k * EACH, k * EACH + 21_000, int(pitch), 80) for k, pitch in enumerate(pitches)]
    held = len(pitches) * EACH
    sound = play(str(folder / "instrument.yaml"), notes(*events, (held, held + 6 * RATE, 60, 80)), held + 6 * RATE)
    line = sound[: len(LINE) * EACH].reshape(len(LINE), EACH, 2)
    levels = sound[len(LINE) * EACH : held].reshape(len(LEVELS), 3 * EACH, 2)
    return line, levels, sound[held + RATE // 2 : held + 6 * RATE - RATE // 10]


def test_it_is_in_tune_on_and_between_its_zones(played):
    for pitch, sound in zip(LINE, played[0], strict=True):
        heard = track_pitch(sound[:18_000, 0], RATE)
        assert heard is not None
        assert abs(heard.pitch - pitch) < 0.05, pitch


def test_it_is_as_loud_as_the_shipped_ones_on_every_zone(played):
    """-18 LUFS at velocity 80, by another's meter, within 1 LU."""
    levels = [pyloudnorm.Meter(RATE).integrated_loudness(line) for line in played[1]]
    assert levels == pytest.approx([-18.0] * len(levels), abs=1.0)


def test_a_note_that_is_held_has_no_seam(played):
    """Of a recording of two seconds: neither click nor change of level once the loop has begun."""
    sound = played[2][:, 0].astype(float)
    bend = np.abs(np.diff(sound, 3))
    assert bend.max() < 1.2 * np.percentile(bend, 99.9)
    power = np.sqrt(np.square(sound[: len(sound) // 2400 * 2400]).reshape(-1, 2400).mean(axis=1))
    assert power.max() < 1.06 * power.min()


def test_what_it_says_of_itself_is_in_its_file(folder):
    kind, settings = load_instrument(folder / "instrument.yaml")
    assert (kind.name, settings.title, settings.credits) == ("sampler", "Test tones", "Sums of sines, CC0 1.0.")


def test_broken_notes_are_left_out_and_said():
    good = tone(60)
    clipped = np.clip(3 * tone(67, peak=1.0), -1, 1)
    notes_ = [
        RawNote(good, RATE, 60),
        RawNote(np.zeros(RATE, np.float32), RATE, 62),
        RawNote(np.where(np.arange(RATE) == 9, np.nan, good[:RATE]), RATE, 64),
        RawNote(tone(69), RATE, 65),
        RawNote(clipped, RATE, 67),
        RawNote(np.zeros(0, np.float32), RATE, 68),
        RawNote(tone(84), RATE, 72),
    ]
    _, judgements = make_sampler(notes_, ABOUT)
    assert [one.remarks for one in judgements] == [
        (),
        ("it is silent",),
        ("it has samples that are not numbers",),
        ("it sounds as A4 +0 cents, not F4",),
        ("clipped",),
        ("there is no sound in it",),
        ("it sounds as C6 +0 cents, 1 octave(s) above C5",),
    ]
    assert [one.zone is not None for one in judgements] == [True, False, False, False, False, False, True]


def test_a_doubtful_note_is_kept_where_there_is_no_other():
    made, (judgement,) = make_sampler([RawNote(np.clip(3 * tone(67, peak=1.0), -1, 1), RATE, 67)], ABOUT)
    assert judgement.remarks == ("clipped",)
    assert list(made.sounds) == ["G4.flac"]


def test_of_nothing_no_instrument_is_made():
    with pytest.raises(PerpetuumError, match="nothing to make an instrument of: C4: it is silent"):
        make_sampler([RawNote(np.zeros(RATE, np.float32), RATE, 60)], ABOUT)


def test_a_folder_that_is_there_is_replaced_only_when_asked(folder, tmp_path):
    made, _ = make_sampler([RawNote(tone(60), RATE, 60)], ABOUT)
    target = tmp_path / "bell"
    write_instrument(made, target)
    with pytest.raises(PerpetuumError, match="is there already"):
        write_instrument(made, target)
    (target / "old.flac").touch()
    write_instrument(made, target, force=True)
    assert sorted(path.name for path in target.iterdir()) == ["C4.flac", "instrument.yaml"]
    assert [path.name for path in tmp_path.iterdir()] == ["bell"]


def test_a_folder_with_other_files_is_never_replaced(tmp_path):
    made, _ = make_sampler([RawNote(tone(60), RATE, 60)], ABOUT)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    with pytest.raises(PerpetuumError, match="has other files in it"):
        write_instrument(made, tmp_path / "photos", force=True)
    assert (tmp_path / "photos" / "cat.jpg").exists()


@pytest.mark.parametrize("name", ["a\nb", ".hidden", "-o", "a\x1b[2Jb", "x" * 120])
def test_names_that_no_scene_could_write_are_refused(name, tmp_path):
    made, _ = make_sampler([RawNote(tone(60), RATE, 60)], ABOUT)
    with pytest.raises(PerpetuumError, match="name"):
        write_instrument(made, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_the_same_notes_make_the_same_files(tmp_path):
    for name in ("one", "two"):
        write_instrument(make_sampler([RawNote(tone(60), RATE, 60)], ABOUT)[0], tmp_path / name)
    assert (tmp_path / "one" / "C4.flac").read_bytes() == (tmp_path / "two" / "C4.flac").read_bytes()


def test_stereo_that_would_cancel_in_mono_is_narrowed():
    middle, side = tone(60), tone(60, weights=(0.1, 1.0, 0.6))
    for amount, narrow in ((0.2, False), (2.0, True)):
        sound = np.stack([middle + amount * side, middle - amount * side], axis=1) / 4
        document = make_sampler([RawNote(sound, RATE, 60)], ABOUT)[0].document
        assert ("stereo" in document) == narrow


def test_one_note_that_is_hardly_heard_does_not_make_the_others_soft():
    rumble = tone(16, partials=1, peak=0.9)
    made, _ = make_sampler([RawNote(rumble, RATE, 16), RawNote(tone(60), RATE, 60), RawNote(tone(64), RATE, 64)], ABOUT)
    assert np.abs(made.sounds["C4.flac"]).max() > 0.1
    assert np.abs(made.sounds["E0.flac"]).max() <= 0.9


def test_more_than_memory_should_hold_is_refused():
    with pytest.raises(PerpetuumError, match="there are 33 notes of C4"):
        make_sampler((RawNote(tone(60, 0.3), RATE, 60) for _ in range(33)), ABOUT)


def test_what_a_killed_process_left_is_no_instrument(tmp_path, monkeypatch):
    made, _ = make_sampler([RawNote(tone(60, 0.5), RATE, 60)], ABOUT)
    (tmp_path / "instruments").mkdir()
    write_instrument(made, tmp_path / "instruments" / "bell")
    (tmp_path / "instruments" / "bell").rename(tmp_path / "instruments" / ".bell.12345678.partial")
    monkeypatch.setenv("PERPETUUM_PATH", str(tmp_path))
    assert not any("bell.1" in name for name in assets.names("instruments"))
