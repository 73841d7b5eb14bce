"""How well the pitch of notes is heard: `python -m tests.proofs.pitches FOLDER [--every 9]`.

FOLDER holds `examples.json` (by the name of a note its `pitch` and `instrument`, as in the NSynth data set) and
`notes/NAME.flac`. Not a test: the notes are not in the repository. docs/samples.md keeps the last result.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import soundfile

from engine.timbres.samples.pitch import track_pitch

CENTS = 20.0


def main() -> int:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every so manieth note")
    options = parser.parse_args()
    examples = json.loads((options.folder / "examples.json").read_text())
    names = sorted(examples)[:: options.every]
    off: dict[str, float] = {}
    begun = time.process_time()
    for name in names:
        sound, rate = soundfile.read(options.folder / "notes" / f"{name}.flac", dtype="float32")
        heard = track_pitch(sound, rate)
        off[name] = 100.0 * (heard.pitch - examples[name]["pitch"]) if heard is not None else float("inf")
    spent = time.process_time() - begun
    for title, most in (("all", 128), ("programs 0 to 95", 96)):
        chosen = [off[name] for name in names if examples[name]["instrument"] < most]
        right = sum(abs(cents) <= CENTS for cents in chosen)
        octaves = sum(abs(cents) > CENTS and abs((cents + 600.0) % 1200.0 - 600.0) <= CENTS for cents in chosen)
        print(
            f"{title}: {right / len(chosen):.3f} right within {CENTS:g} cents, {octaves / len(chosen):.3f} octaves off"
        )
    print(f"{spent / len(names) * 1000:.1f} ms of CPU a note, {len(names)} notes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
