"""A performance that is cut off and restored by another process, again and again: what is heard of it.

`python -m tests.proofs.restored SCENE SEED FRAME` reads the state of a mind from its standard input, lets another mind
go on there, with sound that begins anew, up to a frame, and prints what that tells the sound.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from engine.conductor.daytime import AT_NOON
from engine.runtime.audio import Audio
from engine.runtime.ending import networks_of
from engine.runtime.offline import OfflineReader
from engine.runtime.performance.course import Course
from engine.runtime.performance.messages import SoundProgress
from engine.runtime.performance.mind.mind import Mind
from engine.runtime.performance.mind.state import MindState
from engine.runtime.workers.workers import Workers
from engine.scenes import load
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK, TO_SOUND, Setup, ToSound

PATIENCE = 60.0
"""Seconds that a phrase of a network, and a second of sound, are waited for."""


class Told:
    """A stage that keeps what it is told."""

    closed = False

    def __init__(self) -> None:
        self.messages: list[ToSound] = []

    def send(self, message: ToSound) -> None:
        self.messages.append(message)

    def receive(self, timeout: float) -> list[object]:
        return []

    def close(self) -> None:
        """Nothing is open."""


def mind_of(path: Path, seed: int, workers: Workers) -> tuple[Mind, Told]:
    """A mind that waits for its networks, and its stage."""
    scene, problems = load(path)
    if scene is None:
        raise SystemExit("\n".join(str(problem) for problem in problems))
    told = Told()
    course = Course(seed, day=AT_NOON, live=False)
    mind = Mind(scene, course, workers, told, lambda event: None)  # pyright: ignore[reportArgumentType]
    mind.progress = SoundProgress(1 << 40, 1 << 40, over=False)  # as fast as it can
    workers.load(networks_of(scene))
    return mind, told


def cuts(path: Path, seed: int, seconds: float, every: float) -> Iterator[tuple[int, MindState]]:
    """Every so many seconds a bar line: its frame, and the state that goes on there."""
    with Workers(patience=PATIENCE) as workers:
        mind, _ = mind_of(path, seed, workers)
        conductor = mind.conductor
        for count in range(1, round(seconds / every)):

            def keep_on(frame: float = count * every * SAMPLE_RATE) -> bool:
                return conductor.plan.bar(conductor.next_bar).start < frame

            conductor.run(None, keep_on)
            yield conductor.plan.bar(conductor.next_bar).start, mind.state()


def told_on(path: Path, seed: int, state: MindState, frame: int) -> tuple[Setup, list[ToSound]]:
    """What another process tells the sound that goes on at a state up to a frame."""
    command = [sys.executable, "-m", "tests.proofs.restored", str(path), str(seed), str(frame)]
    done = subprocess.run(command, input=state.to_json().encode(), capture_output=True)
    if done.returncode:
        raise SystemExit(done.stderr.decode("utf-8", "replace"))
    setup, *messages = (TO_SOUND.decode(data) for data in msgspec.msgpack.decode(done.stdout, type=list[bytes]))
    assert isinstance(setup, Setup)
    return setup, messages


def restored(path: Path, seed: int, whole: np.ndarray, seconds: float, every: float) -> tuple[np.ndarray, list[int]]:
    """The sound of a performance that is cut off every so many seconds, and the frames at which it was.

    Args:
        path: of the scene.
        seed: of the performance.
        whole: its sound without any cut, [frames, 2]; what is before the first cut is of this.
        seconds: its length.
        every: seconds between two cuts.
    """
    found = list(cuts(path, seed, seconds, every))
    places = [start for start, _ in found]
    pieces = [whole[: places[0]]]
    for (start, state), end in zip(found, [*places[1:], len(whole)], strict=True):
        setup, messages = told_on(path, seed, state, end + BLOCK)  # only whole blocks are rendered
        sound = rendered(replace(setup, free_running=False), messages, end - setup.start_frame)
        pieces.append(sound[start - setup.start_frame :])
    return np.concatenate(pieces), places


def rendered(setup: Setup, messages: list[ToSound], frames: int) -> np.ndarray:
    """Sound that begins with a setup, [frames, 2]."""
    pieces: list[np.ndarray] = []
    with Audio(live=False) as audio, OfflineReader(audio, frames, pieces.append) as reader:
        audio.send(setup)
        for message in messages:
            audio.send(message)
        if not reader.finish(PATIENCE + frames / SAMPLE_RATE * PATIENCE):
            raise TimeoutError("the render does not end")
    return np.concatenate(pieces)[:frames]


def main(path: str, seed: str, frame: str) -> None:
    with Workers(patience=PATIENCE) as workers:
        mind, told = mind_of(Path(path), int(seed), workers)
        mind.resume(MindState.from_json(sys.stdin.read()), sounding=False)
        conductor = mind.conductor
        conductor.run(None, lambda: conductor.plan.bar(conductor.next_bar).start < int(frame))
    sys.stdout.buffer.write(msgspec.msgpack.encode([TO_SOUND.encode(message) for message in told.messages]))


if __name__ == "__main__":
    main(*sys.argv[1:])
