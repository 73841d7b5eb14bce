# pyright: strict
"""Kills a real `perpetuum run`, or cuts its power, and starts it again: what is heard is what the journal says.

    python -m tests.proofs.resume --times 200 [--seconds 8] [--seed 1] [--priority -8]
    python -m tests.proofs.resume --power --times 100 [--seed 1]        (as root: it mounts images)

All processes are killed at once (SIGKILL), at random moments: three of four after the first sound, the fourth while it
starts. A recorder that is not ours (parec, on the null sink of an audio server) has taken down all of it. Checked of
each start: it sounds; every onset in the recording is a note of the journal, and between the first and the last every
note of the journal is an onset; it goes on in the bar that was heard last; nothing is decided twice.

The music is a sine after another, whose onsets and pitches a spectrum finds (`hearing.py`; of a render of 160 notes it
finds all, at the frames of its MIDI file as mido reads it).

With `--power` the state folder lies on an ext4 image, which is copied at random moments while one run plays on: what is
in memory alone is not in a copy. It is started from each copy. It goes on at most a minute and a bar earlier, with a
bar that is the same, note by note, as the one that was heard there.
"""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType

from tests.proofs.resume.killing import kill
from tests.proofs.resume.power import cut_power


def end(number: int, frame: FrameType | None) -> None:
    """Let what is mounted and what plays end with us."""
    sys.exit(1)


def main() -> int:
    """Kill and start again; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=8.0, help="of sound before a kill, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--priority", type=int, default=0, help="nice value of the installation's autogroup")
    parser.add_argument("--power", action="store_true", help="cut the power, not the processes")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, end)
    if asked.power:
        return 1 if cut_power(asked.times, asked.seed, asked.priority) else 0
    return 1 if kill(asked.times, asked.seconds, asked.seed, asked.priority) else 0


if __name__ == "__main__":
    sys.exit(main())
