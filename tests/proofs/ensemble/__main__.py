"""Whether one network over parts is surprised less where it hears the others.

    python -m tests.proofs.ensemble FOLDER --run FOLDER [--minutes 40] [--seed 0] [--picture FILE]

FOLDER holds the data sets that `recipes/ensemble` names; they are split as it says, and the network that hears is
trained by it (with --seed). Basses of Freedoom hear drums and harmony, melodies of lead sheets hear chords; another
network hears nothing in training, and networks of the families that stand learn the same lines. All are judged on the
test split, in nats per sixteenth: the bar is 10 % under both for the bass's rhythm, its pitches, and the melody. What
is in the run's folder is not made again. 1 where the bar is not met.
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
    parser.add_argument("--minutes", type=float, default=40.0, help="that each training may take")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", type=Path, help="of the held-out losses, to be drawn")
    asked = parser.parse_args()
    choose_backend()
    use_threads(1)
    from tests.proofs.ensemble.comparison import compared  # Keras has to know its backend before
    from tests.proofs.ensemble.curves import draw

    met = compared(asked.folder, asked.run, asked.minutes, asked.seed)
    if asked.picture is not None:
        draw(asked.run, asked.seed, asked.picture)
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
