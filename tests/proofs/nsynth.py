"""NSynth in its published sizes computes what the original computes.

    python -m tests.proofs.nsynth

Weights follow from their names, so that no checkpoint is needed. Takes a minute on a quiet machine, and 1 GB of memory.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from engine.networks.threads import one_thread
from engine.timbres.nsynth.decoder import WaveSteps
from engine.timbres.nsynth.layout import HOP
from engine.timbres.nsynth.mu_law import MIDDLE, choose, inverse_mu_law, mu_law
from tests.timbres.nsynth.golden import TOLERANCE, Golden


def main(size: str = "full") -> bool:
    """Compare everything; whether all is within what the original's own float32 allows."""
    golden = Golden(size)
    found: dict[str, float] = {}
    with one_thread():
        encoder = golden.encoder()
        for wave, values, encoding in zip(golden.waves(), golden["mu_q"], golden["encoding"], strict=True):
            for what, made, wanted in (
                ("values of the tones", mu_law(wave), values),
                ("encodings", encoder.encode(wave), encoding),
            ):
                found[what] = max(found.get(what, 0.0), float(np.abs(made - wanted).max()))
        decoder = golden.decoder()
        for run in ("s1", "a1", "s2"):
            found |= _generated(golden, decoder, run)
        steps = golden.info["queue_after_forced_steps"]
        player, probabilities = golden.forced(decoder, steps)
    known = golden["pred_at"] < steps
    forced = probabilities[golden["pred_at"][known]].transpose(1, 0, 2) - golden["pred"][:, known]
    found["probabilities with true samples"] = float(np.abs(forced).max())
    queues = (golden.shown(player.queues(layer)[which - 1]) - rows for (layer, which), rows in golden.queues().items())
    found["queues"] = max(float(np.abs(difference).max()) for difference in queues)
    good = True
    for what, difference in found.items():
        within = difference == 0 if what.startswith(("values", "samples")) else difference <= TOLERANCE
        good = good and within
        print(f"{what}: differs by {difference:.2g} at most{'' if within else ', TOO MUCH'}")
    return good


def _generated(golden: Golden, decoder, run: str) -> dict[str, float]:
    about = golden.info[f"gen_{run}"]
    batch, steps, seed = about["batch"], about["steps"], about["seed"]
    draws = None if seed is None else np.random.RandomState(seed).rand(steps, batch)
    player, inputs = WaveSteps(decoder, batch), np.zeros(batch, np.float32)
    values, kept, begun = np.empty((batch, steps), np.int16), [], time.process_time()
    for step in range(steps):
        if step % HOP == 0:
            player.condition(golden["encoding"][:batch, step // HOP])
        probabilities = player.step(inputs)
        if step in golden[f"{run}_probs_at"]:
            kept.append(probabilities.copy())
        classes = probabilities.argmax(axis=1) if draws is None else choose(probabilities, draws[step])
        values[:, step] = classes - MIDDLE
        inputs = (values[:, step] / MIDDLE).astype(np.float32)
    spent = time.process_time() - begun
    print(f"{run}: {steps} steps of {batch} notes, {1000 * spent / steps:.1f} CPU ms each")
    return {
        f"samples of {run}": float(np.abs(values + MIDDLE - golden[f"{run}_bins"]).max()),
        f"sound of {run}": float(np.abs(inverse_mu_law(values) - golden[f"{run}_wave"]).max()),
        f"probabilities of {run}": float(np.abs(np.stack(kept) - golden[f"{run}_probs"]).max()),
    }


if __name__ == "__main__":
    sys.exit(not main(*sys.argv[1:]))
