"""Kills a real `perpetuum run` at random moments and starts it again: what is heard is what the journal says.

    python -m tests.proofs.resume --times 200 [--seconds 12] [--seed 1]

Each time all processes are killed at once (SIGKILL), and the installation is started again. Checked of each start: it
starts; it is in the same section and at the very bar that was heard last; what was decided is not decided twice. The
recording is heard by an oracle of its own: the scene is a walk of single notes of a pluck, whose onsets and pitches are
found by a spectrum; each must be a note of the journal, at its frame.
"""

from __future__ import annotations

import argparse
import glob
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from engine.journal.reader import Journal
from engine.journal.recall import recall
from engine.journal.recalled import Recalled
from engine.journal.schema import NAME
from engine.score.time import SAMPLE_RATE

SCENE = """
perpetuum: 1
title: Plucks
seed: 3
tempo: 75 qpm
key: C
parts:
  bells:
    generator: {kind: pattern, notes: "C4:1 G4:1 E5:1 B4:1 | D4:1 A4:1 F5:1 C5:1"}
    phrase: 2 bars
    instrument: xylophone
    level: -6 dB
    sends: {reverb: off, delay: off}
sections:
  first: {bars: 4 bars, parts: [bells]}
  second: {bars: 6 bars, parts: [bells]}
"""

INSTALLATION = """
perpetuum: 1
title: Proof
scenes: {plucks: {file: scene.yaml, length: 20 h}}
output: {kind: "null"}
followers: [{kind: wav, argument: TAKES}]
state: state
fallback_bank: off
"""


NEAR = 2400
"""Frames by which an onset may be found beside a note."""

PARTIALS = (1, 2, 3, 4, 5, 6)
"""Of a struck bar, one of which may be the strongest."""


def tree(pid: int) -> list[int]:
    """A process and all that come from it."""
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        for file in glob.glob(f"/proc/{found[-1]}/task/*/children"):
            with suppress(OSError):
                waiting += [int(one) for one in Path(file).read_text().split()]
    return found


@dataclass
class Start:
    """A start, and what was found."""

    number: int
    sound_after: float | None = None
    problems: list[str] = field(default_factory=list)
    onsets: int = 0
    unknown: int = 0


def play(folder: Path, start: Start, seconds: float, patience: float) -> Path:
    """Run until some seconds after the first sound, then kill all at once; the recording."""
    take = folder / f"take{start.number}.wav"
    (folder / "installation.yaml").write_text(INSTALLATION.replace("TAKES", str(take)))
    with (folder / f"log{start.number}").open("w") as log:
        began, sounds_at = time.monotonic(), None
        command = [sys.executable, "-P", "-m", "engine", "run", str(folder / "installation.yaml"), "-v"]
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        part = Path(f"{take}.part")
        while process.poll() is None and time.monotonic() - began < patience:
            if sounds_at is None and part.exists() and part.stat().st_size > 8192:
                sounds_at = time.monotonic()
                start.sound_after = sounds_at - began
            if sounds_at is not None and time.monotonic() - sounds_at > seconds:
                break
            time.sleep(0.02)
        if process.poll() is not None:
            start.problems.append(f"it ended by itself: {process.returncode}")
        elif sounds_at is None:
            start.problems.append(f"no sound within {patience:g} s")
        pids = tree(process.pid)
        for pid in pids:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        while any(Path(f"/proc/{pid}").exists() for pid in pids):
            time.sleep(0.01)
    return part


def onsets(path: Path) -> list[tuple[int, float]]:
    """Frames and frequencies at which something begins: energy that rises, and the strongest line of a spectrum."""
    if not path.exists():
        return []
    try:
        sound, _ = soundfile.read(str(path), dtype="float32")
    except soundfile.LibsndfileError:
        return []
    mono = sound.mean(axis=1)
    hop = 480
    frames = mono[: len(mono) // hop * hop].reshape(-1, hop)
    level = np.log10((frames**2).mean(axis=1) + 1e-9) * 10
    found: list[tuple[int, float]] = []
    for place in range(4, len(level) - 18):
        rises = level[place + 2] - level[place - 2]
        if rises > 6 and level[place + 2] > -50 and (not found or place * hop - found[-1][0] > 9600):
            window = mono[(place + 3) * hop : (place + 18) * hop] * np.hanning(15 * hop)
            spectrum = np.abs(np.fft.rfft(window, 1 << 16))
            line = int(spectrum[200:3000].argmax()) + 200
            found.append((place * hop, line * SAMPLE_RATE / (1 << 16)))
    return found


def check_notes(state: Path, start: Start, part: Path) -> None:
    """Each onset of a recording is a note that the journal knows, of that pitch and at that frame."""
    with Journal(state / NAME) as journal:
        sitting = journal.sittings()[-1]
        first = sitting.told.frame // 256 * 256
        bars = journal.bars(sitting.number, 0, 1 << 40)
        notes = [row for bar in bars for one in bar.notes for row in one.notes.tolist()]
    for frame, frequency in onsets(part):
        start.onsets += 1
        near = [pitch for on, _, pitch, _ in notes if abs(on - first - frame) < NEAR]
        heard = [frequency / (440 * 2 ** ((pitch - 69) / 12) * partial) for pitch in near for partial in PARTIALS]
        start.unknown += not any(abs(ratio - 1) < 0.03 for ratio in heard)


def check_journal(state: Path, start: Start, before: Recalled | None) -> Recalled | None:
    """A start goes on where the one before it stood; where it stood itself."""
    with Journal(state / NAME) as journal:
        sitting = journal.sittings()[-1]
        first = next(journal.bars(sitting.number, 0, 1 << 40), None)
        if before is not None and first is not None:
            if (first.bar, first.body.section) != (before.bar, before.section):
                found = f"bar {first.bar} in {first.body.section}"
                start.problems.append(f"{found} after bar {before.bar} in {before.section}")
            if sitting.told.continues != before.sitting:
                start.problems.append("it does not go on")
        decided = [
            (one.decided.part, one.decided.first_bar)
            for one_sitting in journal.sittings()
            for one in journal.phrases(one_sitting.number, -(1 << 50), 1 << 50)
        ]
        if len(decided) != len(set(decided)):
            start.problems.append("a phrase was decided twice")
        found_now = recall(journal)
        if journal.unreadable:
            start.problems.append(f"{journal.unreadable} records cannot be read")
        return found_now


def main() -> int:
    """Kill and start again; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=12.0, help="of sound before the kill, at most")
    parser.add_argument("--patience", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    folder = Path(tempfile.mkdtemp(prefix="resume"))
    (folder / "scene.yaml").write_text(SCENE)
    state = folder / "state"
    starts: list[Start] = []
    before = None
    for number in range(options.times):
        start = Start(number)
        part = play(folder, start, float(rng.uniform(0.5, options.seconds)), options.patience)
        starts.append(start)
        before = check_journal(state, start, before)
        check_notes(state, start, part)
        part.unlink(missing_ok=True)
        heard = f"sound after {start.sound_after or 0:5.1f} s, {start.onsets:>3} onsets, {start.unknown} unknown"
        print(f"{number + 1:>4}  {heard}  {'; '.join(start.problems)}", flush=True)
    good = [start for start in starts if not start.problems and not start.unknown]
    print(f"{len(good)} of {len(starts)} starts well, {sum(one.onsets for one in starts)} onsets heard; {folder}")
    return 0 if len(good) == len(starts) else 1


if __name__ == "__main__":
    sys.exit(main())
