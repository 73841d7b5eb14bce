"""The mind of a performance, alone in a process.

`python -m tests.runtime.performance.mind_process SCENE SEED BARS FD`.
"""

import socket
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from engine.conductor.daytime import AT_NOON
from engine.runtime.codecs import FROM_STAGE, TO_STAGE
from engine.runtime.ending import Ending
from engine.runtime.performance.course import Course
from engine.runtime.performance.links import SocketLink
from engine.runtime.performance.mind.mind import Mind
from engine.runtime.workers.workers import Workers
from engine.scenes import load


def main(path: str, seed: str, bars: str, descriptor: str) -> None:
    scene, _ = load(Path(path))
    assert scene is not None
    course = Course(int(seed), day=AT_NOON, live=False)
    ending = Ending.after_bars(course.plan(scene), int(bars))
    course = Course(int(seed), ending=ending, day=AT_NOON, live=False)
    connection = Connection(socket.socket(fileno=int(descriptor)).detach())
    link = SocketLink(connection, TO_STAGE, FROM_STAGE)
    with Workers(patience=60.0) as workers:
        mind = Mind(scene, course, workers, link, lambda event: None)
        mind.prepare()
        mind.run()
    link.close()
    if mind.failure is not None:
        raise mind.failure


if __name__ == "__main__":
    main(*sys.argv[1:])
