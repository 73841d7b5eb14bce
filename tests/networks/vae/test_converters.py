"""Music to the tensors of MusicVAE and GrooVAE, and back: equal to what the original gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.networks.vae.configs import HUMANIZE_TEMPO
from engine.networks.vae.converters import CONVERTERS, converter_of
from engine.networks.vae.converters.groove import GrooveConverter
from engine.networks.vae.converters.melody import chord_classes
from engine.score.harmony.chords import Chord
from engine.score.phrase import NOTE, ChordSpan
from engine.score.piece import Piece, Track
from engine.score.time import Meter

GOLDEN = np.load(Path(__file__).resolve().parents[2] / "golden" / "vae_converters.npz")
EXAMPLES = sorted(key.removesuffix("_inputs") for key in GOLDEN.files if key.endswith("_inputs"))
DECODED = sorted(key.removesuffix("_notes") for key in GOLDEN.files if "decoded" in key and key.endswith("_notes"))
CHORDS = {"C": Chord(0), "G7": Chord(7, "7"), "Cm": Chord(0, "m"), "Ab": Chord(8)}


def golden_piece(key: str) -> Piece:
    """The music of an example; columns: start and end in beats, pitch, velocity, instrument, program, drum."""
    tracks: dict[tuple[float, ...], list[tuple[float, ...]]] = {}
    for row in GOLDEN[f"{key}_notes"].tolist():
        tracks.setdefault(tuple(row[4:]), []).append(tuple(row[:4]))
    chords = []
    if f"{key}_chords" in GOLDEN:
        rows = [(float(beat), CHORDS[name]) for beat, name in GOLDEN[f"{key}_chords"].tolist()]
        ends = [beat for beat, _ in rows[1:]] + [8.0]
        chords = [ChordSpan(start, end, chord) for (start, chord), end in zip(rows, ends, strict=True)]
    return Piece(
        tuple(
            Track(np.array(rows, NOTE), program=int(program), is_drum=bool(drum))
            for (_, program, drum), rows in tracks.items()
        ),
        chords=tuple(chords),
    )


def piece(*notes: tuple[float, float, int, int], drum: bool = False, meter: str = "4/4", program: int = 0) -> Piece:
    """A piece of one track."""
    return Piece((Track(np.array(list(notes), NOTE), program=program, is_drum=drum),), meter=Meter.parse(meter))


@pytest.mark.parametrize("key", EXAMPLES)
def test_inputs_targets_and_controls_equal_magentas(key):
    converter = converter_of(key.split("/")[0])
    (made,) = converter.to_tensors(golden_piece(key))
    assert np.array_equal(made.inputs, GOLDEN[f"{key}_inputs"].astype(np.float32))
    assert np.array_equal(made.targets, GOLDEN[f"{key}_outputs"].astype(np.float32))
    assert (made.controls is not None) == (converter.control_size > 0) == (f"{key}_controls" in GOLDEN)
    if made.controls is not None:
        assert np.array_equal(made.controls, GOLDEN[f"{key}_controls"].astype(np.float32))
    assert made.inputs.shape == (converter.steps, converter.input_size)
    assert made.length == converter.steps
    assert made.targets.shape == (converter.steps, converter.output_size)


@pytest.mark.parametrize("key", EXAMPLES)
def test_a_window_over_the_whole_example_is_the_example(key):
    converter = converter_of(key.split("/")[0])
    music = golden_piece(key)
    window, (example,) = converter.window(music), converter.to_tensors(music)
    assert np.array_equal(window.inputs, example.inputs)
    assert np.array_equal(window.targets, example.targets)
    assert window.controls is example.controls is None or np.array_equal(window.controls, example.controls)


@pytest.mark.parametrize("key", DECODED)
def test_decoded_notes_equal_magentas(key):
    tracks = converter_of(key.split("/")[0]).to_tracks(GOLDEN[key].astype(np.float32))
    made = [(*note.tolist(), track.is_drum) for track in tracks for note in track.notes]
    rows = [(start, end, pitch, velocity, drum) for pitch, velocity, start, end, _, _, drum in GOLDEN[f"{key}_notes"]]
    assert np.allclose(sorted(made), sorted(rows), atol=1e-9)


@pytest.mark.parametrize("config", CONVERTERS)
def test_silence_is_a_window_like_any_other(config):
    window = converter_of(config).window(Piece(()))
    assert window.inputs.shape == (converter_of(config).steps, converter_of(config).input_size)
    assert not any(len(track.notes) for track in converter_of(config).to_tracks(window.targets))


@pytest.mark.parametrize("config", CONVERTERS)
def test_other_meters_have_no_examples_but_windows(config):
    music = piece(*((beat / 2, beat / 2 + 0.5, 60, 90) for beat in range(96)), meter="3/4")
    assert converter_of(config).to_tensors(music) == []
    assert converter_of(config).window(music, 3.0, 24).length == 24


def test_what_a_melody_becomes_comes_back():
    converter = converter_of("cat-mel_2bar_small")
    song = piece((0, 1, 60, 80), (1, 1.5, 62, 80), (2, 4.25, 64, 80), (5, 8, 67, 80))
    (track,) = converter.to_tracks(converter.window(song).targets)
    assert np.array_equal(track.notes, song.tracks[0].notes)


def test_a_silent_bar_parts_melodies_and_examples_start_at_each_bar():
    converter = converter_of("cat-mel_2bar_small")
    first = [(beat, beat + 1, 60 + beat, 80) for beat in range(12)]
    second = [(20 + beat, 21 + beat, 50 + beat, 80) for beat in range(8)]
    starts = [made.start for made in converter.to_tensors(piece(*first, *second))]
    assert starts == [0.0, 4.0, 20.0]


def test_equal_examples_count_once():
    converter = converter_of("cat-drums_2bar_small")
    steady = piece(*((beat, beat + 0.25, 36, 90) for beat in range(64)), drum=True)
    assert len(converter.to_tensors(steady)) == 1


def test_a_note_from_before_the_window_is_not_heard():
    converter = converter_of("cat-mel_2bar_small")
    window = converter.window(piece((0, 5, 60, 80), (6, 7, 62, 80)), start=4.0)
    assert window.inputs.argmax(axis=1)[:8].tolist() == [0] * 8
    (track,) = converter.to_tracks(window.targets)
    assert track.notes["start"].tolist() == [2.0]


def test_a_bass_is_no_melody_where_programs_count():
    low = [(beat, beat + 1, 40, 80) for beat in range(8)]
    assert converter_of("cat-mel_2bar_small").to_tensors(piece(*low, program=33)) == []
    assert len(converter_of("cat-mel_2bar_med_chords").to_tensors(piece(*low, program=33))) == 1


def test_examples_over_chords_that_are_no_triads_are_left_out_but_played():
    converter = converter_of("cat-mel_2bar_med_chords")
    notes = [(beat, beat + 1, 60, 80) for beat in range(8)]
    music = Piece((Track(np.array(notes, NOTE)),), chords=(ChordSpan(0, 8, Chord(2, "sus4")),))
    assert converter.to_tensors(music) == []
    controls = converter.window(music).controls
    assert controls is not None
    assert controls[:, 0].all()


def test_chords_are_triads_by_root_and_kind():
    spans = [ChordSpan(0, 1, Chord(2)), ChordSpan(1, 2, Chord(9, "m7")), ChordSpan(2, 3, Chord(11, "dim"))]
    assert chord_classes(16, spans) == [3] * 4 + [22] * 4 + [48] * 4 + [0] * 4


def test_strokes_keep_their_velocity_and_their_earliness():
    converter = converter_of("groovae_2bar_hits_control_tfds")
    played = piece((0.02, 0.27, 36, 110), (0.97, 1.22, 38, 90), (2.01, 2.26, 42, 40), (2.0, 2.25, 42, 70), drum=True)
    window = converter.window(played)
    (track,) = converter.to_tracks(window.targets)
    kept = track.notes
    assert kept["pitch"].tolist() == [36, 38, 42]
    assert kept["velocity"].tolist() == [110, 90, 70]
    assert np.allclose(kept["start"], [0.02, 0.97, 2.0], atol=1e-6)
    assert window.targets[4, 18 + 1] > 0, "positive is early"
    assert window.controls is not None
    assert window.controls.sum() == 3


def test_a_network_that_is_told_the_tempo_is_told_what_comes_too():
    played = piece((0.0, 0.25, 36, 110), (0.5, 0.75, 38, 90), (2.0, 2.25, 42, 40), drum=True)
    converter = converter_of(HUMANIZE_TEMPO)
    told = converter.window(replace(played, qpm=60.0, tempos=((0.0, 60.0), (4.0, 240.0)))).controls
    assert told is not None
    assert told.shape == (32, converter.control_size) == (32, 82)
    ahead, tempo = told[:, :81].reshape(32, 9, 9), told[:, 81]
    assert (tempo == -1.0).all(), "an octave below 120"
    assert [tuple(place) for place in np.argwhere(ahead[0])] == [(0, 0), (2, 1), (8, 2)]
    assert [tuple(place) for place in np.argwhere(ahead[1])] == [(1, 1), (7, 2)]
    assert not ahead[9:].any()
    later = converter.window(replace(played, qpm=60.0, tempos=((0.0, 60.0), (4.0, 240.0))), 4.0).controls
    assert later is not None
    assert (later[:, 81] == 1.0).all()


def test_what_the_encoder_is_not_told_is_zero():
    played = piece((0.02, 0.27, 36, 110), (0.02, 0.27, 42, 60), drum=True)

    def inputs(config: str) -> np.ndarray:
        return converter_of(config).window(played).inputs[0].reshape(3, 9)

    assert inputs("groovae_2bar_humanize")[1:].any() == np.False_
    assert inputs("groovae_2bar_humanize")[0].sum() == 2
    tapped = inputs("groovae_2bar_tap_fixed_velocity")
    assert np.flatnonzero(tapped[0]).tolist() == [3]
    assert not tapped[1].any()
    assert tapped[2, 3] < 0
    assert not inputs("groovae_2bar_add_closed_hh")[:, 2].any()
    assert inputs("groovae_4bar")[:, 2].all()


def test_the_recorded_kit_has_other_toms():
    toms = piece((0, 0.25, 43, 90), (1, 1.25, 47, 90), (2, 2.25, 50, 90), drum=True)
    recorded = GrooveConverter(recorded=True)
    hits = recorded.window(toms).targets[:, :9]
    assert [int(hits[step].argmax()) for step in (0, 4, 8)] == [4, 5, 6]
    (track,) = recorded.to_tracks(recorded.window(toms).targets)
    assert track.notes["pitch"].tolist() == [43, 47, 50]
    played = [int(converter_of("groovae_4bar").window(toms).targets[step, :9].argmax()) for step in (0, 4, 8)]
    assert played == [4, 5, 6], "General MIDI's low, middle and high tom"


def test_a_trio_needs_all_three_and_takes_every_melody_with_every_bass():
    line = [(beat, beat + 1, 60, 80) for beat in range(64)]
    drums = Track(np.array([(beat, beat + 0.25, 36, 90) for beat in range(64)], NOTE), is_drum=True)
    tune, bass = Track(np.array(line, NOTE)), Track(np.array(line, NOTE), program=35)
    converter = converter_of("hierdec-trio_16bar")
    assert converter.to_tensors(Piece((tune, drums))) == []
    assert len(converter.to_tensors(Piece((tune, bass, drums)))) == 1
    assert len(converter.to_tensors(Piece((tune, tune, bass, drums)))) == 2


def test_a_trio_where_the_bass_rests_for_long_is_none():
    line = [(beat, beat + 1, 60, 80) for beat in range(64)]
    drums = Track(np.array([(beat, beat + 0.25, 36, 90) for beat in range(64)], NOTE), is_drum=True)
    sparse = [row for row in line if row[0] < 16 or row[0] >= 44]
    bass = Track(np.array(sparse, NOTE), program=35)
    assert converter_of("hierdec-trio_16bar").to_tensors(Piece((Track(np.array(line, NOTE)), bass, drums))) == []
