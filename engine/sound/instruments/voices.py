"""Voices: built once, lent to notes, stopped while idle.

A voice that is lent is always silent and settled, so a note begins the same whatever the voice played before. A note
that finds all voices taken cuts the oldest one (a fade of 4 ms) and takes one of a few spare ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.score.time import SAMPLE_RATE
from engine.sound.instruments.effects import stereo_chain
from engine.sound.messages import BLOCK
from engine.sound.settings import Pitched
from engine.sound.synth import BlockBus, pyo, starters

CUT_FRAMES = 192
"""Length of the fade of a voice that is taken away: 4 ms."""

SHORTEST_NOTE = 480
"""Frames that the gate of a note stays open at least: 10 ms."""

_NEVER = 2**62
_IDLE_BLOCKS = 3 * SAMPLE_RATE // BLOCK
"""Blocks without a voice after which an instrument's effects are stopped as well: 3 s."""


def hertz(pitch: float) -> float:
    """Frequency of a MIDI pitch in equal temperament, A4 = 440 Hz, kept within 8..12500 Hz."""
    return min(max(440.0 * 2.0 ** ((pitch - 69.0) / 12.0), 8.0), 12500.0)


def velocity_gain(velocity: int, amount: float) -> float:
    """Linear gain of a velocity 1..127, 1.0 at 80; by `amount` 1 the level follows the square of the velocity."""
    return (min(max(velocity, 1), 127) / 80.0) ** (2.0 * amount)


def decibels(level: float) -> float:
    """Linear gain of a level in dB; -inf is 0."""
    return 10.0 ** (level / 20.0) if level > -120.0 else 0.0


class Voice:
    """What every voice has; a kind of instrument adds its oscillators.

    A subclass makes its pyo objects, names them in `adopt`, and says in `tail` how long a note goes on after its end.

    Attributes:
        gate: the velocity's gain while the note is held, 0 otherwise.
        cut: 1.0; falls to 0 when the voice is taken away.
        output: the pyo object that is mixed; a pair of them for left and right.
    """

    flush = 3 * BLOCK
    """Frames of silence that a voice needs after a cut until everything in it has settled."""

    output: Any

    def __init__(self) -> None:
        self.gate = BlockBus()
        self.cut = BlockBus(1.0)
        self.level = 0.0
        self.began = 0
        self.off = _NEVER
        self.end = _NEVER
        self.cut_from = _NEVER
        self.hushed = False
        self._short = False
        self._envelopes: list[tuple[Any, float]] = []
        self._plays: list[Any] = []
        self._stops: list[Any] = []

    def envelope(self, attack: float, decay: float, sustain: float, release: float, **scale: Any) -> Any:
        """A MidiAdsr on the gate; it starts from 0 at the note's very frame."""
        made = pyo.MidiAdsr(self.gate.signal, attack, decay, sustain, release, **scale)
        self._envelopes.append((made, release))
        return made

    def adopt(self, *objects: Any) -> None:
        """The voice's pyo objects, in the order in which they were made; they are stopped until a note comes."""
        bases = starters([self.gate.signal, self.cut.signal, *objects])
        self._plays = [base.play for base in bases]
        self._stops = [base.stop for base in bases]
        self.stop()

    def play(self) -> None:
        """Let the voice compute again."""
        for play in self._plays:
            play()

    def stop(self) -> None:
        """Idle: costs nothing, gives silence."""
        for stop in self._stops:
            stop()

    def hush(self) -> None:
        """After a cut: let everything settle within `flush` frames."""
        for made, _ in self._envelopes:
            made.setRelease(0.001)
        self._short = True

    def recover(self) -> None:
        """Undo `hush` before a note's end.

        Not earlier: between notes an envelope goes on reckoning where its release stands, and would come back.
        """
        if self._short:
            for made, release in self._envelopes:
                made.setRelease(release)
            self._short = False

    def begin(self, offset: int, pitch: int, velocity: int) -> float:
        """Set the voice to a note that starts at a frame of the coming block.

        Returns:
            Level of the gate while the note is held, > 0.
        """
        raise NotImplementedError

    def release(self, offset: int) -> None:
        """The note ends at a frame of the coming block (the gate closes by itself)."""

    def each_block(self) -> None:
        """Called before every block in which the voice sounds, after `begin`, if `needs_blocks`."""

    needs_blocks = False

    @property
    def tail(self) -> int:
        """Frames from the note's end to silence."""
        raise NotImplementedError

    @property
    def life(self) -> int:
        """Frames from the note's beginning to silence if it is held for ever."""
        return _NEVER


class Polyphony:
    """An instrument made of voices (see `engine.sound.contract.Instrument`).

    Args:
        voices: all of them, idle; some more than `settings.voices`, see `spare`.
        settings: of the instrument.
        offset: the voices' mean may differ from 0.
        image: of voices in stereo: how wide they are heard, 0 mono .. 1 as they are.
    """

    def __init__(self, voices: Sequence[Voice], settings: Pitched, offset: bool = False, image: float = 1.0) -> None:
        self.stolen = 0
        self._limit = settings.voices
        self._free = list(reversed(voices))
        self._active: list[Voice] = []
        self._pending: list[tuple[int, int, int, int]] = []
        self._dirty: list[Voice] = []
        self._wake = _NEVER
        self._idle_blocks = 0
        self._with_blocks = bool(voices) and voices[0].needs_blocks
        apart = settings.width / 2.0
        near, far = math.sqrt(0.5 + apart), math.sqrt(0.5 - apart)
        stereo = isinstance(voices[0].output, tuple)
        if stereo:
            near, far = (1.0 + image) / 2.0, (1.0 - image) / 2.0
            sums = [pyo.Mix([voice.output[side] for voice in voices], voices=1) for side in (0, 1)]
        else:
            # Every other voice leans to the other side.
            sums = [pyo.Mix([voice.output for voice in voices[side::2]], voices=1) for side in (0, 1)]
        left = pyo.Sig(sums[0], mul=near, add=pyo.Sig(sums[1], mul=far))
        right = pyo.Sig(sums[1], mul=near, add=pyo.Sig(sums[0], mul=far))
        gain = decibels(settings.gain)
        self._keep, self.outputs = stereo_chain(left, right, settings.effects, gain, offset)
        self._chain = [*sums, left, right, *self._keep]

    def note(self, offset: int, pitch: int, velocity: int, off: int) -> None:
        """Begin a note in the coming block."""
        self._pending.append((offset, pitch, velocity, off))

    def prepare(self, frame: int) -> None:
        """Make ready for the block that begins at an absolute frame."""
        for voice in self._dirty:
            voice.gate.table.fill(voice.level)
        self._dirty.clear()
        if self._pending or frame + BLOCK > self._wake:
            self._retire(frame)
            self._events(frame)
            self._fade_cut(frame)
            self._wake = min((self._next_change(voice) for voice in self._active), default=_NEVER)
        if self._with_blocks:
            for voice in self._active:
                voice.each_block()

    @staticmethod
    def _next_change(voice: Voice) -> int:
        if voice.cut_from != _NEVER and not voice.hushed:
            return 0
        return min(voice.off, voice.end)

    def _retire(self, frame: int) -> None:
        for voice in [one for one in self._active if one.end <= frame]:
            if voice.off != _NEVER:
                # Still held, but it has died away: the same way out as for a voice that is taken away.
                voice.cut_from, voice.off, voice.end = frame, _NEVER, _NEVER
                continue
            voice.stop()
            if voice.hushed:
                voice.cut.table.fill(1.0)
            voice.hushed, voice.cut_from, voice.end = False, _NEVER, _NEVER
            self._active.remove(voice)
            self._free.append(voice)

    def _events(self, frame: int) -> None:
        ends = [(voice.off - frame, k, voice) for k, voice in enumerate(self._active) if voice.off < frame + BLOCK]
        ends.sort(key=lambda end: end[:2])
        for offset, pitch, velocity, off in self._pending:
            while ends and ends[0][0] <= offset:
                self._end_note(ends.pop(0)[2], frame)
            voice = self._take(frame + offset)
            if voice is None:
                self.stolen += 1
                continue
            voice.off = max(off, frame + offset + SHORTEST_NOTE)
            voice.began = frame + offset
            voice.level = voice.begin(offset, pitch, velocity)
            voice.end = min(voice.began + voice.life, _NEVER)
            voice.gate.table[offset:] = voice.level
            self._dirty.append(voice)
            voice.play()
        for _, _, voice in ends:
            self._end_note(voice, frame)
        self._pending.clear()

    def _end_note(self, voice: Voice, frame: int) -> None:
        if voice.cut_from != _NEVER:
            return
        offset = max(0, voice.off - frame)
        voice.gate.table[offset:] = 0.0
        voice.level = 0.0
        voice.recover()
        voice.release(offset)
        voice.end = voice.off + voice.tail + BLOCK
        voice.off = _NEVER
        self._dirty.append(voice)

    def _take(self, now: int) -> Voice | None:
        sounding = [voice for voice in self._active if voice.cut_from == _NEVER]
        if not self._free:
            return None
        if len(sounding) >= self._limit:
            # Released notes go first (the one that ends soonest), then the oldest; never one of this very moment.
            victim = min(sounding, key=lambda voice: (voice.off != _NEVER, voice.end, voice.began))
            if victim.began >= now:
                return None
            victim.cut_from = now
            victim.off = victim.end = _NEVER
            self.stolen += 1
        voice = self._free.pop()
        self._active.append(voice)
        return voice

    def _fade_cut(self, frame: int) -> None:
        for voice in self._active:
            if voice.cut_from == _NEVER or voice.hushed:
                continue
            if frame >= voice.cut_from + CUT_FRAMES:
                voice.cut.table.fill(0.0)
                voice.level = 0.0
                voice.gate.table.fill(0.0)
                voice.hush()
                voice.hushed = True
                voice.end = frame + voice.flush
            else:
                done = np.clip((np.arange(frame, frame + BLOCK) - voice.cut_from) / CUT_FRAMES, 0.0, 1.0)
                voice.cut.table[:] = 0.5 + 0.5 * np.cos(np.pi * done)

    def sleep(self) -> None:
        """Called by the core once a block: after a while without voices, stops the effects too."""
        if self._active:
            if self._idle_blocks > _IDLE_BLOCKS:
                for base in starters(self._chain):
                    base.play()
            self._idle_blocks = 0
            return
        self._idle_blocks += 1
        if self._idle_blocks == _IDLE_BLOCKS + 1:
            for base in starters(self._chain):
                base.stop()


def spare(settings: Pitched) -> int:
    """Voices to build in addition, for notes that come while others are being cut."""
    return max(3, settings.voices // 2)
