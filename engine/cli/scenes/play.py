"""`perpetuum play`: a scene in real time, without end."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import click

from engine.cli.numbers import Number
from engine.cli.terminal import Terminal

MOST_MINUTES = 10_000_000
"""Nineteen years; for longer there is no `--minutes` at all."""

STOPPING_FADE = 1.5
"""Seconds of the fade after Ctrl-C."""

ENDING_FADE = 0.5
"""Seconds of the fade after SIGTERM: whoever sends it waits two seconds and no more."""

EXAMPLES = """
\b
Examples:
  perpetuum play slow_groove                       until Ctrl-C, to whatever output there is
  perpetuum play my_scene.yaml --watch             follows the file while you edit it
  perpetuum play my_scene.yaml --section chorus --solo melody
  perpetuum play slow_groove --output wav:evening.wav --minutes 60
  perpetuum play slow_groove --output auto --output wav:takes/ --keep 48
  perpetuum play slow_groove --output device:hw:CARD=PCH,DEV=0
  perpetuum play daylight --at 06:30               as it sounds in the morning
  perpetuum play long_way --pool http://10.0.0.5:8480    its networks play on another machine
"""


@click.command(epilog=EXAMPLES)
@click.argument("scene")
@click.option(
    "--output",
    "outputs",
    multiple=True,
    default=("auto",),
    show_default=True,
    metavar="auto|null|device[:NAME]|wav:PATH",
    help="Where the sound goes: the best output that is there, nowhere (in real time), a sound device, or a WAV file; "
    "into a folder, one file an hour. May be given again: recordings follow the one that keeps time.",
)
@click.option(
    "--keep",
    metavar="HOURS",
    type=Number(1, 1_000_000),
    help="Of recordings into a folder, keep the last so many hours and DELETE older ones; all are kept otherwise.",
)
@click.option(
    "--minutes",
    type=Number(0.01, MOST_MINUTES),
    help="Play so long, fading out; without end otherwise.",
)
@click.option("--seed", type=click.IntRange(0), help="Instead of the scene's own seed.")
@click.option("--section", help="Begin with this section.")
@click.option("--at", metavar="HH:MM", help="Begin as if it were this time of day; the clock's own time otherwise.")
@click.option("--solo", metavar="PART", help="Only this part is heard.")
@click.option(
    "--pool",
    "hosts",
    multiple=True,
    metavar="URL",
    help="A machine that makes phrases, like http://10.0.0.5:8480; may be given again. The player's token is read from "
    "PERPETUUM_POOL_TOKEN.",
)
@click.option("--watch", is_flag=True, help="Take over each saved edit of the scene and its files at a bar line.")
@click.option("-v", "--verbose", is_flag=True, help="Say more of what happens inside.")
def command(
    scene: str,
    outputs: tuple[str, ...],
    keep: float | None,
    minutes: float | None,
    seed: int | None,
    section: str | None,
    at: str | None,
    solo: str | None,
    hosts: tuple[str, ...],
    watch: bool,
    verbose: bool,
) -> None:
    """Play SCENE. It has no end; Ctrl-C fades out and stops, a second Ctrl-C stops at once.

    SCENE is a file, its ending left out or not, the name of a shipped scene, or `-`.
    Without a sound card it says so and plays on in silence.
    """
    # The audio process imports pyo, and the worker numpy, while this one reads the scene: they are started first.
    from engine.processes.reports import Relay
    from engine.runtime.audio import Audio
    from engine.runtime.audio.reports import log_audio_report
    from engine.runtime.signals import StopSignals

    with ExitStack() as stack:
        terminal = stack.enter_context(Terminal(logging.INFO if verbose else logging.WARNING))
        reports = Relay(log_audio_report)
        audio = stack.enter_context(Audio(report=reports))

        from engine.runtime.workers.workers import Workers

        workers = stack.enter_context(Workers(report=reports))
        from engine.runtime.timbres.timbres import Timbres

        timbres = stack.enter_context(Timbres(report=reports))

        from engine.cli.common import TimeOfDayType, begin_of, load_playable, seed_of
        from engine.cli.telling import TOLD, tell
        from engine.conductor.daytime import CountedDay, WallDay
        from engine.conductor.recorder import Tally
        from engine.errors import PerpetuumError
        from engine.events import BarSealed
        from engine.files import is_passing, noting
        from engine.outputs.opening import OutputChoice, open_outputs
        from engine.runtime import watching
        from engine.runtime.ending import Ending
        from engine.runtime.performance.course import Course
        from engine.runtime.performance.performance import Performance
        from engine.runtime.performance.reporting import reporter

        if watch and is_passing(scene):
            raise PerpetuumError(
                f"--watch follows a file, and {scene} can be read only once", "save the scene, and name the file"
            )
        with noting() as known:
            playable = load_playable(scene, section, solo)
        day = WallDay() if at is None else CountedDay(TimeOfDayType().convert(at, None, None))
        begin = begin_of(playable, seed, section)
        seed = seed_of(playable, seed) if begin is None else begin.conductor.seed
        course = Course(seed, section, solo, day=day, begin=begin)
        if minutes is not None:
            course = replace(course, ending=Ending.after_seconds(course.plan(playable), minutes * 60))
        pool = None
        if hosts:
            from engine.pool.asking.banks import PoolBanks

            pool = stack.enter_context(_pool_of(hosts))
            timbres.ask_first(PoolBanks(pool))
        read = lambda path: load_playable(str(path))  # noqa: E731
        performance = Performance(playable, course, audio, workers, read, timbres, pool)
        reports.to = reporter(performance.bus.publish)
        performance.prepare()
        choices = [OutputChoice.parse(text) for text in outputs]
        sink = stack.enter_context(open_outputs(choices, keep, report=performance.bus.publish))
        terminal.say(f"{playable.title}, seed {course.seed}; {sink.description}; Ctrl-C stops")
        tally = Tally()
        performance.subscribe(BarSealed, tally)
        performance.subscribe(TOLD, lambda event: tell(terminal, event))
        if watch:
            stopped = threading.Event()
            watcher = watching.Watcher(playable.path, _reload(terminal), performance.play_next, known)
            threading.Thread(target=watching.watch, args=(watcher, stopped), name="watch", daemon=True).start()
            stack.callback(stopped.set)
        # Before there is music to fade out, a signal to stop ends it at once.
        stop = stack.enter_context(StopSignals())
        stack.callback(performance.stop)
        performance.start(sink)
        while not stop.asked and not performance.wait(0.1):
            pass
        # Whoever was told of the music has heard all of it then.
        performance.stop(STOPPING_FADE if stop.number == signal.SIGINT else ENDING_FADE)
        for line in tally.lines(playable.parts):
            terminal.say(f"  {line}")
    if stop.number not in (None, signal.SIGINT):
        sys.exit(128 + stop.number)
    if complaint := sink.complaint:  # known once the recording is closed
        with suppress(OSError):
            click.echo(f"perpetuum: {complaint}", err=True)
        sys.exit(1)


def _pool_of(hosts: tuple[str, ...]):
    """The rung that asks some hosts.

    Raises:
        PerpetuumError: one of them is no URL.
    """
    from engine.errors import PerpetuumError
    from engine.installation.reading.pool import wrong_url
    from engine.pool.asking.rung import PoolRung

    for host in hosts:
        if wrong := wrong_url(host):
            raise PerpetuumError(f"--pool {host}: {wrong}", "write it like http://10.0.0.5:8480")
    return PoolRung(hosts, lambda: os.environ.get("PERPETUUM_POOL_TOKEN", "").strip())


def _reload(terminal: Terminal):
    """How an edited scene is loaded; a broken one is shown and the last good plays on."""

    def load_edited(path: Path):
        from engine.cli.common import is_terminal
        from engine.scenes import Severity, load

        scene, diagnostics = load(path)
        for diagnostic in diagnostics:
            if diagnostic.severity is not Severity.UNAVAILABLE:
                terminal.warn(diagnostic.text(colour=is_terminal(sys.stderr)))
        if scene is None:
            terminal.warn(f"{path} is not valid; what played plays on")
        return scene

    return load_edited
