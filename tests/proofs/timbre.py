"""What the timbre network is worth: `python -m tests.proofs.timbre FONT`, where FONT is Debian's FluidR3_GM.sf2.

Judged on the groups of programs that training never heard (`HELD_OUT`). Not a test: it renders ten programs' worth of
notes with FluidSynth. docs/timbres.md keeps the last result.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.networks.threads import one_thread
from engine.timbres.neural.analysis import analyse
from engine.timbres.neural.banks import bank_pitches, neural_instrument, play, raw_notes
from engine.timbres.neural.distance import level, log_spectra, spectral_distance
from engine.timbres.neural.layout import RATE, SECONDS
from engine.timbres.neural.places import between, drawn_place
from engine.timbres.neural.synthesis import render
from engine.timbres.neural.weights import SHIPPED, load_network, read_network, write_network
from engine.timbres.samples.instrument import About
from engine.timbres.samples.notes import _is_clipped
from engine.timbres.samples.pitch import track_pitch
from engine.training.timbre.notes import HELD_OUT, PROGRAMS
from engine.training.timbre.soundfont import groups, read_programs, render_notes

HARMONIC = (5, 19, 41, 56, 68, 73, 82)
"""Held-out programs of keyboards, pipes, solo strings, brass, reeds and leads: electric piano 2, church organ, viola,
trumpet, oboe, flute, calliope lead of General MIDI."""

SOUNDED = tuple(range(36, 90, 4))
MISHEARD = frozenset({(19, 72), (19, 84)})
"""(program, MIDI pitch) of `HARMONIC` and `SOUNDED` at which the tracker is an octave off on the source: stops of
the church organ. All 96 others are judged; the proof fails where another one is misheard."""

CENTS = 20.0
COMPARED = (48, 64, 76)
"""MIDI pitches at which sounds are held against the nearest notes of training."""


def cents_off(sound, pitch):
    """By which a sound is off its pitch; None where no clear pitch is heard."""
    heard = track_pitch(sound, RATE)
    return None if heard is None or not heard.clear else 100.0 * (heard.pitch - pitch)


def pitches(network, font):
    """Pitch of what comes back, where the tracker is right on the source."""
    right = octaves = judged = sources = 0
    for program in HARMONIC:
        keys = list(SOUNDED)
        for pitch, sound in zip(keys, render_notes(font, program, keys), strict=True):
            sources += 1
            off = cents_off(sound, pitch)
            misheard = off is None or abs(off) > CENTS
            assert misheard == ((program, pitch) in MISHEARD), (program, pitch, off)
            if misheard:
                continue
            judged += 1
            place = network.encode([analyse(sound, pitch).envelopes], [pitch])[0]
            back = cents_off(play(network, place, pitch), pitch)
            right += back is not None and abs(back) <= CENTS
            octaves += back is not None and abs(back) > CENTS and abs((back + 600.0) % 1200.0 - 600.0) <= CENTS
    print(
        f"pitch: {right / judged:.3f} right within {CENTS:g} cents, {octaves / judged:.3f} octaves off ({judged} notes"
    )
    print(f"       of {sources}, on which the tracker is right itself)")
    return {"pitch_right": right / judged, "octaves_off": octaves / judged}


def distances(network, font):
    """Distance of what comes back beside that of the nearest note of training, and that of analysis alone."""
    everyone = groups(read_programs(font))
    held = [group for group in everyone if set(group) & set(HELD_OUT)]
    hidden = {program for group in held for program in group}
    near = {pitch: [] for pitch in COMPARED}
    keys = [pitch + step for pitch in COMPARED for step in (-2, 0, 2)]
    for program in (one for one in PROGRAMS if one not in hidden):
        for key, sound in zip(keys, render_notes(font, program, keys), strict=True):
            if np.abs(sound).max() > 1e-4:
                near[min(COMPARED, key=lambda pitch: abs(pitch - key))].append(sound)
    table = []
    for group in held:
        found = []
        for pitch, sound in zip(COMPARED, render_notes(font, group[0], list(COMPARED)), strict=True):
            if np.abs(sound).max() < 1e-4:
                continue
            reference = log_spectra(sound)

            def away(other, sound=sound, reference=reference):
                gain = np.float32(10.0 ** ((level(sound) - level(other)) / 20.0))
                return spectral_distance(reference, log_spectra(other * gain))

            taken = analyse(sound, pitch)
            back = [network.encode([taken.envelopes], [pitch], toned=toned) for toned in (True, False)]
            ours, toneless = (away(render(network.decode(one, [pitch])[0], pitch)) for one in back)
            ceiling = away(render(taken.envelopes, pitch + taken.cents / 100.0))
            found.append((ours, min(map(away, near[pitch])), ceiling, toneless))
        ours, nearest, ceiling, toneless = np.mean(found, axis=0)
        table.append((ours, nearest, ceiling, toneless))
        print(
            f"       program {group[0]:3d}: {ours:.2f} dB, nearest {nearest:.2f}, analysis alone {ceiling:.2f}, "
            f"latent space alone {toneless:.2f}",
            flush=True,
        )
    ours, nearest, ceiling, toneless = np.median(table, axis=0)
    print(f"distance: median of {len(table)} groups {ours:.2f} dB, nearest note of training {nearest:.2f} dB,")
    print(f"       {100 * (1 - ours / nearest):.0f} % under it; analysis and synthesis alone {ceiling:.2f} dB,")
    print(f"       by the latent space alone, without a tone, {toneless:.2f} dB")
    nearer = sum(one[0] < one[1] for one in table)
    print(f"       nearer than the nearest in {nearer} of {len(table)} groups")
    return {
        "distance_db": ours,
        "distance_of_nearest_training_note_db": nearest,
        "distance_of_analysis_alone_db": ceiling,
        "distance_without_tone_db": toneless,
        "groups_nearer": nearer / len(table),
    }


def drawn(network, count):
    """What is wrong with sounds that are drawn."""
    silent = unstable = untuned = clear = 0
    for seed in range(count):
        pitch = 36 + seed * 7 % 49
        sound = play(network, drawn_place(seed), pitch)
        silent += float(np.sqrt(np.mean(sound**2))) < 1e-3
        unstable += not np.isfinite(sound).all() or _is_clipped(sound[:, None])
        off = cents_off(sound, pitch)
        clear += off is not None
        untuned += off is not None and abs(off) > CENTS
    print(
        f"drawn: of {count} {silent} silent, {unstable} unstable; {clear} have a clear pitch, {untuned} of these off it"
    )


def paths(network):
    """How even the way from one sound to another is: the largest step over the mean one."""
    centroid, partials = [], []
    for number in range(12):
        ends = [drawn_place(2 * number), drawn_place(2 * number + 1)]
        way = network.decode(np.stack([between(ends, share) for share in np.linspace(0, 1, 33)]), [60] * 33)
        levels = np.stack([one.partials[20:30].mean(axis=0) for one in way])
        power = 10.0 ** (levels / 10.0)
        middle = (power * np.arange(1, power.shape[1] + 1)).sum(axis=1) / power.sum(axis=1)
        for found, value in ((centroid, np.log2(middle)[:, None]), (partials, levels)):
            steps = np.sqrt(np.square(np.diff(value, axis=0)).mean(axis=1))
            found.append(steps.max() / steps.mean())
    print(f"paths: largest of 32 steps over the mean: centroid {np.median(centroid):.1f} (at most {max(centroid):.1f})")
    print(f"       partials {np.median(partials):.1f} (at most {max(partials):.1f})")


def speed(network):
    """Processor's time of a note and of an instrument, and its memory."""
    with one_thread():
        play(network, drawn_place(0), 60)
        begun = time.process_time()
        for seed in range(20):
            play(network, drawn_place(seed), 48 + seed)
        note = (time.process_time() - begun) / 20
    print(
        f"speed: a note of {SECONDS:g} s takes {1000 * note:.0f} ms of one core, {SECONDS / note:.0f} times real time"
    )
    code = "from tests.proofs.timbre import instrument; instrument()"
    subprocess.run([sys.executable, "-c", code], check=True)


def instrument():
    """Make an instrument in a process of its own, and say what it took."""
    begun = time.process_time()
    network = load_network()
    made, judged = neural_instrument(raw_notes(network, drawn_place(7), bank_pitches(36, 84, 3)), About("t"))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"bank: {len(judged)} notes, {sum(map(len, made.sounds.values())) / RATE:.0f} s of sound, made and judged in",
        end=" ",
    )
    print(f"{time.process_time() - begun:.1f} s of one core; {used.ru_maxrss / 1024:.0f} MB at most, with all imports")


def main():
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("font", type=Path)
    parser.add_argument("--network", type=Path, default=SHIPPED)
    parser.add_argument("--keep", action="store_true", help="write the figures into the network's card")
    parser.add_argument("--samples", type=int, default=200)
    options = parser.parse_args()
    network = load_network(options.network)
    speed(network)
    paths(network)
    drawn(network, options.samples)
    figures = pitches(network, options.font) | distances(network, options.font)
    if options.keep:
        card, weights = read_network(options.network)
        rounded = {name: round(float(value), 3) for name, value in figures.items()}
        write_network(options.network, weights, replace(card, metrics=rounded))
    return 0


if __name__ == "__main__":
    sys.exit(main())
