# pyright: strict
"""Rendering: the same processes as when playing, as fast as the machine can, into a file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from engine.conductor.daytime import AT_NOON, TimeOfDay
from engine.conductor.recorder import Recording, Tally
from engine.events import BarSealed, Bus, SectionBegan
from engine.events.log import LOGGED, log_event
from engine.form.plan import Plan
from engine.form.scene import Scene
from engine.outputs.files.sound_file import SoundFileOutput
from engine.runtime.audio import Audio
from engine.runtime.ending import Ending, networks_of, setup_of
from engine.runtime.performance.course import Course
from engine.runtime.performance.links import pair_of_links
from engine.runtime.performance.mind.mind import Mind
from engine.runtime.performance.mind.state import MindState
from engine.runtime.performance.stage import OfflineStage
from engine.runtime.threads import SteadyThread
from engine.runtime.timbres.lines import section_lines
from engine.runtime.timbres.orders import NOTHING_MOVED, made_first, turning, with_banks
from engine.runtime.timbres.timbres import KeptBanks, Timbres
from engine.runtime.workers.workers import Workers

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
    begin: MindState | None = None,
    waiting: Callable[[int, float], None] = lambda left, share: None,
) -> Rendered:
    """Render a performance from its start to a sound file.

    Banks of notes are made first, and play from the first note on; where one cannot be made, its part is played by its
    stand-in from beginning to end. So the same seed gives the same samples.

    Args:
        scene: what to play.
        seed: of the performance.
        path: of the file; its ending says which kind it is. It appears when it is complete.
        ending: tells where it ends.
        start: section to begin with.
        solo: only this part is heard.
        progress: told (frames done, frames in all) some times a second.
        day: the time of day that it pretends.
        begin: the state with which it begins, whose seed is `seed`; None for its first section.
        waiting: told, while banks are made first, how many are left, and how far the present one is.

    Raises:
        PerpetuumError: the file cannot be written, or the audio process failed.
    """
    course = Course(seed, start, solo, day=day, live=False, begin=begin)
    end = ending(course.plan(scene))
    course = replace(course, ending=end)
    tally, recording = Tally(), Recording(scene)
    with ExitStack() as stack:
        writer = stack.enter_context(SoundFileOutput(path, end.frames))
        audio = stack.enter_context(Audio(live=False))
        bus = stack.enter_context(Bus())
        bus.subscribe(LOGGED, log_event, lossless=True)
        elsewhere, moving = begin is not None, turning(scene)
        with Timbres() as timbres:
            lines = section_lines(course.plan(scene), end.frames) if elsewhere or moving else [(0, NOTHING_MOVED)]
            banks = made_first(scene, seed, timbres, bus.publish, waiting, lines)
            kept = KeptBanks(timbres.cache) if elsewhere or moving else None
        if kept is None:
            audio.send(with_banks(setup_of(scene, seed, live=False), banks))
        workers = stack.enter_context(Workers(load=networks_of(scene), patience=PATIENCE))
        bus.subscribe(BarSealed, tally, lossless=True)
        bus.subscribe((SectionBegan, BarSealed), recording, lossless=True)
        to_stage, to_mind = pair_of_links()
        stage = stack.enter_context(OfflineStage(audio, end.frames, writer.write, to_mind))
        mind = Mind(scene, course, workers, to_stage, bus.publish, timbres=kept)
        if kept is not None:
            mind.prepare()
        thread = SteadyThread(mind.run, "mind")
        thread.start()
        stack.callback(thread.join)
        stack.callback(mind.stop)
        while thread.is_alive():
            thread.join(0.1)
            progress(stage.frames, end.frames)
        if mind.failure is not None:
            raise mind.failure
        stage.finish()
        bus.flush()
        progress(end.frames, end.frames)
        return Rendered(recording, tally, stage.frames, stage.peak)
