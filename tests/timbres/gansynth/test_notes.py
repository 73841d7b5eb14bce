"""Facts about GANSynth's notes put together: instruments that slide, envelopes, clips, the notes of MIDI files."""

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks.sphere import slerp
from engine.score.midi.reading import parse_piece
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track
from engine.timbres.gansynth.clip import Clip, TimedNotes, combined, envelope
from engine.timbres.gansynth.instruments import Slide
from engine.timbres.gansynth.pitches import draw_pitches
from engine.timbres.gansynth.scores import MAX_SECONDS, timed_notes
from tests.timbres.golden import gansynth

GOLDEN, INFO = gansynth("generate_util")


def piece(*rows, drums=(), **settings):
    tracks = [Track(np.array(list(rows), NOTE))]
    if drums:
        tracks.append(Track(np.array(list(drums), NOTE), is_drum=True))
    return Piece(tuple(tracks), **settings)


def timed(*rows):
    starts, ends, velocities = (np.array(column, float) for column in zip(*rows, strict=True))
    return TimedNotes(np.full(len(rows), 60), velocities, starts, ends)


def test_the_way_between_two_instruments_is_the_originals():
    first, second = GOLDEN["slerp_p0"], GOLDEN["slerp_p1"]
    for position, expected in zip((0, 0.25, 0.5, 1, 1.3), GOLDEN["slerp"], strict=True):
        np.testing.assert_allclose(slerp(first, second, position), expected, atol=1e-12)


@pytest.mark.parametrize("second", [1.0, 0.0])
def test_the_way_to_the_same_or_no_instrument_is_straight(second):
    first = np.arange(1.0, 5.0)
    np.testing.assert_allclose(slerp(first, second * first, 0.25), (0.75 + 0.25 * second) * first)


def test_instruments_are_drawn_and_heard_by_notes_as_in_the_original():
    random = np.random.RandomState(2024)
    for seconds, name in ((6.0, ""), (2.0, "_2s")):
        slide = Slide.drawn(13.5, seconds, 16, random)
        np.testing.assert_array_equal(slide.latents, GOLDEN[f"z_instruments{name}"])
        np.testing.assert_allclose(slide.times, GOLDEN[f"t_instruments{name}"], atol=1e-12)
        np.testing.assert_allclose(slide.at(GOLDEN["notes_start_times"]), GOLDEN[f"z_notes{name}"], atol=1e-12)
    np.testing.assert_allclose(slide.at(np.array([0, 13.5, 15.5])), GOLDEN["z_notes_beyond"][[1, 4, 5]], atol=1e-9)


@pytest.mark.parametrize("seconds", [0.0, 1.0, 11.9])
def test_music_too_short_for_two_instruments_has_one(seconds):
    """The original fails with none, and makes NaN with one."""
    slide = Slide.drawn(seconds, 6.0, 16, np.random.RandomState(1))
    moments = np.array([0.0, seconds, seconds + 5])
    np.testing.assert_array_equal(slide.at(moments), np.repeat(slide.latents, 3, axis=0))


@pytest.mark.parametrize(
    ("seconds", "step"), [("0", 1), ("0.001", 1), ("0.005", 1), ("0.01", 7), ("0.7", 7), ("3", 7), ("5", 7)]
)
def test_the_envelope_of_a_note_is_the_originals(seconds, step):
    made = envelope(float(seconds))
    assert len(made) == INFO[f"env_len_{seconds}"]
    np.testing.assert_allclose(made[::step], GOLDEN[f"env_{seconds}"], atol=1e-12)


def test_notes_are_put_together_as_in_the_original():
    t, told = np.arange(64000) / 16000, INFO["combine"]
    waves = [np.sin(2 * np.pi * 110 * (i + 1) * t) * (1 - 0.2 * i) - 0.1 * i for i in range(4)]
    notes = timed(*zip(told["starts"], told["ends"], told["velocities"], strict=True))
    made = combined(waves, notes).finished()
    assert len(made) == told["length"]
    np.testing.assert_allclose(made[:4096], GOLDEN["combine_first"], atol=1e-6)
    np.testing.assert_allclose(made[::8], GOLDEN["combine_sub"], atol=1e-6)


def test_a_note_that_never_rises_above_zero_is_heard_and_a_silent_one_is_counted():
    """The original makes NaN of the whole clip."""
    waves = [-np.ones(64000, np.float32), np.zeros(64000, np.float32), np.ones(64000, np.float32)]
    clip = combined(waves, timed((0, 1, 127), (2, 3, 127), (4, 5, 127)))
    made = clip.finished()
    assert (clip.upside_down, clip.silent) == (1, 1)
    np.testing.assert_allclose(made[[8000, 40000, 72000]], [-0.5, 0, 0.5])


def test_a_clip_of_nothing_is_silent_and_one_that_is_all_below_zero_does_not_leave_full_scale():
    assert not Clip(1.0).finished().any()
    clip = Clip(1.0)
    clip.add(-np.ones(64000, np.float32), 0.0, 1.0, 127)
    assert clip.finished().min() == -1.0


def test_a_clip_lasts_as_long_as_the_note_that_ends_last_wherever_that_stands():
    assert len(combined([np.ones(64000)] * 2, timed((0, 9.5, 100), (1, 2, 100))).finished()) == 12 * 16000


def test_the_notes_of_a_midi_file_are_the_originals_and_those_from_c1_to_b1_besides():
    """The original drops all below 36 unsaid, though the network knows 24 to 35."""
    notes = timed_notes(parse_piece(bytes(GOLDEN["midi"])))
    kept = notes.pitches >= 36
    order = np.argsort(GOLDEN["notes_start_times"])
    for mine, theirs in (
        ("pitches", "pitches"),
        ("velocities", "velocities"),
        ("starts", "start_times"),
        ("ends", "end_times"),
    ):
        np.testing.assert_allclose(getattr(notes, mine)[kept], GOLDEN[f"notes_{theirs}"][order], atol=1e-9)
    assert notes.pitches[~kept].tolist() == [30]
    assert notes.remarks[0].startswith("1 note is left out, outside 24 to 84")


def test_pitches_that_the_network_does_not_know_are_said_and_left_out_or_folded():
    rows = [(0, 1, 60, 80), (1, 2, 23, 80), (2, 3, 0, 80), (3, 4, 85, 80), (4, 5, 127, 80)]
    assert timed_notes(piece(*rows)).pitches.tolist() == [60]
    folded = timed_notes(piece(*rows), fold=True)
    assert folded.pitches.tolist() == [60, 35, 24, 73, 79]
    assert folded.remarks == ("4 notes are outside 24 to 84, C1 to C6, moved by octaves",)


def test_drums_are_left_out_and_said():
    notes = timed_notes(piece((0, 1, 60, 80), drums=[(0, 1, 36, 80)]))
    assert notes.pitches.tolist() == [60]
    assert notes.remarks == ("1 drum note is left out: GANSynth has pitches alone",)


def test_the_seconds_of_notes_follow_every_tempo():
    notes = timed_notes(
        piece((0, 4, 60, 80), (4, 6, 60, 80), qpm=60.0, tempos=((0.0, 60.0), (2.0, 120.0), (5.0, 30.0)))
    )
    assert notes.starts.tolist() == [0.0, 3.0]
    assert notes.ends.tolist() == [3.0, 5.5]


@pytest.mark.parametrize(
    ("rows", "what"),
    [([(0, 1, 100, 80)], "no note to be played"), ([(0, 2 * MAX_SECONDS + 9, 60, 80)], "60 minutes|may have 60")],
)
def test_music_without_notes_or_without_end_is_refused(rows, what):
    with pytest.raises(PerpetuumError, match=what):
        timed_notes(piece(*rows))


def test_random_pitches_are_drawn_as_often_as_training_heard_them():
    assert draw_pitches(3, np.random.RandomState(2025)).tolist() == INFO["random3_pitches"]
