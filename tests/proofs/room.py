"""Proof that a microphone in a room gives no false alarm: `python -m tests.proofs.room [--hours 24] [--seed 1]`.

Every five minutes the room is another one, by lot: delay up to a second, 0.3 to 3 s of reverberation, the direct
sound 0 to 8 dB below it; noise of one kind, as loud as the music; clocks up to 100 ppm apart. The music is made up as
in the tests of the listener, or taken from recordings (`--music FILE...`). Printed: for how long the verdict was wrong;
and after how many seconds it is told, in every fourth room, that the amplifier dies.
"""

import argparse
import collections

import numpy as np
import soundfile
import soxr

from engine.health.room.likeness import RATE
from engine.health.room.listener import RoomListener, RoomVerdict
from tests.health.rooms import fans, heard_in, hiss, music, parted, room, scaled, visitors

STRETCH = 300
"""Seconds in one room."""

NOISES = {"hiss": hiss, "fans": fans, "visitors": visitors}

BANK = 1 << 23
"""Frames of each noise, 17 minutes, of which every room has another piece."""

DIES = 120
"""Second at which the amplifier dies."""
PIECE = RATE // 5


def recording(file):
    """One channel at `RATE`."""
    samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), rate, RATE)


def verdicts(sent, heard):
    """One for each piece."""
    listener = RoomListener()
    sent, heard = np.asarray(sent, np.float32), np.asarray(heard, np.float32)
    for start in range(0, len(heard), PIECE):
        listener.sent(sent[start : start + PIECE])
        listener.heard(heard[start : start + PIECE])
        yield listener.verdict


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--music", nargs="*", default=[])
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    recordings = [recording(file) for file in options.music]
    noises = [(name, make(random, BANK)) for name, make in NOISES.items()]
    wrong, unsure, pieces, rooms, late = collections.Counter(), 0, 0, 0, []
    for number in range(round(options.hours * 3600 / STRETCH)):
        if recordings:
            sent = np.resize(
                np.roll(recordings[number % len(recordings)], int(random.integers(RATE * 60))), STRETCH * RATE
            )
        else:
            sent = music(STRETCH, int(random.integers(1 << 30)))
        name, bank = noises[number % len(noises)]
        shape = random.uniform(0.0, 1.0), random.uniform(0.3, 3.0), random.uniform(-8.0, 0.0)
        ppm = random.uniform(-100, 100)
        here = heard_in(sent, room(random, *shape))
        begins = int(random.integers(BANK - len(here)))
        noise = scaled(bank[begins : begins + len(here)], 0.1)
        found = list(verdicts(sent, parted(here + noise, ppm)))
        alarms = found.count(RoomVerdict.UNHEARD)
        wrong[name] += alarms
        rooms += 1
        pieces += len(found)
        unsure += found.count(RoomVerdict.UNSURE)
        told = f"{shape[0]:.2f} s, {shape[1]:.1f} s, {shape[2]:.0f} dB, {ppm:4.0f} ppm"
        if alarms:
            print(f"{number:3} {name:9} {told}: FALSE ALARM", flush=True)
        if number % 4 == 0:
            here[DIES * RATE :] = 0.0
            found = list(verdicts(sent[: 240 * RATE], parted((here + noise)[: 240 * RATE], ppm)))
            after = [place * 0.2 - DIES for place, one in enumerate(found) if one is RoomVerdict.UNHEARD]
            late.append(min((one for one in after if one >= 0), default=float("inf")))
            so_far = pieces * 0.2 / 3600
            print(f"{so_far:5.1f} h {name:9} {told}: a dead amplifier is told after {late[-1]:.1f} s", flush=True)
    hours, false = pieces * 0.2 / 3600, sum(wrong.values()) * 0.2
    print(f"{hours:.1f} hours, {rooms} rooms: {false:.1f} s of false alarm {dict(wrong)}, {unsure / pieces:.1%} unsure")
    print(f"a dead amplifier is told after {min(late):.0f} to {max(late):.0f} s")


if __name__ == "__main__":
    main()
