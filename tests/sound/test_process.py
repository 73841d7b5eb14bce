"""The audio process, as the supervisor meets it."""

import contextlib
import os
import random
import signal

import msgspec
import numpy as np
import pytest

from engine.sound.contract import LATENCY
from engine.sound.messages import (
    BLOCK,
    Control,
    Fade,
    Forget,
    LevelReading,
    MixSound,
    Notes,
    Quit,
    Ramp,
    Ramps,
    Ready,
    Release,
    Setup,
    Trouble,
)
from tests.sound.rendering import AudioProcess, notes, part, render

RATE = 48_000
PARTS = (
    part("warm_pad", -6.0, reverb=-10.0),
    part("studio_kit", -6.0, delay=-12.0),
    part("plucked_string", -6.0, pan=-0.5, reverb=-15.0),
    part("electric_piano", -9.0, pan=0.3),
    part("grand_piano", -9.0),
)


def music(seed: int = 1, seconds: int = 3) -> dict[str, list[tuple[int, int, int, int]]]:
    """Notes for `PARTS`, many of them at the same frames."""
    rng = random.Random(seed)
    played: dict[str, list[tuple[int, int, int, int]]] = {}
    for one in PARTS:
        pitches = (36, 38, 42, 46, 49) if "kit" in one.name else range(48, 80)
        for _ in range(12 * seconds):
            on = rng.randrange(0, seconds * 16) * 3000
            note = (on, on + rng.randrange(100, 60000), rng.choice(pitches), rng.randrange(1, 128))
            played.setdefault(one.name, []).append(note)
    return played


@pytest.fixture(scope="module")
def reference():
    """The music, each part's notes in one message."""
    messages = [Notes(name, notes(*events)) for name, events in music().items()]
    return render(PARTS, messages, 4 * RATE)


def test_the_same_messages_give_the_same_bytes_in_another_process(reference):
    again = render(PARTS, [Notes(name, notes(*events)) for name, events in music().items()], 4 * RATE)
    assert again.sound.tobytes() == reference.sound.tobytes()
    assert np.abs(reference.sound).max() > 0.05


def test_the_sound_does_not_depend_on_how_messages_are_grouped(reference):
    singles = [(name, event) for name, events in music().items() for event in events]
    random.Random(9).shuffle(singles)
    audio = AudioProcess(Setup(PARTS, seed=1, free_running=False))
    frames = -(-4 * RATE // BLOCK) * BLOCK
    pieces = []
    # A second of music is sent at a time, each note alone, just before its first frame may be rendered.
    for second in range(5):
        for name, event in singles:
            if second * RATE <= event[0] < (second + 1) * RATE:
                audio.send(Notes(name, notes(event)))
        known = min((second + 1) * RATE, frames)
        audio.send(Release(known))
        pieces.append(audio.read(known // BLOCK * BLOCK - sum(map(len, pieces))))
    audio.send(Quit())
    assert audio.finish() == 0
    assert np.concatenate(pieces).tobytes() == reference.sound.tobytes()


def test_it_says_that_it_is_ready_and_meters_ten_times_a_second(reference):
    assert isinstance(reference.messages[0], Ready)
    meters = reference.of(LevelReading)
    assert 8 * 4 <= len(meters) <= 11 * 4
    assert np.diff([meter.frame for meter in meters]).tolist() == [4864] * (len(meters) - 1)
    assert max(meter.peak for meter in meters) == pytest.approx(np.abs(reference.sound).max(), rel=1e-3)
    assert meters[-1].late_notes == 0


def test_it_renders_no_further_than_it_was_released():
    audio = AudioProcess(Setup((part("sub_bass"),), free_running=False))
    audio.send(Release(BLOCK * 3 + 100))
    assert len(audio.read(3 * BLOCK)) == 3 * BLOCK
    os.set_blocking(audio.audio, False)
    with pytest.raises(BlockingIOError):
        os.read(audio.audio, 1)
    os.set_blocking(audio.audio, True)
    audio.send(Release(BLOCK * 4))
    assert len(audio.read(BLOCK)) == BLOCK
    audio.send(Quit())
    assert audio.finish() == 0


def test_free_running_the_pipe_is_the_clock():
    audio = AudioProcess(Setup((part("sub_bass"),), start_frame=BLOCK * 1000))
    audio.read(200 * BLOCK)
    os.kill(audio.process.pid, signal.SIGSTOP)
    os.set_blocking(audio.audio, False)
    rest = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            rest += len(os.read(audio.audio, BLOCK * 8)) // 8
    assert rest % BLOCK == 0
    assert rest <= 65536 // 8
    os.set_blocking(audio.audio, True)
    os.kill(audio.process.pid, signal.SIGCONT)
    audio.send(Quit())
    assert audio.finish() == 0


def test_a_late_note_sounds_at_once_and_is_counted():
    one = part("xylophone")
    audio = AudioProcess(Setup((one,), free_running=False))
    audio.send(Release(100 * BLOCK))
    audio.read(100 * BLOCK)
    audio.send(Notes(one.name, notes((50 * BLOCK, 60 * BLOCK, 72, 100))))
    audio.send(Release(140 * BLOCK))
    sound = audio.read(40 * BLOCK)
    audio.send(Quit())
    audio.finish()
    assert np.abs(sound[:LATENCY]).max() == 0.0
    assert np.abs(sound[LATENCY : LATENCY + 500]).max() > 0.01
    assert audio.messages[-1].late_notes == 1


def test_forgotten_notes_are_not_heard():
    one = part("xylophone")
    messages = [Notes(one.name, notes((1000, 2000, 72, 100), (30000, 31000, 72, 100))), Forget(30000)]
    once = render([one], messages, 40000).sound
    assert once.tobytes() == render([one], [Notes(one.name, notes((1000, 2000, 72, 100)))], 40000).sound.tobytes()


def test_a_level_ramp_is_heard_where_it_says():
    one = part("sub_bass")
    messages = [
        Notes(one.name, notes((0, 4 * RATE, 48, 80))),
        Ramps((Ramp(one.name, Control.LEVEL, -20.0, RATE, 2 * RATE),)),
    ]
    sound = render([one], messages, 3 * RATE).sound[:, 0]
    plain = render([one], messages[:1], 3 * RATE).sound[:, 0]
    assert sound[: RATE // 2].tobytes() == plain[: RATE // 2].tobytes()
    before, after = (np.abs(x[int(2.2 * RATE) : int(2.9 * RATE)]).max() for x in (plain, sound))
    assert 20 * np.log10(after / before) == pytest.approx(-20.0, abs=0.3)


def test_a_fade_ends_the_stream_at_its_frame():
    one = part("soft_lead")
    audio = AudioProcess(Setup((one,), free_running=True))
    audio.send(Notes(one.name, notes((0, 100 * RATE, 72, 100))))
    audio.send(Fade(RATE, RATE))
    sound = audio.read(10 * RATE)
    assert audio.finish() == 0
    assert len(sound) == 2 * RATE
    level = np.abs(sound).max(axis=1).reshape(-1, 480).max(axis=1)
    assert level[95] > 0.02
    assert level[-1] < 1e-4


def test_a_dead_parent_ends_it_with_a_short_fade():
    one = part("soft_lead")
    audio = AudioProcess(Setup((one,), free_running=True))
    audio.send(Notes(one.name, notes((0, 100 * RATE, 72, 100))))
    audio.read(RATE)
    audio.control.close()
    rest = audio.read(10 * RATE)
    assert audio.process.wait(20) == 0
    assert RATE // 5 < len(rest) < RATE
    assert np.abs(rest[-10:]).max() < 1e-4


def test_a_reader_that_goes_away_ends_it():
    audio = AudioProcess(Setup((part("sub_bass"),), free_running=True))
    audio.read(RATE)
    os.close(audio.audio)
    assert audio.process.wait(20) == 0
    audio.control.close()


def test_nonsense_is_answered_and_survived():
    one = part("sub_bass")
    messages = [
        Notes("nobody", notes((0, 1000, 60, 80))),
        Notes(one.name, notes((-50000, -40000, 60, 80), (5000, 4000, 127, 255), (5000, 10**15, -3, 1))),
        Ramps((Ramp(one.name, Control.LEVEL, float("nan"), 0, -5), Ramp("nobody", Control.PAN, 9e9, 0, 0))),
    ]
    # What is no message at all, and one that is whole but for what is in it.
    raw = [b"hello", msgspec.msgpack.encode(("Notes", {"part": one.name, "notes": ("floats", bytes(32))}))]
    result = render([one], messages, RATE, raw=raw)
    assert result.code == 0
    assert len(result.sound) >= RATE
    assert np.isfinite(result.sound).all()
    said = " ".join(trouble.message for trouble in result.of(Trouble))
    assert "nobody" in said
    assert said.count("a message that cannot be read") == 2
    assert "floats" in said
    assert not any(trouble.fatal for trouble in result.of(Trouble))


def test_an_instrument_that_cannot_be_loaded_ends_it_with_a_reason(tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("perpetuum: 1\nkind: sampler\ntitle: t\nsamples: [{file: no.flac, pitch: C4}]\n")
    audio = AudioProcess(Setup((part(str(broken)),)))
    assert audio.finish() == 1
    assert "no.flac" in audio.messages[-1].message
    assert audio.messages[-1].fatal


def test_a_number_that_is_not_one_is_never_heard():
    """An instrument's bus is poisoned at frame 100 * BLOCK: silence instead, a reason, exit code 3."""
    poison = (
        "from engine.sound.instruments.drum_kit import DrumKit\n"
        "real = DrumKit.prepare\n"
        "def prepare(self, frame):\n"
        "    real(self, frame)\n"
        f"    if frame == {100 * BLOCK}:\n"
        "        self._buses[0].table[7] = float('nan')\n"
        "DrumKit.prepare = prepare"
    )
    kit, pad = part("studio_kit", reverb=-6.0, delay=-6.0), part("warm_pad")
    audio = AudioProcess(Setup((kit, pad), free_running=True), before=poison)
    audio.send(Notes(pad.name, notes((0, 10 * RATE, 60, 100))))
    sound = audio.read(10 * RATE)
    assert audio.finish() == 3
    assert len(sound) == 101 * BLOCK
    assert np.isfinite(sound).all()
    assert not sound[-BLOCK:].any()
    trouble = audio.messages[-1]
    assert trouble.fatal
    assert "studio_kit" in trouble.message


def test_the_brutal_cluster_stays_below_the_ceiling():
    everything = [part(name, 20.0, reverb=0.0, delay=0.0) for name in ("grand_piano", "warm_pad", "round_bass")]
    everything.append(part("studio_kit", 20.0, reverb=0.0))
    cluster = [(on, on + RATE // 4, pitch, 127) for on in range(0, RATE, 6000) for pitch in range(30, 90, 2)]
    result = render(
        everything, [Notes(one.name, notes(*cluster)) for one in everything], 2 * RATE, mix=MixSound(level=12.0)
    )
    assert 0.5 < np.abs(result.sound).max() <= 10 ** (MixSound().ceiling / 20)
    assert result.of(LevelReading)[-1].stolen_voices > 50


def test_idle_voices_cost_less_and_rendering_beats_real_time():
    one = part("warm_pad")
    cost = []
    for events in ([(0, 100 * RATE, pitch, 80) for pitch in range(48, 56)], [(0, 1000, 48, 80)]):
        audio = AudioProcess(Setup((one,), free_running=False))
        audio.send(Notes(one.name, notes(*events)))
        audio.send(Release(40 * RATE))
        audio.read(10 * RATE)
        before = audio.cpu_seconds()
        audio.read(20 * RATE)
        cost.append(audio.cpu_seconds() - before)
        audio.process.kill()
        audio.finish()
    sounding, idle = cost
    assert idle < 0.7 * sounding
    assert sounding < 20 / 4


def test_ten_thousand_notes_leave_no_memory_behind():
    one = part("soft_lead")
    audio = AudioProcess(Setup((one,), free_running=False))
    held = []
    for thousand in range(10):
        first = thousand * 1000
        events = [(k * 480, k * 480 + 400, 60 + k % 24, 1 + k % 127) for k in range(first, first + 1000)]
        audio.send(Notes(one.name, notes(*events)))
        audio.send(Release((first + 1000) * 480 // BLOCK * BLOCK))
        audio.read((first + 1000) * 480 // BLOCK * BLOCK - first * 480 // BLOCK * BLOCK)
        held.append(audio.resident_bytes())
    audio.send(Quit())
    audio.finish()
    assert held[-1] - held[2] < 400_000
