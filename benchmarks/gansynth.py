"""How fast GANSynth makes notes: ours, the original's graph in the same TensorFlow, and what the machine allows.

    python -m benchmarks.gansynth                # two processes in alternation, a minute on two quiet cores
    python -m benchmarks.gansynth --quick        # a small network: does everything run?

Wall times say something on a machine that does nothing else; the processor's times, all threads of a process together,
are what to compare on one that does. The roof is the least time that the original's multiplications take at the rate of
large matrix products, measured in each process between the rounds. Ours does fewer (`generator.py`), and may pass it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

PUBLISHED, SMALL = (256, 256, 256, 256, 128, 64, 32), (16, 16, 16, 16, 8, 8, 4)
_SCOPE = "Generator/progressive_gan_generator/progressive_gan_block_"
_NOTES = 8


def shapes(filters: tuple[int, ...], latent_size: int = 256) -> dict[str, tuple[int, ...]]:
    """The original's names of a generator's weights, and their shapes."""
    found, inputs = {}, latent_size + 61
    for block, count in enumerate(filters, 1):
        size = (2, 16) if block == 1 else (3, 3)
        for layer, shape in (
            ("conv0", (*size, inputs, count)),
            ("conv1", (3, 3, count, count)),
            ("to_rgb", (1, 1, count, 2)),
        ):
            found[f"{_SCOPE}{block}/{layer}/conv2d/kernel"] = shape
            found[f"{_SCOPE}{block}/{layer}/bias"] = shape[-1:]
        inputs = count
    return found


def operations(filters: tuple[int, ...]) -> int:
    """Floating-point operations of the original's convolutions for a note."""
    total = 0
    for name, shape in shapes(filters).items():
        if not name.endswith("kernel"):
            continue
        block = int(name.split("block_")[1].split("/")[0])
        pixels = 2 * 16 * 4 ** (block - 1)
        total += 2 * pixels * int(np.prod(shape))
    return total


def write_checkpoint(folder: Path, filters: tuple[int, ...]) -> None:
    """A checkpoint with made-up weights and, as in a real one, the raw weights beside the moving averages."""
    from engine.timbres.backend import tensorflow

    tf = tensorflow()
    held = {"global_step": np.array(11_000_000, np.int64)}
    random = np.random.default_rng(1)
    for name, shape in shapes(filters).items():
        for ending in ("", "/ExponentialMovingAverage"):
            held[name + ending] = random.standard_normal(shape).astype(np.float32)
    stage = folder / "stage_00012"
    stage.mkdir(parents=True)
    (folder / "experiment.json").write_text(
        '{"stable_stage_num_images": 800000, "transition_stage_num_images": 800000}'
    )
    tf.raw_ops.SaveV2(
        prefix=str(stage / "model.ckpt-11000000"),
        tensor_names=list(held),
        shape_and_slices=[""] * len(held),
        tensors=[tf.constant(value) for value in held.values()],
    )


def player(kind: str, folder: Path) -> None:
    """Answer lines of JSON: make notes, or measure the machine."""
    replies, sys.stdout = sys.stdout, sys.stderr
    watch = _Watch()
    from engine.timbres.backend import tensorflow

    tf = tensorflow()
    imported = watch.lap()
    if kind == "ours":
        from engine.timbres.gansynth.network import GanSynth

        network: Any = GanSynth.load(folder)
        size = network.latent_size
    else:
        from benchmarks.gansynth_plain import PlainGanSynth
        from engine.timbres.gansynth.checkpoint import open_generator

        weights = open_generator(folder)
        network, size = PlainGanSynth(weights, 1), weights.latent_size
    loaded = watch.lap()
    random = np.random.default_rng(2)
    latents = random.standard_normal((1, size)).astype(np.float32)
    pitches = np.array([60])
    network.notes(latents, pitches)
    first = watch.lap()
    for _ in range(_NOTES):
        network.notes(latents, pitches)
    peak = _peak()  # before the roof is measured, whose products are none of ours
    matrix = tf.constant(random.standard_normal((1024, 1024)).astype(np.float32))
    product = tf.function(lambda a: tf.matmul(a, a), autograph=False)
    product(matrix)
    said = {"import": imported, "load": loaded, "first": first, "peak": peak, "version": tf.__version__}
    print(json.dumps(said), file=replies, flush=True)
    for line in sys.stdin:
        watch.lap()
        if line.strip() == "note":
            for _ in range(_NOTES):
                network.notes(latents, pitches)
            told = [each / _NOTES for each in watch.lap()]
        else:
            for _ in range(20):
                made = product(matrix)
            made.numpy()
            told = [20 * 2 * 1024**3 / each for each in watch.lap()]
        print(json.dumps(told), file=replies, flush=True)


def _peak() -> int:
    """Bytes of resident memory of this process at most. `ru_maxrss` would count that of the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


class _Watch:
    """(wall, processor) seconds since the last lap."""

    def __init__(self) -> None:
        self._at = self._now()

    def lap(self) -> tuple[float, float]:
        before, self._at = self._at, self._now()
        return self._at[0] - before[0], self._at[1] - before[1]

    def _now(self) -> tuple[float, float]:
        return time.perf_counter(), time.process_time()


class _Player:
    def __init__(self, kind: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.gansynth", "--player", kind, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.begun = self._read()

    def ask(self, what: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise click.ClickException("a process that was measured ended")
        return json.loads(line)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="A small network, two rounds: does everything run?")
@click.option("--rounds", type=click.IntRange(1), default=None, help="Rounds of alternation.  [default: 7; quick: 2]")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write everything that was measured.")
@click.option("--player", "child", nargs=2, hidden=True)
def main(quick: bool, rounds: int | None, json_file: Path | None, child: tuple[str, str] | None) -> None:
    """Measure how fast GANSynth makes notes, beside the original's graph and the machine's roof."""
    if child:
        player(child[0], Path(child[1]))
        return
    filters = SMALL if quick else PUBLISHED
    with tempfile.TemporaryDirectory(prefix="perpetuum-gansynth-") as made:
        folder = Path(made) / "checkpoint"
        write_checkpoint(folder, filters)
        players = {kind: _Player(kind, folder) for kind in ("ours", "plain")}
        notes: dict[str, list[list[float]]] = {kind: [] for kind in players}
        rates: list[list[float]] = []
        for _ in range(rounds or (2 if quick else 7)):
            for kind, each in players.items():
                notes[kind].append(each.ask("note"))
                rates.append(each.ask("rate"))
        peaks = {kind: each.begun["peak"] for kind, each in players.items()}
        for each in players.values():
            each.close()
    _tell(players, notes, rates, peaks, operations(filters))
    if json_file is not None:
        begun = {kind: each.begun for kind, each in players.items()}
        told = {"begun": begun, "notes": notes, "rates": rates, "peaks": peaks, "load": os.getloadavg()}
        json_file.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _tell(players: dict[str, _Player], notes: Any, rates: Any, peaks: dict[str, int], work: int) -> None:
    roof = [work / max(rate[which] for rate in rates) for which in (0, 1)]
    for kind, each in players.items():
        wall, cpu = (statistics.median(note[which] for note in notes[kind]) for which in (0, 1))
        begun = ", ".join(
            f"{what} {each.begun[what][0]:.2f} / {each.begun[what][1]:.2f} s" for what in ("import", "load", "first")
        )
        click.echo(
            f"{kind}: {wall * 1000:.1f} ms a note (wall), {cpu * 1000:.1f} ms (processor), {roof[0] / wall:.0%} and "
            f"{roof[1] / cpu:.0%} of the roof; {begun} (wall / processor); peak {peaks[kind] / 1e6:.0f} MB"
        )
    pairs = list(zip(notes["plain"], notes["ours"], strict=True))
    walls, cpus = ([theirs[which] / ours[which] for theirs, ours in pairs] for which in (0, 1))
    click.echo(
        f"ratio, round by round: wall {statistics.median(walls):.2f} ({min(walls):.2f} to {max(walls):.2f}), "
        f"processor {statistics.median(cpus):.2f} ({min(cpus):.2f} to {max(cpus):.2f})"
    )
    click.echo(
        f"roof of the original's {work / 1e9:.1f} GFLOP: {roof[0] * 1000:.1f} ms wall, "
        f"{roof[1] * 1000:.1f} ms processor; TensorFlow {players['ours'].begun['version']}; "
        f"load average {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
