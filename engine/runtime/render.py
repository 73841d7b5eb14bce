"""Rendering: the same processes as when playing, as fast as the machine can, into a file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from engine.conductor.clocks import FastClock
from engine.conductor.conductor import Conductor, Sealed
from engine.conductor.daytime import AT_NOON, TimeOfDay
from engine.conductor.recorder import Recording, Tally
from engine.form.plan import Plan
from engine.form.scene import Scene
from engine.outputs.sound_file import SoundFileOutput
from engine.runtime.audio import Audio
from engine.runtime.ending import Ending, networks_of, setup_of
from engine.runtime.offline import OfflineReader
from engine.runtime.rules import ladder_over
from engine.runtime.workers import Workers

PATIENCE = 60.0
"""Seconds that a worker may take for a phrase; nobody is waiting to hear it."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What came of a render.

    Attributes:
        recording: its notes.
        tally: who made them.
        frames: length.
        peak: largest sample, linear.
    """

    recording: Recording
    tally: Tally
    frames: int
    peak: float


def render(
    scene: Scene,
    seed: int,
    path: Path,
    ending: Callable[[Plan], Ending],
    start: str | None = None,
    solo: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    day: TimeOfDay = AT_NOON,
) -> Rendered:
    """Render a performance from its start to a sound file.

    Args:
        scene: what to play.
        seed: of the performance.
        path: of the file; its ending says which kind it is. It appears when it is complete.
        ending: tells where it ends.
        start: section to begin with.
        solo: only this part is heard.
        progress: told (frames done, frames in all) some times a second.
        day: the time of day that it pretends.

    Raises:
        PerpetuumError: the file cannot be written, or the audio process failed.
    """
    plan = Plan(scene, seed, start, day.at)
    end = ending(Plan(scene, seed, start, day.at))
    tally, recording = Tally(), Recording(scene)

    def listen(sealed: Sealed) -> None:
        tally(sealed)
        recording(sealed)

    with ExitStack() as stack:
        writer = stack.enter_context(SoundFileOutput(path, end.frames))
        audio = stack.enter_context(Audio(live=False))
        audio.send(setup_of(scene, seed, live=False))
        workers = stack.enter_context(Workers(load=networks_of(scene), patience=PATIENCE))
        reader = stack.enter_context(OfflineReader(audio, end.frames, writer.write))

        def keep_on() -> bool:
            progress(reader.frames, end.frames)
            return not reader.failed

        clock = FastClock(lambda: audio.frame)
        conductor = Conductor(plan, ladder_over(workers), audio.send, clock, listen, solo=solo, day=day)
        audio.send(end.fade)  # before it is due, wherever that is
        conductor.run(end.bar, keep_on)
        while not reader.finish(0.1):
            progress(reader.frames, end.frames)
        progress(end.frames, end.frames)
        return Rendered(recording, tally, reader.frames, reader.peak)
