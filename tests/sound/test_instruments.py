"""How the shipped instruments sound: pitch, onset, loudness, freedom from clicks."""

from pathlib import Path

import numpy as np
import pytest

from engine import assets
from engine.score.drums import CLASSES, PITCHES
from engine.sound.contract import LATENCY
from engine.sound.instruments.instrument_file import load_instrument
from engine.sound.messages import BLOCK, Notes
from tests.sound.rendering import instrument, notes, part, play, render

RATE = 48_000
KINDS = {name: load_instrument(assets.find("instruments", name))[0] for name in sorted(assets.names("instruments"))}
KITS = [name for name, kind in KINDS.items() if kind.drums]
PITCHED = [name for name, kind in KINDS.items() if not kind.drums]


def centre(name: str) -> int:
    """A pitch in the middle of an instrument's range."""
    high = ("xylophone", "hand_bell", "rubbed_glass")
    return 36 if "bass" in name or name == "low_voice" else 72 if name in high else 60


def cents_off(sound: np.ndarray, pitch: int) -> float:
    """How far the partial nearest to a pitch lies from it, in cents; of detuned ones their middle. Array [frames]."""
    target = 440.0 * 2.0 ** ((pitch - 69) / 12)
    size = 1 << 20
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size))
    low, high = (round(target * 2 ** (span / 12) * size / RATE) for span in (-0.6, 0.6))
    power = spectrum[low:high] ** 2
    # It must be one of the sound's own partials, not a slope of something else.
    assert power.max() > (0.005 * spectrum.max()) ** 2
    power[power < 0.01 * power.max()] = 0.0
    found = float((power * np.arange(low, high)).sum() / power.sum()) * RATE / size
    return 1200 * np.log2(found / target)


@pytest.mark.parametrize("name", PITCHED)
def test_it_sounds_at_the_pitch_it_should(name):
    pitches = [centre(name) + step for step in (-12, -5, 0, 4, 7, 12, 19)]
    length = 3 * RATE
    events = [(k * length, k * length + 2 * RATE, pitch, 80) for k, pitch in enumerate(pitches)]
    sound = play(name, notes(*events), len(pitches) * length).sum(axis=1)
    slow = np.abs(sound[: RATE // 2]).max() < 0.5 * np.abs(sound[:length]).max()
    for k, pitch in enumerate(pitches):
        start = k * length + (RATE if slow else RATE // 8)
        # Of seven saws within 28 cents, beats hide some for as long as this.
        assert abs(cents_off(sound[start : start + int(0.9 * RATE)], pitch)) < 12.0, pitch


ONE_OF_EACH = {kind.name: name for name, kind in KINDS.items()}.values()
ONSETS = [(name, 5 * BLOCK - 1) for name in ONE_OF_EACH]
ONSETS += [(name, on) for name in ("studio_kit", "grand_piano", "plucked_string") for on in (3 * BLOCK, 3 * BLOCK + 1)]


@pytest.mark.parametrize(("name", "on"), ONSETS)
def test_it_is_silent_up_to_the_very_frame_of_its_first_note(name, on):
    pitch = 36 if name in KITS else centre(name)
    sound = np.abs(play(name, notes((on, on + RATE, pitch, 100)), RATE // 2)).max(axis=1)
    assert not sound[: on + LATENCY].any()
    first = int(np.flatnonzero(sound)[0]) - LATENCY - on
    # Envelopes start at 0 in the note's frame; a recording may lead in with a few zeros.
    assert 0 <= first <= 4


def test_two_notes_are_as_far_apart_as_they_should_be():
    events = notes((1000, 1300, 72, 100), (1000 + 7 * BLOCK + 77, 20000, 72, 100))
    sound = play("sub_bass", events, 30000)[:, 0]
    once = play("sub_bass", events[:1], 30000)[:, 0]
    assert int(np.flatnonzero(sound != once)[0]) - LATENCY - (1000 + 7 * BLOCK + 77) in (0, 1, 2)


@pytest.mark.parametrize("name", PITCHED)
def test_a_line_at_velocity_80_is_as_loud_as_every_other_instrument_s(name):
    """-18 LUFS within 1.5 LU: the figure in instruments/README.md."""
    import pyloudnorm

    slow = name in ("warm_pad", "soft_strings", "night_drone")
    each = 2 * RATE if slow else RATE // 2
    base = 60 if name == "xylophone" else centre(name)
    steps = (0, 4, 7, 12, 7, 4, 0, 7)
    events = [(k * each, k * each + each * 9 // 10, base + step, 80) for k, step in enumerate(steps)]
    quiet = part(name, -24.0)
    sound = render([quiet], [Notes(name, notes(*events))], 8 * each + RATE).sound
    assert pyloudnorm.Meter(RATE).integrated_loudness(sound) + 24.0 == pytest.approx(-18.0, abs=1.5)


@pytest.mark.parametrize("name", KITS)
def test_every_drum_class_sounds(name):
    events = [(k * RATE, k * RATE + 1000, pitch, 100) for k, pitch in enumerate(PITCHES)]
    sound = play(name, notes(*events), len(CLASSES) * RATE)
    for k, drum in enumerate(CLASSES):
        assert np.abs(sound[k * RATE + LATENCY : k * RATE + RATE // 10]).max() > 0.003, drum


@pytest.mark.parametrize("name", KITS)
def test_a_louder_stroke_is_louder(name):
    strokes = [(pitch, velocity) for pitch in (36, 38, 42) for velocity in (20, 60, 120)]
    events = [(k * RATE, k * RATE + 1000, *stroke) for k, stroke in enumerate(strokes)]
    sound = render([part(name, -12.0)], [Notes(name, notes(*events))], len(events) * RATE).sound
    energies = (sound[: len(events) * RATE].reshape(3, 3, -1) ** 2).mean(axis=2)
    for levels in np.sqrt(energies):
        assert levels[0] < 0.7 * levels[1] < 0.7 * 0.9 * levels[2]


def test_a_closed_hat_chokes_the_open_one():
    free = play("studio_kit", notes((0, 1000, 46, 100)), RATE)
    choked = play("studio_kit", notes((0, 1000, 46, 100), (RATE // 4, RATE // 4 + 100, 42, 1)), RATE)
    late = slice(RATE // 2, RATE)
    assert np.abs(choked[late]).max() < 0.05 * np.abs(free[late]).max()
    kept = play("studio_kit", notes((0, 1000, 46, 100), (RATE // 4, RATE // 4 + 100, 36, 1)), RATE)
    assert np.abs(kept[late]).max() > 0.5 * np.abs(free[late]).max()


def as_recorded(name: str, folder) -> str:
    """A kit whose recordings are not varied."""
    path = Path(instrument(name))
    text = path.read_text("utf-8").replace("samples/", f"{path.parent}/samples/")
    (folder / f"{name}.yaml").write_text(f"{text}\nvariation: 0 %\n")
    return str(folder / f"{name}.yaml")


def test_recordings_of_one_drum_take_turns(tmp_path):
    quiet = part(as_recorded("electronic_kit", tmp_path), -24.0)
    events = notes(*[(k * RATE // 2, 0, 42, 100) for k in range(4)])
    sound = render([quiet], [Notes(quiet.name, events)], 2 * RATE).sound
    first, second, third, _ = sound[: 2 * RATE].reshape(4, -1, 2)
    assert np.abs(first - second).max() > 0.001
    assert np.abs(first - third).max() < 1e-6


def clicks(sound: np.ndarray) -> np.ndarray:
    """Largest second difference in each stretch of 256 frames: what a click is made of; array [frames]."""
    bend = np.abs(np.diff(sound, 2))
    return bend[: len(bend) // BLOCK * BLOCK].reshape(-1, BLOCK).max(axis=1)


def test_the_end_of_a_note_does_not_click():
    for name in ("sub_bass", "soft_lead"):
        on, off = 1000, 1000 + RATE
        bend = clicks(play(name, notes((on, off, 45, 100)), 2 * RATE)[:, 0])
        steady = bend[RATE // 2 // BLOCK : off // BLOCK - 4].max()
        assert bend[off // BLOCK - 4 :].max() < 1.5 * steady


def test_taking_a_voice_away_does_not_click():
    """Four voices are held, eight more notes come one by one; each takes one."""
    held = [(0, 10 * RATE, 45 + k, 100) for k in range(3)]
    more = [(RATE + k * 9000, 10 * RATE, 50 + k, 100) for k in range(8)]
    result = render([part("sub_bass", -12.0)], [Notes("sub_bass", notes(*held, *more))], 3 * RATE)
    bend = clicks(result.sound[:, 0])
    calm = clicks(render([part("sub_bass", -12.0)], [Notes("sub_bass", notes(*held))], RATE).sound[:, 0])
    # The fade of 4 ms bends the wave a little more than the wave bends itself; a click does a hundredfold.
    assert bend[RATE // BLOCK :].max() < 12 * calm[RATE // 2 // BLOCK :].max()
    assert result.messages[-1].stolen_voices == 8


def test_a_voice_that_was_taken_away_begins_again_from_silence():
    """After a cut the same voice plays again as if it were new."""
    held = [(0, 10 * RATE, 45 + k, 100) for k in range(8)]
    sound = play("plucked_string", notes(*held[:3], (RATE, RATE + 4000, 60, 100)), 4 * RATE)
    assert np.abs(sound[-RATE // 2 :]).max() < np.abs(sound[: RATE // 2]).max()
    assert instrument("plucked_string")


@pytest.mark.parametrize("name", PITCHED)
def test_after_its_last_note_it_falls_silent(name):
    sound = play(name, notes(*[(k, RATE // 2, centre(name) + 5 * k, 110) for k in range(3)]), 6 * RATE)
    assert np.abs(sound[: 2 * RATE]).max() > 0.02
    assert np.abs(sound[-RATE // 4 :]).max() < 1e-5


def test_the_pitch_of_every_note_of_the_range_is_finite_and_in_reach():
    for name in ("warm_pad", "glass_bell", "plucked_string", "grand_piano", "round_bass"):
        events = notes(*[(k * 2400, k * 2400 + 2000, k, 1 + k) for k in range(127)])
        sound = play(name, events, 127 * 2400)
        assert np.isfinite(sound).all()
        assert len(sound) >= 127 * 2400


@pytest.mark.parametrize("name", ["warm_pad", "sub_bass", "soft_strings", "chapel_choir", "soft_lead", "round_bass"])
def test_a_process_that_takes_a_held_chord_up_in_its_middle_goes_on_with_the_same_waves(name):
    """Three voices and their octave: whoever began them, seconds later the same beats come at the same frames."""
    begin, start, end = 7_250 * BLOCK, 7_813 * BLOCK, 9_688 * BLOCK
    chord = [(end + 48_000, pitch, 80) for pitch in (36, 48, 55)]
    begun = play(name, notes(*[(begin, *rest) for rest in chord]), end - begin, start_frame=begin)
    taken = play(name, notes(*[(start, *rest) for rest in chord]), end - start, start_frame=start)
    last = slice(-48_000, None)
    one, other = begun[last].mean(axis=1), taken[last].mean(axis=1)
    # What is left is the breath, which is noise, and how far slow envelopes have come.
    assert np.std(one - other) < 0.25 * np.std(one)


@pytest.mark.parametrize("name", KITS)
def test_strokes_in_a_row_are_no_machine_gun(name):
    """Three snares of one velocity: another sound each, and hardly another level."""
    every = RATE * 3 // 2
    strokes = notes(*((k * every, k * every + 100, 38, 90) for k in range(3)))
    sound = play(name, strokes, 3 * every)
    one, two, three = (sound[k * every : (k + 1) * every] for k in range(3))
    for first, second in ((one, two), (two, three), (one, three)):
        assert np.abs(first - second).max() > 0.05 * np.abs(first).max()
        assert abs(20 * np.log10(np.sqrt((first**2).mean() / (second**2).mean()))) < 2.0
