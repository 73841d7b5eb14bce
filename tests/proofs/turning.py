"""How a timbre turns over an hour: `python -m tests.proofs.turning [SCENE [PART]] [--picture FILE]`.

At each section line of a scene the notes of a part are those of a place on its way. Here one note of each is made: its
centroid, how far it is from the one before, and from the first, in decibels of spectrum. It fails if a step at a line
is larger than the distance of the two named places that it lies between, or if the way does not come home.
docs/timbres.md keeps the last result.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from engine import assets
from engine.conductor.daytime import CountedDay
from engine.form.plan import Plan
from engine.pictures import new_figure, save_picture
from engine.runtime.timbres.lines import moved_at
from engine.runtime.timbres.orders import orders_of
from engine.scenes import load
from engine.score.time import SAMPLE_RATE
from engine.timbres.neural.banks import play
from engine.timbres.neural.distance import aligned_distance
from engine.timbres.neural.layout import RATE
from engine.timbres.neural.places import place_between
from engine.timbres.neural.ways import leg_at
from engine.timbres.neural.weights import load_network


def note(settings, at, pitch):
    """A note [frames] of a place on the way."""
    network = load_network()
    places = [one if isinstance(one, int) else Path(one) for one in settings.places]
    return play(network, place_between(network, places, at), pitch)


def centroid(sound):
    """Hz: where the middle of a sound's amplitudes lies."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float((spectrum * np.fft.rfftfreq(len(sound), 1 / RATE)).sum() / spectrum.sum())


def lines_of(plan, minutes):
    """(bar, seconds) of each section line."""
    found, bar = [], 0
    while (start := plan.bar(bar).start / SAMPLE_RATE) < 60 * minutes:
        found.append((bar, start))
        bar = plan.pass_at(bar).end_bar
        plan.bar(bar)
    return found


def main():
    """Print the figures, and draw them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scene", nargs="?", default="metamorphoses")
    parser.add_argument("part", nargs="?", default="pad")
    parser.add_argument("--minutes", type=float, default=65.0)
    parser.add_argument("--hour", type=float, default=12.0, help="of the day at which it begins")
    parser.add_argument("--pitch", type=int, default=60)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    path = assets.find("scenes", options.scene)
    scene, _ = load(path)
    written = scene.parts[options.part].timbre.settings
    seed = scene.seed or 0
    plan = Plan(scene, seed, day=CountedDay(3600 * options.hour).at)
    lines = lines_of(plan, options.minutes)
    orders = [orders_of(scene, seed, "/", bar, moved=moved_at(plan, bar))[0][options.part] for bar, _ in lines]
    made = {}
    for order in orders:
        if order.digest not in made:
            made[order.digest] = note(order.settings, order.settings.at, options.pitch)
    sounds = [made[order.digest] for order in orders]
    steps = [0.0, *(aligned_distance(*two) for two in pairwise(sounds))]
    home = [aligned_distance(sounds[0], one) for one in sounds]
    centroids = [centroid(one) for one in sounds]
    points = len(written.places)
    places = [note(written, number / (points - 1), options.pitch) for number in range(points)]
    legs = [aligned_distance(*two) for two in pairwise(places)]
    shares = [step / legs[leg_at(points, order.settings.at)[0]] for step, order in zip(steps, orders, strict=True)]
    farthest, back = int(np.argmax(home)), min(home[len(home) // 2 :])
    print(f"{len(lines)} section lines in {lines[-1][1] / 60:.0f} minutes, {len(made)} banks")
    print(f"centroid {min(centroids):.0f} to {max(centroids):.0f} Hz")
    print(f"step at a line: {np.mean(steps[1:]):.2f} dB in the mean, {max(steps):.2f} at most")
    print(f"from one named place to the next: {', '.join(f'{one:.2f}' for one in legs)} dB")
    print(f"step over the distance of the named places that it lies between: {max(shares):.2f} at most")
    after = lines[farthest][1] / 60
    print(f"from home: {home[farthest]:.2f} dB at most, after {after:.0f} minutes; back to {back:.2f} dB")
    if options.picture is not None:
        draw(options.picture, [start / 60 for _, start in lines], centroids, steps, home)
    return 0 if max(shares) <= 1 and back < 0.1 * home[farthest] else 1


def draw(path, minutes, centroids, steps, home):
    """Two panes over the minutes."""
    figure = new_figure(11, 5)
    above, below = figure.subplots(2, 1, sharex=True)
    above.step(minutes, centroids, where="post", color="tab:orange")
    above.set_ylabel("centroid, Hz")
    below.step(minutes, home, where="post", label="from the first one", color="tab:blue")
    below.step(minutes, steps, where="post", label="from the one before", color="tab:green")
    below.set_ylabel("distance, dB")
    below.set_xlabel("minutes")
    below.legend()
    save_picture(figure, path)


if __name__ == "__main__":
    sys.exit(main())
