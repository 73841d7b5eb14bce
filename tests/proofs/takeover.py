"""What is heard after an audio process was killed, beside the render of the same performance, sample for sample.

    python -m tests.proofs.takeover [SCENE ...] [--restore | --replay] [--seconds 60] [--seed 5] [--markdown FILE]

The audio process of each scene is killed every `EVERY` seconds, while its sound is read as fast as it is made, from a
pipe that stays half full. Levels are RMS over 100 ms; a difference is that of live sound and render in one window, from
`SETTLED` seconds after a death to the next one. A click would be a jump between two samples at the seam that the render
does not have there.

With `--restore` the whole performance is cut off instead, at a bar line, and another process restores its state from
JSON and goes on with a graph of its own (`tests/proofs/restored.py`), as after a power cut. The jump is then that cut.

With `--replay` nothing dies: the last `EVERY` seconds are replayed as `perpetuum replay` does without `--exact`, by a
graph that begins 30 s earlier.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import assets
from engine.conductor.clocks import FastClock
from engine.conductor.conductor import Conductor
from engine.conductor.daytime import AT_NOON
from engine.form.plan import Plan
from engine.runtime.audio import Audio, AudioState
from engine.runtime.ending import networks_of, setup_of
from engine.runtime.offline import OfflineReader
from engine.runtime.replay.course import EARLIER, GraphCourse
from engine.runtime.replay.sounding import audible, replay
from engine.runtime.rules import ladder_over
from engine.runtime.workers.workers import Workers
from engine.scenes import load
from engine.score.time import SAMPLE_RATE
from engine.sound.format import DEFAULT_CHANNELS
from engine.sound.messages import Setup, ToSound
from tests.proofs.restored import restored

EVERY = 12.0
"""Seconds of sound between two deaths."""

SETTLED = 5.0
"""Seconds after a death from which levels are compared."""

WINDOW = SAMPLE_RATE // 10
QUIET = 1e-4
"""Windows of the render below this (-80 dB) are not compared."""

SEAM = SAMPLE_RATE // 20
"""Frames before and after the place of a death in which a click is looked for."""

PATIENCE = 60.0
"""Seconds that are waited for anything."""


@dataclass(frozen=True)
class Performance:
    """What the sound of a scene is told, whole.

    Attributes:
        live, offline: the setup, to be played and to be rendered.
        messages: notes and ramps.
        frames: length.
    """

    live: Setup
    offline: Setup
    messages: Sequence[ToSound]
    frames: int


@dataclass(frozen=True)
class Figures:
    """How the sound of one scene differs from its render.

    Attributes:
        deaths: how often its process was killed.
        median, high: of the absolute differences in level from `SETTLED` seconds on, in dB; high: 95th percentile.
        soon: the median in the first `SETTLED` seconds after a death.
        click: largest jump between two samples at a seam, as a share of the largest in the render near it.
    """

    deaths: int
    median: float
    high: float
    soon: float
    click: float


def performance(path: Path, seed: int, seconds: float) -> Performance:
    """Let the conductor decide a whole performance."""
    scene, problems = load(path)
    if scene is None:
        raise SystemExit("\n".join(str(problem) for problem in problems))
    plan = Plan(scene, seed)
    frames = round(seconds * SAMPLE_RATE)
    bars = next(bar for bar in range(1, 1 << 20) if plan.bar(bar).start >= frames)
    messages: list[ToSound] = []
    with Workers(load=networks_of(scene), patience=PATIENCE) as workers:
        conductor = Conductor(Plan(scene, seed), ladder_over(workers), messages.append, FastClock(), day=AT_NOON)
        conductor.run(bars)
    return Performance(setup_of(scene, seed, True), setup_of(scene, seed, False), messages, frames)


def rendered(music: Performance) -> np.ndarray:
    """Its sound as a render makes it, [frames, 2]."""
    pieces: list[np.ndarray] = []
    with Audio(live=False) as audio, OfflineReader(audio, music.frames, pieces.append) as reader:
        audio.send(music.offline)
        for message in music.messages:
            audio.send(message)
        if not reader.finish(20 * PATIENCE):
            raise TimeoutError("the render does not end")
    return np.concatenate(pieces)


def played(music: Performance, every: float = EVERY) -> tuple[np.ndarray, list[int]]:
    """Its sound as it is played while the process is killed now and then, and the frames at which it died."""
    pieces: list[np.ndarray] = []
    places: list[int] = []
    frames = 0
    with Audio() as audio:
        audio.send(music.live)
        for message in music.messages:
            audio.send(message)
        audio.begin()
        last = time.monotonic()
        while frames < music.frames:
            due = (len(places) + 1) * every * SAMPLE_RATE < audio.frame < music.frames - (SETTLED + 1.0) * SAMPLE_RATE
            if due and audio.state is AudioState.PLAYING:
                pid = audio.pid
                if pid is not None:
                    os.kill(pid, signal.SIGKILL)
                    await_(lambda pid=pid: audio.pid != pid)
                    places.append(audio.frame)
                    await_(lambda: audio.state is AudioState.PLAYING)
                    last = time.monotonic()
            # The pipe is kept as full as it is in real time; a reader who drained it would hear the death itself.
            data = audio.pipe.read(1 << 14, 0.1) if audio.pipe.waiting() > audio.pipe.depth // 2 else b""
            if not data:
                time.sleep(0.002)
            if data:
                last = time.monotonic()
                pieces.append(np.frombuffer(data, np.float32).reshape(-1, DEFAULT_CHANNELS))
                frames += len(pieces[-1])
            elif time.monotonic() > last + PATIENCE:
                raise TimeoutError(f"no sound came after frame {frames}")
    return np.concatenate(pieces)[: music.frames], places


def await_(condition: Callable[[], bool]) -> None:
    """Wait for something.

    Raises:
        TimeoutError: it does not come.
    """
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("no process takes over")
        time.sleep(0.01)


def replayed(music: Performance, first: int, end: int) -> np.ndarray:
    """Its sound between two frames as it is replayed: by a graph that begins a little earlier."""
    pieces: list[np.ndarray] = []
    course = GraphCourse(0, 0, 0, (music.live, *music.messages), {})
    replay(audible([course], first, end, exact=False), first, end, pieces.append)
    return np.concatenate(pieces)


def replay_row(name: str, music: Performance, render: np.ndarray) -> str:
    """A line of the table of replays."""
    first, end = music.frames - round(EVERY * SAMPLE_RATE), music.frames
    if first <= EARLIER:
        raise SystemExit(
            f"--seconds: more than {(EARLIER / SAMPLE_RATE) + EVERY:g}, or the graph would begin with the scene"
        )
    found = differences(replayed(music, first, end), render[first:end], 0, end - first)
    return f"| {name} | {np.median(found):.2f} dB, {np.percentile(found, 95):.2f} dB |"


def compare(sound: np.ndarray, render: np.ndarray, places: Sequence[int]) -> Figures:
    """Measure how they differ after each death."""
    settled: list[float] = []
    soon: list[float] = []
    clicks: list[float] = []
    for place, following in zip(places, [*places[1:], len(render)], strict=True):
        middle = place + round(SETTLED * SAMPLE_RATE)
        soon += differences(sound, render, place, min(middle, following))
        settled += differences(sound, render, middle, following)
        clicks.append(jump(sound, place, SEAM) / jump(render, place, 20 * SEAM))
    return Figures(
        len(places),
        float(np.median(settled)),
        float(np.percentile(settled, 95)),
        float(np.median(soon)),
        max(clicks),
    )


def differences(sound: np.ndarray, render: np.ndarray, start: int, end: int) -> list[float]:
    """Absolute differences in level of all windows between two frames, in dB."""
    found = []
    for first in range(start, end - WINDOW + 1, WINDOW):
        one, other = level(sound[first : first + WINDOW]), level(render[first : first + WINDOW])
        if other > QUIET:
            found.append(abs(20 * np.log10(max(one, 1e-9) / other)))
    return found


def level(sound: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(sound**2, dtype=np.float64)))


def jump(sound: np.ndarray, place: int, around: int) -> float:
    """Largest difference of two samples that follow one another, around a place."""
    return float(np.abs(np.diff(sound[max(place - around, 0) : place + around], axis=0)).max())


def main() -> None:
    """Measure scenes and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", nargs="*", help="all shipped scenes without it")
    parser.add_argument("--restore", action="store_true", help="cut off and restore the whole performance")
    parser.add_argument("--replay", action="store_true", help="replay the end of it")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--markdown", type=Path, help="write the table to a file")
    options = parser.parse_args()
    rows = [
        "| scene | deaths | level from 5 s on: median, 95th percentile | before 5 s: median | jump at the seam |",
        "|---|---|---|---|---|",
    ]
    if options.replay:
        rows = ["| scene | level: median, 95th percentile |", "|---|---|"]
    print("\n".join(rows), flush=True)
    for name in options.scenes or sorted(assets.names("scenes")):
        path, seed = assets.scene(name), options.seed
        music = performance(path, seed, options.seconds)
        render = rendered(music)
        if options.replay:
            rows.append(replay_row(name, music, render))
            print(rows[-1], flush=True)
            continue
        sound, places = restored(path, seed, render, options.seconds, EVERY) if options.restore else played(music)
        found = compare(sound, render, places)
        row = (
            f"| {name} | {found.deaths} | {found.median:.2f} dB, {found.high:.2f} dB | {found.soon:.2f} dB "
            f"| {found.click:.2f} of the render's |"
        )
        rows.append(row)
        print(row, flush=True)
    if options.markdown:
        options.markdown.write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
