"""The effects that all parts share: the delay (numpy) and the reverb (pyo's waveguide network)."""

from __future__ import annotations

import numpy as np

from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK
from engine.sound.synth import BlockBus, pyo, starters


class PingPong:
    """A delay whose repeats change sides and grow darker.

    Args:
        seconds: between repeats; two blocks at least.
        feedback: 0..0.95.
    """

    def __init__(self, seconds: float, feedback: float) -> None:
        self._frames = max(2 * BLOCK, round(seconds * SAMPLE_RATE))
        self._feedback = np.float32(min(max(feedback, 0.0), 0.95))
        # A ring of whole blocks, so that a block is always written in one piece.
        self._ring = np.zeros((-(-self._frames // BLOCK) * BLOCK + 2 * BLOCK, 2), np.float32)
        self._write = 0
        # The block that is heard, behind the last frame of the one before it.
        self._line = np.zeros((BLOCK + 1, 2), np.float32)
        self._back = np.zeros((BLOCK, 2), np.float32)
        self._darker = np.zeros((BLOCK, 2), np.float32)
        self._quiet_blocks = 1 << 30
        self._settled = len(self._ring) // BLOCK + 2

    def apply(self, block: np.ndarray | None) -> np.ndarray | None:
        """The repeats, array [BLOCK, 2], while `block` [BLOCK, 2] goes in; None stands for silence, on either side.

        What is returned is overwritten by the next call.
        """
        ring = self._ring
        if block is None and self._quiet_blocks > self._settled:
            return None
        line, back = self._line, self._back
        heard = line[1:]
        line[0] = line[-1]
        read = (self._write - self._frames) % len(ring)
        first = min(BLOCK, len(ring) - read)
        heard[:first] = ring[read : read + first]
        heard[first:] = ring[: BLOCK - first]
        # Two taps around each sample: a little less treble with every repeat; and the sides change places. One side
        # after the other: through both at once numpy would go in steps of two samples.
        for side in (0, 1):
            np.multiply(heard[:, 1 - side], np.float32(0.7), out=back[:, side])
            np.multiply(line[:-1, 1 - side], np.float32(0.3), out=self._darker[:, side])
        back += self._darker
        back *= self._feedback
        if block is None:
            if max(back.max(), -back.min()) < 1e-6:
                back[:] = 0.0
                self._quiet_blocks += 1
            else:
                self._quiet_blocks = 0
        else:
            for side in (0, 1):
                back[:, side] += block[:, side]
            self._quiet_blocks = 0
        ring[self._write : self._write + BLOCK] = back
        self._write = (self._write + BLOCK) % len(ring)
        return heard


class Reverb:
    """A reverberation in the graph: what is written before a block sounds in that block.

    Args:
        seconds: to -60 dB.
        brightness: 0 dark .. 1 bright.
    """

    def __init__(self, seconds: float, brightness: float) -> None:
        self._buses = (BlockBus(), BlockBus())
        # The network's eight lines last 68 ms on average (after Smith's waveguide reverberators): so much is lost on
        # each way round for 60 dB after `seconds`.
        feedback = 10.0 ** (-3.0 * 0.068 / min(max(seconds, 0.1), 20.0))
        cutoff = 1500.0 * 10.0 ** min(max(brightness, 0.0), 1.0)
        # A longer reverberation is a louder one; half of that is taken back.
        gain = (2.5 / max(seconds, 0.5)) ** 0.25
        self.outputs = []
        self._bases = []
        for bus in self._buses:
            clean = pyo.ButHP(bus.signal, 120.0)
            reverb = pyo.WGVerb(clean, float(feedback), float(cutoff), bal=1.0, mul=gain)
            self.outputs.append(reverb)
            self._bases += starters([clean, reverb])
        self._rest = int(1.5 * seconds * SAMPLE_RATE / BLOCK) + 100
        self._quiet_blocks = 0
        self._silent = True

    def write(self, block: np.ndarray | None) -> None:
        """Send an array [BLOCK, 2] (None: silence) into the next block; after a long silence the network rests."""
        if block is None or not (block[:, 0].any() or block[:, 1].any()):
            if not self._silent:
                for bus in self._buses:
                    bus.table.fill(0.0)
                self._silent = True
            self._quiet_blocks += 1
            if self._quiet_blocks == self._rest:
                for base in self._bases:
                    base.stop()
            return
        if self._quiet_blocks >= self._rest:
            for base in self._bases:
                base.play()
        self._quiet_blocks = 0
        self._silent = False
        self._buses[0].table[:] = block[:, 0]
        self._buses[1].table[:] = block[:, 1]
