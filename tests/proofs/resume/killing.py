# pyright: strict
"""SIGKILL of all processes at random moments, again and again, while a recorder that is not ours listens."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.errors import PerpetuumError
from engine.installation.chaos.processes import descendants, tell
from engine.installation.chaos.rig import RESTART_AFTER, Rig
from engine.installation.keeper.folder.starts import HEALTHY, MOST
from engine.journal.reader import Journal
from engine.journal.records import JournalBar
from engine.journal.schema import NAME
from tests.proofs.resume.hearing import RATE, Told, first_sound, match, onsets
from tests.proofs.resume.music import write_music
from tests.proofs.resume.power import prefer

SIGKILL = 9

EARLY = 0.25
"""Share of the kills that come while it starts, whether anything is heard or not."""

START = 6.0
"""Seconds after a start in which these come."""

LONG = HEALTHY + 2.0
"""Seconds of sound after which a start has come to something, with what an audio server holds back."""

PATIENCE = 90.0
"""Seconds that a first sound is waited for."""

TAIL = RATE
"""Frames behind a kill in which what the audio server and the recorder still held is heard; no start sounds so soon."""


@dataclass
class Start:
    """A start, and what was found of it.

    Attributes:
        killed: frame of the capture at which all of it was killed.
        sitting: its number in the journal, or that of the one before, where it had none yet.
        load: of the machine, the mean of the minute before.
        sound_after: seconds from its start to its first sound; None: it was killed before.
        onsets: notes that were heard, each of which the journal knows.
        problems: all that is not as it should be.
    """

    killed: int
    sitting: int
    load: float
    sound_after: float | None = None
    onsets: int = 0
    problems: list[str] = field(default_factory=list[str])


class Killing:
    """Kills an installation and looks at what it left.

    Args:
        folder: for all that is written.
        seconds: of sound before a kill, at most.
        seed: of the moments.
        priority: of the installation's processes among those of a busy machine, as `autogroup` has it; 0: as others.
    """

    def __init__(self, folder: Path, seconds: float, seed: int, priority: int) -> None:
        self._folder = folder
        self._state = folder / "state"
        self._seconds = seconds
        self._rng = np.random.default_rng(seed)
        self._priority = priority
        self._checked = self._short = 0
        self._place: JournalBar | None = None

    def run(self, times: int) -> Iterator[Start]:
        """Kill so many times; what was found of each start."""
        with Rig(write_music(self._folder, self._state), self._folder, self._state) as rig:
            killed, keeper = 0, 0
            for _ in range(times):
                keeper = _next_keeper(rig, keeper)
                alive = self._wait(rig, keeper, killed)
                began = killed
                killed = self._kill(rig, keeper)
                start = Start(killed, self._last_sitting(), os.getloadavg()[0])
                if not alive:
                    start.problems.append(f"no sound within {PATIENCE:g} s")
                self._check(rig, start, began)
                yield start

    def _pause(self, seconds: float, keeper: int) -> None:
        """Wait; meanwhile each process that comes is preferred, for each has a session of its own."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            prefer(keeper, self._priority)
            time.sleep(min(left, 0.25))

    def _wait(self, rig: Rig, keeper: int, since: int) -> bool:
        """Wait for a random moment; False where no sound came."""
        # After five starts in a row that come to nothing it plays something safe, as it should.
        early, self._short = self._rng.random() < EARLY, self._short + 1
        if early and self._short < MOST:
            self._pause(float(self._rng.uniform(0.05, START)), keeper)
            return True
        until = time.monotonic() + PATIENCE
        # What the server had been given before the last kill is no sound of this start.
        frame = since + TAIL if since else 0
        while time.monotonic() < until:
            sound = rig.capture.since(frame)
            if first_sound(sound) is not None:
                # The first moments are the most delicate ones.
                seconds = 0.05 + self._seconds * float(self._rng.random()) ** 2
                if self._short >= MOST or seconds > LONG:
                    seconds, self._short = max(seconds, LONG), 0
                self._pause(seconds, keeper)
                return True
            frame += max(0, len(sound) - 1)
            self._pause(0.05, keeper)
        return False

    def _kill(self, rig: Rig, keeper: int) -> int:
        """Kill all at once; the frame of the capture."""
        pids = [keeper, *descendants(keeper)]
        frame = rig.capture.frames
        tell(pids, SIGKILL)
        return frame

    def _last_sitting(self) -> int:
        """Asked right after a kill: the next start may have one of its own before what is heard of this one is over."""
        with suppress(PerpetuumError), Journal(self._state / NAME) as journal:
            return max((one.number for one in journal.sittings()), default=0)
        return 0

    def _check(self, rig: Rig, start: Start, began: int) -> None:
        """Compare what was heard of a start with what the journal knows of it."""
        while rig.capture.frames < start.killed + TAIL:
            time.sleep(0.05)
        frame = began + (TAIL if began else 0)
        sound = rig.capture.since(frame, start.killed + TAIL)
        first = first_sound(sound)
        if first is not None:
            start.sound_after = (frame + first - began) / RATE - (RESTART_AFTER if began else 0.0)
        heard = onsets(sound)
        if not heard:
            return
        with Journal(self._state / NAME) as journal:
            sitting = next(one for one in journal.sittings() if one.number == start.sitting)
            if self._place is not None and not sitting.told.continues:
                start.problems.append("it began anew")
            bars = list(journal.bars(sitting.number, 0, 1 << 40))
            notes = [Told(row[0], row[2]) for bar in bars for one in bar.notes for row in one.notes.tolist()]
            found = match(heard, notes, (first or 0) - sitting.told.frame, RATE // 2)
            start.onsets = len(found.pairs)
            start.problems += [f"an onset of pitch {one.pitch:.1f} is no note of the journal" for one in found.unknown]
            start.problems += [f"the note {one.pitch} at frame {one.frame} was not heard" for one in found.missing]
            if not found.pairs:
                return
            lowest, highest = (
                next(bar for bar in bars if bar.start <= found.pairs[at][1].frame < bar.end) for at in (0, -1)
            )
            start.problems += self._moved(lowest)
            self._place = highest
            start.problems += _decided_twice(journal, sitting.number, self._checked)
            self._checked = sitting.number
            if journal.unreadable:
                start.problems.append(f"{journal.unreadable} records cannot be read")

    def _moved(self, first: JournalBar) -> Sequence[str]:
        """How the bar that is heard first lies beside the one that was heard last."""
        last = self._place
        if last is None:
            return []
        if first.bar == last.bar and first.body.section == last.body.section:
            return []
        if first.bar == last.bar + 1:  # the last note of a bar was heard last
            return []
        return [f"bar {first.bar} in {first.body.section} after bar {last.bar} in {last.body.section}"]


def _next_keeper(rig: Rig, before: int) -> int:
    """Wait for another keeper."""
    while True:
        with suppress(PerpetuumError):
            if rig.keeper != before:
                return rig.keeper
        time.sleep(0.01)


def _decided_twice(journal: Journal, sitting: int, before: int) -> Sequence[str]:
    """Phrases that two sittings one after the other have both decided."""
    sittings = [one for one in (before, sitting) if one]
    decided = [
        (one.decided.part, one.decided.first_bar)
        for number in sittings
        for one in journal.phrases(number, -(1 << 50), 1 << 50)
    ]
    return [
        f"{part}, bar {bar} was decided twice"
        for part, bar in sorted({one for one in decided if decided.count(one) > 1})
    ]


def kill(times: int, seconds: float, seed: int, priority: int) -> int:
    """Kill so many times and print what was found; how many starts were not as they should be."""
    folder = Path(tempfile.mkdtemp(prefix="resume"))
    starts: list[Start] = []
    for start in Killing(folder, seconds, seed, priority).run(times):
        starts.append(start)
        after = "killed before it sounded" if start.sound_after is None else f"sound after {start.sound_after:4.1f} s"
        words = f"{after}, {start.onsets:>3} onsets, load {start.load:4.1f}"
        print(f"{len(starts):>4}  {words}  {'; '.join(start.problems)}", flush=True)
    sounded = sorted(start.sound_after for start in starts if start.sound_after is not None)
    bad = [start for start in starts if start.problems]
    print(f"\n{len(starts) - len(bad)} of {len(starts)} as they should be, {len(sounded)} heard, all in {folder}")
    print(f"{sum(start.onsets for start in starts)} onsets, each a note of the journal but for those above")
    if sounded:
        middle, late = np.percentile(sounded[1:] or sounded, [50, 95])
        soon = sum(one < 3 for one in sounded)
        print(f"first sound after {middle:.1f} s (median), {late:.1f} s (95 %); {soon} of {len(sounded)} within 3 s")
        print(f"load of the machine: {np.median([start.load for start in starts]):.1f} (median)")
    return len(bad)
