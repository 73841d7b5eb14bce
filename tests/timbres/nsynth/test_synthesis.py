"""Many notes at once: each is what it would be alone, and what was put aside goes on to the same samples."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.timbres.nsynth.checkpoint import open_model
from engine.timbres.nsynth.decoder import WaveSteps
from engine.timbres.nsynth.layout import HOP
from engine.timbres.nsynth.mu_law import inverse_mu_law
from engine.timbres.nsynth.playing import EncodedNote, Playing
from engine.timbres.nsynth.synthesis import Synthesis
from engine.timbres.nsynth.unfinished import read_unfinished, write_unfinished
from tests.timbres.nsynth.golden import CHECKPOINT, Golden

FRAMES = (3, 1, 2)


@pytest.fixture(scope="module")
def decoder():
    return open_model(CHECKPOINT, stages=4).decoder()


@pytest.fixture(scope="module")
def encodings():
    random = np.random.default_rng(5)
    return [random.standard_normal((frames, 16)).astype(np.float32) for frames in FRAMES]


def sources(count: int = len(FRAMES), past: int = 0) -> list[np.random.Generator]:
    made = []
    for number in range(count):
        bits = np.random.PCG64((7, number))
        bits.advance(past)
        made.append(np.random.Generator(bits))
    return made


@pytest.fixture(scope="module")
def whole(decoder, encodings):
    synthesis = Synthesis(decoder, encodings, sources())
    synthesis.run()
    return [synthesis.values(note).copy() for note in range(len(FRAMES))]


class After(threading.Event):
    """Wants it to stop after so many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_each_note_of_a_batch_is_the_note_alone(decoder, encodings, whole):
    for number, encoding in enumerate(encodings):
        alone = Synthesis(decoder, [encoding], [sources()[number]])
        alone.run()
        assert len(alone.values(0)) == FRAMES[number] * HOP
        np.testing.assert_array_equal(alone.values(0), whole[number])


@pytest.mark.parametrize("steps", [1, 512, 700, 1535])
def test_what_is_put_aside_at_any_step_goes_on_to_the_same_samples(decoder, encodings, whole, tmp_path, steps):
    first, stop = Synthesis(decoder, encodings, sources()), After(steps)
    while first.time < steps and not first.finished:
        first.advance(stop)
    assert first.time == steps
    write_unfinished(tmp_path / "a", "job", first.saved())
    saved = read_unfinished(tmp_path / "a", "job", decoder.layout, FRAMES)
    assert saved is not None
    second = Synthesis(decoder, encodings, sources(past=steps // HOP * HOP), saved)
    second.run()
    for number in range(len(FRAMES)):
        np.testing.assert_array_equal(second.values(number), whole[number])


@pytest.fixture(scope="module")
def after_a_frame(decoder, encodings):
    synthesis = Synthesis(decoder, encodings, sources())
    synthesis.advance()
    return synthesis.saved()


@pytest.fixture
def unfinished(after_a_frame, tmp_path):
    write_unfinished(tmp_path / "a", "job", after_a_frame)
    return tmp_path / "a"


def test_another_job_is_not_gone_on_with(unfinished, decoder):
    assert read_unfinished(unfinished, "another", decoder.layout, FRAMES) is None
    assert read_unfinished(unfinished.with_name("none"), "job", decoder.layout, FRAMES) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content + b"x",
        lambda content: content[:900] + bytes([content[900] ^ 1]) + content[901:],
        lambda content: content.replace(b'"time": 512', b'"time": 513'),
        lambda content: content.replace(b'"time": 512', b'"time": 99999999999999'),
        lambda content: content.replace(b'"time": 512', b'"time": "512"'),
        lambda content: content.replace(b"[0, 2]", b"[2, 0]"),
    ],
)
def test_a_damaged_file_is_refused_and_how_to_begin_anew_is_said(unfinished, decoder, damage):
    unfinished.write_bytes(damage(unfinished.read_bytes()))
    with pytest.raises(PerpetuumError, match="--afresh"):
        read_unfinished(unfinished, "job", decoder.layout, FRAMES)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"[]\n", b"{" * 5000 + b"\n", b"\xff" * 100, b"x" * (1 << 21)],
    ids=["empty", "a line", "a list", "deep", "no text", "endless"],
)
def test_what_is_no_unfinished_work_is_left_alone(tmp_path, decoder, content):
    (tmp_path / "a").write_bytes(content)
    assert read_unfinished(tmp_path / "a", "job", decoder.layout, FRAMES) is None


def test_batches_in_threads_play_each_note_once_and_leave_nothing_behind(decoder, encodings, whole, tmp_path):
    waves = {}
    notes = [EncodedNote(encoding, (7, number)) for number, encoding in enumerate(encodings)]
    playing = Playing(decoder, "weights", notes, waves.__setitem__, tmp_path, every=0, batch=2)
    playing.play()
    assert sorted(waves) == [0, 1, 2]
    assert [len(waves[number]) for number in range(3)] == [frames * HOP for frames in FRAMES]
    np.testing.assert_array_equal(waves[1], inverse_mu_law(whole[1]))
    playing.forget()
    assert not list(tmp_path.iterdir())


def test_a_batch_that_was_over_is_told_again_and_not_played_again(decoder, encodings, tmp_path, monkeypatch):
    notes = [EncodedNote(encoding, (7, number)) for number, encoding in enumerate(encodings)]
    waves, steps, step = {}, [], WaveSteps.step

    def killed(number: int, wave: np.ndarray) -> None:
        if waves:
            raise PerpetuumError("killed")
        waves[number] = wave

    monkeypatch.setattr(WaveSteps, "step", lambda *each: (steps.append(1), step(*each))[1])
    with pytest.raises(PerpetuumError, match="killed"):
        Playing(decoder, "weights", notes, killed, tmp_path, threads=1, batch=1).play()
    (first,) = waves
    played, again = len(steps), {}
    playing = Playing(decoder, "weights", notes, again.__setitem__, tmp_path, threads=1, batch=1)
    assert playing.begun == FRAMES[first] * HOP
    playing.play()
    assert sorted(again) == [0, 1, 2]
    np.testing.assert_array_equal(again[first], waves[first])
    assert len(steps) - played <= (sum(FRAMES) - FRAMES[first]) * HOP


def test_an_error_in_one_batch_ends_all_and_is_told(decoder, encodings, tmp_path):
    def broken(number: int, wave: np.ndarray) -> None:
        raise PerpetuumError("the disk is full")

    notes = [EncodedNote(encoding, (1, number)) for number, encoding in enumerate(encodings * 2)]
    with pytest.raises(PerpetuumError, match="the disk is full"):
        Playing(decoder, "weights", notes, broken, tmp_path).play()


def test_work_that_cannot_be_put_aside_goes_on_and_is_told_once(decoder, encodings, tmp_path, caplog):
    waves = {}
    notes = [EncodedNote(encodings[0], (1,))]
    playing = Playing(decoder, "weights", notes, waves.__setitem__, tmp_path / "gone", every=0)
    playing.play()
    assert len(waves[0]) == FRAMES[0] * HOP
    assert playing.trouble is not None
    assert len(caplog.records) == 1
    assert "cannot be put aside, and goes on" in caplog.text


def test_likeliest_values_need_no_chance():
    golden = Golden("tiny")
    synthesis = Synthesis(golden.decoder(), [golden["encoding"][0][:1]], None)
    synthesis.run()
    np.testing.assert_array_equal(synthesis.values(0)[:300] + 128, golden["a1_bins"][0])
