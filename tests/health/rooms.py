"""Rooms, music and noise that are made up for tests: what a microphone would hear of what is sent."""

import numpy as np

from engine.health.room.likeness import RATE


def music(seconds, seed=1):
    """Notes of seven partials, three a second, each of which dies away; RMS about 0.1."""
    random = np.random.default_rng(seed)
    made = np.zeros((seconds + 5) * RATE)
    scale = 220.0 * 2.0 ** (np.array([0, 2, 3, 5, 7, 8, 10, 12, 14, 15]) / 12)
    at = 0.0
    while at < seconds:
        length = int(random.uniform(0.3, 4.0) * RATE)
        times = np.arange(length) / RATE
        pitch = random.choice(scale) * random.choice([0.5, 1.0, 2.0])
        decay = np.exp(-3.0 * np.arange(length) / length)
        note = sum(np.sin(2 * np.pi * pitch * n * times + n) / n for n in range(1, 8) if pitch * n < RATE / 2)
        start = int(at * RATE)
        made[start : start + length] += random.uniform(0.3, 1.0) * decay * note
        at += random.exponential(0.33)
    return scaled(made[: seconds * RATE], 0.1)


def room(random, delay, decay, direct):
    """An impulse response: the direct sound, and noise behind it that falls by 60 dB.

    Args:
        delay: seconds to the direct sound.
        decay: seconds in which the rest falls by 60 dB.
        direct: dB of the direct sound over all the rest.
    """
    start, length = int(delay * RATE), int(decay * RATE)
    tail = random.standard_normal(length) * 10.0 ** (-3.0 * np.arange(length) / length)
    found = np.zeros(start + length)
    found[start:] = tail / np.sqrt(np.square(tail).sum()) * 10.0 ** (-direct / 20)
    found[start] += 1.0
    return found


def heard_in(sent, response, level=0.1):
    """Sound in a room, at a level."""
    size = 1 << (len(sent) + len(response) - 1).bit_length()
    return scaled(np.fft.irfft(np.fft.rfft(sent, size) * np.fft.rfft(response, size), size)[: len(sent)], level)


def hiss(random, count, level=0.1):
    """White noise."""
    return scaled(random.standard_normal(count), level)


def fans(random, count, level=0.1):
    """Pink noise, and the mains."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0.0
    hum = np.sin(2 * np.pi * 100 * np.arange(count) / RATE)
    return scaled(scaled(np.fft.irfft(spectrum, count), 1.0) + 0.5 * hum, level)


def visitors(random, count, level=0.1):
    """Six voices, each with its syllables."""
    made = np.zeros(count)
    steps = np.arange(0, count + RATE // 5, RATE // 5)
    for _ in range(6):
        syllables = np.square(np.interp(np.arange(count), steps, random.standard_normal(len(steps))))
        made += syllables * fans(random, count, 1.0)
    return scaled(made, level)


def parted(heard, ppm):
    """Heard by a clock that is so much faster."""
    times = np.arange(len(heard)) * (1.0 + ppm * 1e-6)
    return np.interp(times, np.arange(len(heard)), heard)


def scaled(samples, level):
    """At a root mean square."""
    return samples * (level / np.sqrt(np.mean(np.square(samples))))
