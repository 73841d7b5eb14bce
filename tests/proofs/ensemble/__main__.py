"""Whether one network over parts is surprised less where it hears the others.

    python -m tests.proofs.ensemble FOLDER --run FOLDER [--batches 1200] [--minutes 40] [--seed 0] [--picture FILE]
    python -m tests.proofs.ensemble FOLDER --run FOLDER --ship engine/weights/ensemble.safetensors

FOLDER holds the data sets `freedoom_midi`, `nottingham` and `openewld`. Basses of Freedoom, which hear drums and
harmony, and melodies of lead sheets, which hear chords, train one network; another one hears nothing in training,
and networks of the families that stand learn the same lines. All are judged on the test split, in nats per sixteenth:
the bar is 10 % under both for the bass's rhythm, its pitches, and the melody. What is in the run's folder is not made
again. 1 where the bar is not met. `--ship` writes the weights of a run with their card, and judges nothing else.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.training.machine import choose_backend, use_threads


def main() -> int:
    """Read, train, judge, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--run", type=Path, required=True, help="where music, trainings and figures are kept")
    parser.add_argument("--batches", type=int, default=1200)
    parser.add_argument("--minutes", type=float, default=40.0, help="that each training may take")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", type=Path, help="of the held-out losses, to be drawn")
    parser.add_argument("--ship", type=Path, help="the weights file that is to be written")
    asked = parser.parse_args()
    choose_backend()
    use_threads(1)
    from tests.proofs.ensemble.comparison import compared, shipped_again  # Keras has to know its backend before
    from tests.proofs.ensemble.curves import draw

    if asked.ship is not None:
        shipped_again(asked.folder, asked.run, asked.seed, asked.ship)
        return 0
    met = compared(asked.folder, asked.run, asked.batches, asked.minutes, asked.seed)
    if asked.picture is not None:
        draw(asked.run, asked.seed, asked.picture)
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
