"""Thousands of scenes by chance: what `check` calls valid plays. `python -m tests.proofs.scenes --count 20000`.

Not a test of every run: it takes some minutes. A scene that fails is kept beside, with its seed.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from engine.scenes.instruments.files import Instruments
from tests.scenes.chance import examine


def main() -> int:
    """Try so many scenes and say what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first scene")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()), help="folder for scenes that failed")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    results: Counter[str] = Counter()
    begun = time.monotonic()
    instruments = Instruments()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.yaml"
        for seed in range(options.first, options.first + options.count):
            try:
                results["valid, and plays" if examine(path, seed, instruments) else "refused, at a place"] += 1
            except Exception:
                results["FAILED"] += 1
                kept = options.keep / f"scene_{seed}.yaml"
                kept.write_bytes(path.read_bytes())
                print(f"seed {seed}, kept as {kept}:\n{traceback.format_exc(limit=-4)}", flush=True)
    print(f"{options.count} scenes in {time.monotonic() - begun:.0f} s: {dict(results)}")
    return 1 if results["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
