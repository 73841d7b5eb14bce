"""The audio process itself behind the pipe: what holds for the stand-in of the protocol holds for the sound."""

import os
import signal
import subprocess
import sys

import numpy as np

from engine import assets
from engine.processes.reports import Cause
from engine.runtime.audio import Audio, AudioState
from engine.runtime.offline import OfflineReader
from engine.sabotage import Sabotage
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK, NOTE_EVENT, Fade, Notes, PartSound, Setup
from tests.proofs import takeover
from tests.runtime.audio.listening import Listener
from tests.runtime.sound import Reports, until


def setup(live: bool) -> Setup:
    return Setup((PartSound("pad", str(assets.find("instruments", "warm_pad"))),), seed=3, free_running=live)


def chords(seconds: int) -> Notes:
    events = [(k * SAMPLE_RATE, (k + 2) * SAMPLE_RATE, 48 + 5 * (k % 4), 90) for k in range(seconds)]
    return Notes("pad", np.array(events, NOTE_EVENT))


def rendered(seconds: int) -> np.ndarray:
    pieces: list[np.ndarray] = []
    with Audio(live=False) as audio, OfflineReader(audio, seconds * SAMPLE_RATE, pieces.append) as reader:
        audio.send(setup(live=False))
        audio.send(chords(60))
        assert reader.finish(120)
    return np.concatenate(pieces)


def test_live_sound_is_the_render_sample_by_sample():
    with Audio() as audio, Listener(audio) as listener:
        audio.send(setup(live=True))
        audio.send(chords(60))
        audio.begin()
        until(lambda: listener.seconds > 3)
    assert np.array_equal(listener.sound[: 3 * SAMPLE_RATE], rendered(3))


def test_what_is_heard_of_an_audio_process_killed_twice_is_the_music_without_a_gap(monkeypatch):
    """kill -9 while it plays to a capture: no pause above 5 ms, no frame out of place, the envelopes as they were."""
    monkeypatch.setattr("engine.runtime.audio.primary.SPARE_DELAY", 0.1)
    found = Reports()
    with Audio(report=found) as audio, Listener(audio) as listener:
        audio.send(setup(live=True))
        audio.send(chords(60))
        audio.begin()
        for deaths in (1, 2):
            until(lambda: audio.spare_pid and audio.state is AudioState.PLAYING, 60)
            until(lambda now=listener.seconds: listener.seconds > now + 1)
            assert audio.pid is not None
            os.kill(audio.pid, signal.SIGKILL)
            until(lambda deaths=deaths: found.started() == 1 + deaths, 60)
        until(lambda now=listener.seconds: listener.seconds > now + 1.5)
        assert not any(getattr(message, "late_notes", 0) for message in audio.poll())
    assert listener.pauses == 0

    sound = listener.sound
    expected = rendered(int(listener.seconds))
    # No click where one took over from the other.
    assert np.abs(np.diff(sound, axis=0)).max() < 2 * np.abs(np.diff(expected, axis=0)).max()
    heard, undisturbed = loudness(sound), loudness(expected)
    # The new process played the two seconds before, unheard: its notes stand where the old one's stood, not at their
    # beginning. Its oscillators have phases of their own, so beats differ.
    change = heard[1 : len(undisturbed)] / undisturbed[1:]
    assert np.all((change > 0.5) & (change < 2.0)), change


def test_sound_that_is_lost_though_notes_are_due_is_made_again_before_anybody_hears_the_silence(monkeypatch):
    """The graph of a living process gives zeros; what the pipe holds of them is taken back."""
    monkeypatch.setenv("PERPETUUM_CHAOS", "1")
    found = Reports()
    with Audio(report=found) as audio, Listener(audio) as listener:
        audio.send(setup(live=True))
        audio.send(chords(60))
        audio.begin()
        until(lambda: audio.spare_pid and audio.state is AudioState.PLAYING and listener.seconds > 2, 60)
        assert audio.pid is not None
        os.kill(audio.pid, Sabotage.SILENT.signal)
        until(lambda: found.started() == 2, 60)
        until(lambda now=listener.seconds: listener.seconds > now + 3.5, 60)
    assert found.lost("audio", Cause.SILENT) == found.lost() == 1
    assert listener.pauses == 0
    heard = loudness(listener.sound[SAMPLE_RATE:])
    assert heard.min() > 0.3 * np.median(heard)


def loudness(sound: np.ndarray) -> np.ndarray:
    """Root mean square of each 200 ms."""
    window = SAMPLE_RATE // 5
    whole = sound[: len(sound) // window * window].reshape(-1, window * 2).astype(np.float64)
    return np.sqrt(np.mean(whole**2, axis=1))


def test_a_scene_that_is_replaced_while_it_plays_leaves_no_gap():
    change = 6 * SAMPLE_RATE // BLOCK * BLOCK
    with Audio() as audio, Listener(audio) as listener:
        audio.send(setup(live=True))
        audio.send(chords(60))
        audio.begin()
        until(lambda: listener.seconds > 1)
        path = str(assets.find("instruments", "marimba"))
        audio.send(Setup((PartSound("mallet", path),), seed=3, start_frame=change))
        events = [(change + k * SAMPLE_RATE // 4, change + (k + 1) * SAMPLE_RATE // 4, 60 + k, 100) for k in range(20)]
        audio.send(Notes("mallet", np.array(events, NOTE_EVENT)))
        audio.send(Fade(change + SAMPLE_RATE, SAMPLE_RATE))
        until(lambda: audio.state is AudioState.ENDED, 60)
        until(lambda: audio.pipe.waiting() == 0)
    assert listener.pauses == 0
    assert len(listener.sound) == -(-(change + 2 * SAMPLE_RATE) // BLOCK) * BLOCK
    after = np.abs(listener.sound[change : change + SAMPLE_RATE // 2]).max()
    assert after > 0.005


def test_after_a_death_a_scene_is_as_loud_as_its_render_and_nothing_clicks():
    """Five seconds on; the table of all scenes, with the bar of 3 dB over minutes, is of `tests/proofs/takeover.py`."""
    music = takeover.performance(assets.scene("slow_groove"), 5, 20.0)
    sound, places = takeover.played(music, 6.0)
    assert len(places) == 2
    found = takeover.compare(sound, takeover.rendered(music), places[:1])
    assert found.median < 1.5
    assert found.high < 5.0
    assert found.click < 2.0


def test_a_slow_sine_stands_where_it_would_stand_had_it_swung_since_the_first_frame():
    """Chorus, tremolo and vibrato of a process that begins later are those of one that was there from the start."""
    later = 5 * SAMPLE_RATE // BLOCK * BLOCK
    code = (
        "import numpy as np, sys; from engine.sound import synth; frame = int(sys.argv[1]);"
        "server = synth.boot(1, 1, frame); sine = synth.lfo(0.31).out();"
        "raw = (__import__('ctypes').c_float * 256).from_address(int(str(server.getOutputAddr()), 0));"
        "[server.process() for _ in range((int(sys.argv[2]) - frame) // 256)];"
        "print(np.ctypeslib.as_array(raw)[-1])"
    )
    values = [
        float(
            subprocess.run(
                [sys.executable, "-c", code, str(frame), str(2 * later)], capture_output=True, check=True
            ).stdout
        )
        for frame in (0, later)
    ]
    assert abs(values[0] - values[1]) < 1e-3
