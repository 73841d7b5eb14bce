"""Perpetuum as a process that is told by lines of JSON what to load and to play; see `processes`.

What is timed is what the generators call: `extend`, `candidates` and `decode`, notes in and notes out.
"""

from __future__ import annotations

import json
import platform
import resource
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

_started = time.perf_counter()
import numpy as np  # noqa: E402

from benchmarks.subjects import SUBJECTS, made_up_weights  # noqa: E402
from engine import __version__  # noqa: E402
from engine.networks import CONFIGS, build_network, load_network  # noqa: E402
from engine.networks.card import WeightsCard, read_weights, write_weights  # noqa: E402
from engine.networks.contract import Passage, Sampling  # noqa: E402
from engine.score.phrase import NOTE  # noqa: E402

IMPORT_SECONDS = time.perf_counter() - _started

_VAES = {subject.config for subject in SUBJECTS if subject.family == "music_vae"}


class Recurrent:
    """A network that continues music."""

    def __init__(self, path: str) -> None:
        self.network = load_network(path)

    def prime(self, notes: list, qpm: float, length: float, new_beats: float, batch: int, **_: Any) -> None:
        """Take notes [pitch, velocity, start, end, drum] in beats, to be continued from `length` on."""
        heard = np.zeros(len(notes), NOTE)
        for note, (pitch, velocity, start, end, _drum) in zip(heard, notes, strict=True):
            note["pitch"], note["velocity"], note["start"], note["end"] = pitch, velocity, start, end
        self.passage = Passage(heard, length, qpm)
        self.beats, self.batch = new_beats, batch

    def make(self, rng: np.random.RandomState) -> int:
        """One call; the notes that came of it."""
        made = self.network.extend(self.passage, self.beats, sampling=Sampling(), rng=rng, count=self.batch)
        return sum(len(extension.notes) for extension in made)

    def count(self, rng: np.random.RandomState) -> dict[str, int]:
        """What one call does; see `measure.Side`."""
        stack, head = self.network.stack, self.network.head
        step, sample = stack.step, head.sample
        fed, sampled = [], []

        def counted_step(inputs: np.ndarray, rows: Any = None) -> np.ndarray:
            fed.append(len(inputs))
            return step(inputs, rows)

        def counted_sample(outputs: np.ndarray, *arguments: Any) -> Any:
            sampled.append(len(outputs))
            return sample(outputs, *arguments)

        stack.step, head.sample = counted_step, counted_sample
        self.make(rng)
        del stack.step, head.sample
        return {"steps": sum(sampled) // self.batch, "fed": len(fed), "rows": sum(fed)}


class Vae:
    """A network that decodes places of its latent space."""

    def __init__(self, path: str) -> None:
        self.network = load_network(path)
        self.converter = self.network.config.make_converter()

    def prime(self, length: int, batch: int, **_: Any) -> None:
        """Take the number of steps and of sequences."""
        self.length, self.batch = length, batch

    def make(self, rng: np.random.RandomState) -> int:
        """One call; the notes that came of it."""
        z = rng.randn(self.batch, self.network.latent_size).astype(np.float32)
        outputs = self.network.decode(z, length=self.length, temperature=1.0, rng=rng)
        return sum(len(track.notes) for output in outputs for track in self.converter.to_tracks(output))

    def count(self, _rng: np.random.RandomState) -> dict[str, int]:
        """What one call does; see `measure.Side`."""
        return {"steps": self.length, "fed": self.length, "rows": self.length * self.batch}


def answer(request: dict[str, Any], loaded: dict[str, Any]) -> dict[str, Any]:
    """Do what one line asks; the reply."""
    do = request.pop("do")
    if do == "hello":
        return {"import_seconds": IMPORT_SECONDS, "versions": _versions()}
    if do == "prepare":
        _prepare(**request)
        return {}
    if do == "compare":
        _compare(**request)
        return {}
    if do == "import":

        def imported() -> Any:
            card, weights = open_weights(request["path"], request["config"])
            return build_network(CONFIGS[card.config], weights)

        from engine.networks.checkpoints.weights import open_weights  # What has only files of our own does without it.

        return {"seconds": _timed(imported)[0]}
    if do == "load":
        kind = Vae if request["config"] in _VAES else Recurrent
        loaded.clear()  # Two networks at once would show in the memory.
        seconds, loaded["player"] = _timed(lambda: kind(request["path"]))
        return {"seconds": seconds}
    if do == "prime":
        loaded["player"].prime(**request)
        return {}
    if do == "count":
        return loaded["player"].count(np.random.RandomState(request["seed"]))
    if do == "play":
        rng = np.random.RandomState(request["seed"])
        seconds, notes = _timed(lambda: loaded["player"].make(rng))
        return {"seconds": seconds, "notes": notes}
    if do == "memory":
        return {"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    raise ValueError(do)


def _prepare(subject: str, path: str) -> None:
    """Write a weights file with made-up weights, in single precision."""
    chosen = next(each for each in SUBJECTS if each.name == subject)
    config = CONFIGS[chosen.config]
    card = WeightsCard("made up", config.family, config.name, config.sizes(chosen.shapes), "CC0-1.0")
    write_weights(Path(path), card, made_up_weights(chosen), np.float32)


def _compare(own: str, theirs: str, config: str) -> None:
    """Check that a weights file and a file of the original hold the same numbers, but for the rounding of a sum."""
    from engine.networks.checkpoints.weights import open_weights

    ours, original = read_weights(own)[1], open_weights(theirs, config)[1]
    for name, value in ours.items():
        if not np.allclose(value, original[name], rtol=0, atol=1e-6):
            raise ValueError(f"{theirs}: {name} is not what it is in {own}: delete both, they are written anew")


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), "perpetuum": __version__, "numpy": np.__version__}


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    value = call()
    return time.perf_counter() - started, value


def main() -> None:
    """Answer line by line until the input ends."""
    replies, sys.stdout = sys.stdout, sys.stderr
    loaded: dict[str, Any] = {}
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line), loaded)
        except Exception as error:
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
