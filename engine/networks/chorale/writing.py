# pyright: strict
"""Writing chorales: from nothing, going on from a past, or around voices that are given.

What is given lies ahead of what is chosen, so notes drawn one after another would not lead there. Several ways to write
the piece, *particles*, grow side by side; each is weighed by how likely the network finds what is given after what it
chose, and those of little weight give way to copies of the others (sequential Monte Carlo: Doucet & Johansen 2009).
Further passes draw the free voices anew around one of the ways found, which stays among the particles (particle Gibbs:
Andrieu, Doucet & Holenstein 2010, section 2.4.3); their number going to infinity, what is drawn is what the network
would have sung, had it known what is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.networks.chorale.encoding import END, HIGHEST, LABELS, LOWEST, PITCHES, RANGES, SILENCE, VOICES, label_of
from engine.networks.chorale.network import ChoraleNetwork, Growing
from engine.networks.contract import Sampling
from engine.networks.sampling import choose, log_probabilities
from engine.networks.threads import one_thread

FREE, HOLD = -3, -4
"""In what is given: the voice may sing anything; it goes on with what it sings."""
_ENOUGH = 0.5
"""Share of particles that have to count, in effective number, or they are drawn anew."""
_PITCHES = np.arange(LOWEST, LOWEST + PITCHES)
_PITCH_CLASSES = _PITCHES % 12


@dataclass(frozen=True, slots=True)
class Writing:
    """What is to be written.

    Attributes:
        steps: sixteenths.
        given: [steps, 4] pitches, -1 for silence, `FREE` or `HOLD`; None where all is free. Given pitches outside the
            network's range count as free.
        classes: [steps, 4, 12] pitch classes, C first, that a free voice may sing; None for all of them.
        temperature: > 0; 1 is as learnt.
        top_p: choose among the likeliest notes that together have this probability; None for all.
        particles: ways that grow side by side.
        passes: how often the free voices are drawn; more than once where something is given.
        highest: pitch that no free voice goes above; None for what each voice sings in the training split.
        rests: whether free voices may be silent.
        may_end: whether pieces may end before all steps are written.
        closes: whether the piece ends with its last step, which weighs, too.
        parallels: nats that a note costs which makes a parallel fifth or octave with a voice above it; a unison
            with one costs a fifth of it. 0 for what the network would sing by itself.
        key_bias: [12] what is added to the logits of pitch classes, C first; None for nothing.
    """

    steps: int
    given: np.ndarray | None = None
    classes: np.ndarray | None = None
    temperature: float = 1.0
    top_p: float | None = None
    particles: int = 1
    passes: int = 1
    highest: int | None = None
    rests: bool = True
    may_end: bool = False
    closes: bool = False
    parallels: float = 0.0
    key_bias: np.ndarray | None = None

    @property
    def bound(self) -> bool:
        """Whether anything is given."""
        return self.given is not None or self.classes is not None or self.parallels > 0


@dataclass(frozen=True, slots=True)
class SungPiece:
    """A piece.

    Attributes:
        piece: [T, 4] pitches, -1 for silence.
        log_likelihood: nats of all its notes, as the network finds them at temperature 1.
        log_weight: nats that its way weighs beside the others, of those since they were last drawn anew.
        ended: whether the network ended it.
    """

    piece: np.ndarray
    log_likelihood: float
    log_weight: float = 0.0
    ended: bool = False


def write(
    network: ChoraleNetwork,
    writing: Writing,
    rng: np.random.Generator,
    past: np.ndarray | None = None,
    phase: int = 0,
) -> list[SungPiece]:
    """Pieces, as many as there are particles; where something is given those of most weight first.

    Args:
        network: that sings.
        writing: what is asked for.
        rng: source of chance.
        past: [P, 4] what was sung before; None to begin.
        phase: sixteenths of the bar before the past's first note.

    Raises:
        PerpetuumError: the network gives no finite numbers.
    """
    found: list[SungPiece] = []
    reference: np.ndarray | None = None
    with one_thread():
        opening = network.begin(1, phase)
        for pitch in () if past is None else past.reshape(-1).tolist():
            opening.logits()
            opening.push([int(pitch)])
        for _ in range(max(1, writing.passes)):
            found = _Pass(opening.copies(max(1, writing.particles)), writing, rng, reference).write()
            shares = np.exp(np.array([one.log_weight for one in found]) - max(one.log_weight for one in found))
            reference = found[int(rng.choice(len(found), p=shares / shares.sum()))].piece
    if writing.bound:
        found.sort(key=lambda one: -one.log_weight)
    return found


class _Pass:
    """One growth of all particles from the first step to the last."""

    def __init__(
        self, growing: Growing, writing: Writing, rng: np.random.Generator, reference: np.ndarray | None
    ) -> None:
        self.growing, self.writing, self.rng = growing, writing, rng
        self.reference = reference
        self.count = len(growing.streams)
        self.weights = np.zeros(self.count)
        self.likelihoods = np.zeros(self.count)
        self.ended = np.full(self.count, writing.steps)
        self.start = len(growing.streams[0].notes)
        bias = np.zeros(LABELS)
        if writing.key_bias is not None:
            bias[:PITCHES] = np.asarray(writing.key_bias, float)[_PITCH_CLASSES]
        self.bias = bias
        self.masks = [_sung_by(voice, writing.rests, writing.highest) for voice in range(VOICES)]

    def write(self) -> list[SungPiece]:
        """See `write`."""
        sampling = Sampling(temperature=self.writing.temperature, top_p=self.writing.top_p)
        for step in range(self.writing.steps):
            for voice in range(VOICES):
                self._sing(step, voice, sampling)
            if not (self.ended > step).any():
                break
        if self.writing.closes:
            self.weights += log_probabilities(self.growing.logits(), 1.0)[:, END]
        found: list[SungPiece] = []
        for k, stream in enumerate(self.growing.streams):
            sung = np.array(stream.notes[self.start :], np.int64).reshape(-1, VOICES)[: self.ended[k]]
            over = bool(self.ended[k] < self.writing.steps)
            found.append(SungPiece(sung, float(self.likelihoods[k]), float(self.weights[k]), over))
        return found

    def _sing(self, step: int, voice: int, sampling: Sampling) -> None:
        logits = self.growing.logits().astype(np.float64)
        logs = log_probabilities(logits, 1.0)
        alike = self.writing.given is None or self.writing.given[step, voice] != HOLD
        allowed = np.stack([self._allowed(step, voice, k) for k in range(1 if alike else self.count)])
        allowed = np.repeat(allowed, self.count, axis=0) if alike else allowed
        if voice == 0 and self.writing.may_end and step > 0:
            allowed[:, END] = True
        cost = self._costs(voice) if self.writing.parallels and voice else np.zeros((1, LABELS))
        wanted = np.where(allowed, logits + self.bias - cost, -np.inf)
        labels, _ = choose(wanted, sampling, self.rng.random(self.count))
        going = self.ended > step
        if self.reference is not None and step < len(self.reference):
            labels[0] = label_of(int(self.reference[step, voice]))
        over = (labels == END) & going
        self.ended[over] = step
        # What has ended is sung on by whatever is likeliest, unheard, so that all particles keep one length.
        logs_sung = np.where(np.arange(LABELS) == END, -np.inf, np.where(allowed, logits, -np.inf))
        labels = np.where(labels == END, logs_sung.argmax(axis=1), labels)
        self.likelihoods += np.where(going, logs[np.arange(self.count), labels], 0.0)
        pitches = [int(label) + LOWEST if label < PITCHES else -1 for label in labels]
        if self._weighs(step, voice) or cost.any():
            told = np.where(allowed, logs - cost, -np.inf)
            top = told.max(axis=1)
            self.weights += top + np.log(np.exp(told - top[:, None]).sum(axis=1))
        self.growing.push(pitches)
        if voice == VOICES - 1:
            self._draw_anew()

    def _allowed(self, step: int, voice: int, particle: int) -> np.ndarray:
        """[labels] what a voice may sing."""
        mask = self.masks[voice].copy()
        told = FREE if self.writing.given is None else int(self.writing.given[step, voice])
        if told == HOLD:
            now = self.growing.streams[particle].now[voice]
            told = now if now >= -1 else FREE
        if told == -1 or LOWEST <= told <= HIGHEST:
            mask[:] = False
            mask[label_of(told)] = True
        elif self.writing.classes is not None and not self.writing.classes[step, voice].all():
            mask[:PITCHES] &= self.writing.classes[step, voice][_PITCH_CLASSES]
            mask[SILENCE] = False
        return mask

    def _costs(self, voice: int) -> np.ndarray:
        """[particles, labels] nats that notes cost by what they make with the voices above."""
        costs = np.zeros((self.count, LABELS))
        for k, stream in enumerate(self.growing.streams):
            own, pitches = stream.now[voice], _PITCHES
            for above in range(voice):
                now, before = stream.now[above], stream.before[above]
                if now < 0:
                    continue
                costs[k, :PITCHES] += 0.2 * (pitches == now)
                if own < 0 or before < 0 or now == before:
                    continue
                gap = (before - own) % 12
                if gap in (0, 7):
                    same_way = (pitches - own) * (now - before) > 0
                    costs[k, :PITCHES] += same_way & ((now - pitches) % 12 == gap)
        return self.writing.parallels * costs

    def _weighs(self, step: int, voice: int) -> bool:
        """Whether something is given there."""
        given, classes = self.writing.given, self.writing.classes
        return (given is not None and int(given[step, voice]) != FREE) or (
            classes is not None and not bool(classes[step, voice].all())
        )

    def _draw_anew(self) -> None:
        """Let particles of little weight give way, where few of them count."""
        if not self.writing.bound or self.count == 1:
            return
        shares = np.exp(self.weights - self.weights.max())
        shares /= shares.sum()
        if 1.0 / float((shares**2).sum()) >= _ENOUGH * self.count:
            return
        places = (np.arange(self.count) + self.rng.random()) / self.count
        chosen = np.minimum(np.searchsorted(np.cumsum(shares), places, side="right"), self.count - 1)
        if self.reference is not None:
            chosen[0] = 0  # the way that is kept
        self.growing.choose(chosen.tolist())
        self.likelihoods, self.ended = self.likelihoods[chosen], self.ended[chosen]
        self.weights = np.zeros(self.count)


def _sung_by(voice: int, rests: bool, highest: int | None) -> np.ndarray:
    low, high = RANGES[voice]
    high = high if highest is None else max(low + 12, min(high, highest))
    mask = np.zeros(LABELS, bool)
    mask[low - LOWEST : high - LOWEST + 1] = True
    mask[SILENCE] = rests
    return mask
