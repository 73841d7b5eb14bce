"""Whether a network that a musician trains on a few performances lets go of its notes.

    python -m tests.proofs.letting_go FOLDER [--batches 400] [--files 20] [--run FOLDER]

Trains `performance` on some of the MIDI files of a folder as `perpetuum train` does by default, plays 20 s many times
at temperature 0.9, and compares how many voices sound at once with held-out music: at most 1.5 times as many.
Beside it the same network as it played before `SoundingStream`, when notes could end that did not sound.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from engine.networks import CONFIGS, build_network
from engine.networks.encodings.performance.performance import PerformanceEncoding
from engine.training.checkpoint import read_best
from engine.training.datasets import open_dataset
from engine.training.evaluation.samples import Sample, corpus_samples, sample_music
from engine.training.evaluation.statistics import note_statistics

CONFIG, TEMPERATURE, MOST = "performance", 0.9, 1.5


def trained(folder: Path, files: int, batches: int, run: Path) -> None:
    """Train on some files of a folder, drawn by chance, with one thread."""
    music = run.parent / f"{run.name}-music"
    music.mkdir(parents=True, exist_ok=True)
    for path in random.Random(20).sample(sorted(folder.rglob("*.mid*")), files):
        shutil.copy(path, music)
    command = ["train", CONFIG, "--data", str(music), "-o", str(run), "--batches", str(batches), "--threads", "1"]
    subprocess.run([Path(sys.executable).with_name("perpetuum"), *command], check=True)


def voices(samples: list[Sample], name: str) -> float:
    """Notes that sound at once, printed beside how many begin in a second and how long they are."""
    found = note_statistics(samples)
    told = f"{found['voices']:6.2f} voices, {found['notes']:5.2f} notes a second of {found['length']:.2f} s"
    print(f"{name:16} {told}", flush=True)
    return found["voices"]


def main() -> int:
    """Train, play, compare; 1 where it holds on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--batches", type=int, default=400)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--run", type=Path, help="of a training that is there, or is to be kept")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        run: Path = asked.run or Path(room) / "run"
        if not (run / "best.npz").exists():
            trained(asked.folder, asked.files, asked.batches, run)
        network: Any = build_network(CONFIGS[CONFIG], read_best(run, latest=False))
        pieces = open_dataset([run / "dataset"], CONFIG).pieces
    held = corpus_samples(network.config, [piece for piece in pieces if piece.split != "train"], 64, 0)
    allowed = MOST * voices(held, "held out")
    now = voices(sample_music(network, held, asked.samples, TEMPERATURE), "from nothing")
    primed = voices(sample_music(network, held, asked.samples, TEMPERATURE, primed=True), "going on")
    with mock.patch.object(PerformanceEncoding, "sounding_stream", PerformanceEncoding.stream):
        voices(sample_music(network, held, asked.samples, TEMPERATURE), "any note ends")
    return int(max(now, primed) > allowed)


if __name__ == "__main__":
    sys.exit(main())
