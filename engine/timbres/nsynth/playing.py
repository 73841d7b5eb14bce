# pyright: strict
"""Many encodings played in threads, put aside now and then, and gone on with by whoever is asked for the same again.

Each thread plays a batch of its own on one thread of BLAS. Batches are made of what is to be played and of nothing
else, so that the same request gives the same samples, however fast its threads are and however often it was stopped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import NDArray

from engine.errors import PerpetuumError
from engine.networks.threads import one_thread
from engine.progress import tell
from engine.timbres.nsynth.decoder import WaveDecoder
from engine.timbres.nsynth.layout import HOP
from engine.timbres.nsynth.synthesis import Synthesis
from engine.timbres.nsynth.unfinished import ENDING, job_digest, read_unfinished, write_unfinished

Array = NDArray[np.float32]

_log = logging.getLogger(__name__)

THREADS = 2
"""Batches that play at once: each reads all weights, and two saturate the memory of most machines."""
BATCH = 32
"""Notes of a batch at most: each remembers 12.6 MB, and more of them gain nothing."""
_SELDOM = 20
"""Putting aside takes at most one part in so many of the time."""


@dataclass(frozen=True, slots=True)
class EncodedNote:
    """What is to be played.

    Attributes:
        encoding: [frames, 16].
        seed: of its chance.
    """

    encoding: Array
    seed: tuple[int, ...]


class _Batch:
    """Notes that are played together.

    Args:
        decoder: with its weights.
        weights: digest of the checkpoint.
        notes: by their numbers.
        folder: where what is not finished is put aside; None to put nothing aside.
        done: told a number and its sound when a note is over.
        every: seconds after which it is put aside.
        afresh: what was put aside is not gone on with.
    """

    def __init__(
        self,
        decoder: WaveDecoder,
        weights: str,
        notes: dict[int, EncodedNote],
        folder: Path | None,
        done: Callable[[int, Array], None],
        every: float,
        afresh: bool,
    ) -> None:
        self._decoder, self._notes, self._done, self._every = decoder, notes, done, every
        self._numbers = list(notes)
        encodings = [note.encoding for note in notes.values()]
        self._job = job_digest(weights, encodings, [note.seed for note in notes.values()])
        self._file = None if folder is None else folder / f"nsynth-{self._job[:12]}{ENDING}"
        self._synthesis: Synthesis | None = None
        self.trouble: PerpetuumError | None = None
        self.total = sum(len(encoding) for encoding in encodings) * HOP
        self._saved = None
        if self._file is not None and not afresh:
            self._saved = read_unfinished(self._file, self._job, decoder.layout, [len(each) for each in encodings])
        self.begun = self._saved.time if self._saved is not None else 0

    @property
    def made(self) -> int:
        """Samples that are made."""
        return self._synthesis.work[0] if self._synthesis is not None else 0

    def play(self, stop: Event) -> None:
        """Play until all notes are over, or somebody wants it to stop; then what is not finished is put aside."""
        if stop.is_set():
            return
        begun, self._saved = self._saved, None
        past = begun.time // HOP * HOP if begun is not None else 0
        encodings = [note.encoding for note in self._notes.values()]
        sources = [_source(note.seed, past) for note in self._notes.values()]
        synthesis = self._synthesis = Synthesis(self._decoder, encodings, sources, begun)
        for note in synthesis.over:
            self._done(self._numbers[note], synthesis.wave(note))
        due = time.monotonic() + self._every
        while not synthesis.finished and not stop.is_set():
            for note in synthesis.advance(stop):
                self._done(self._numbers[note], synthesis.wave(note))
            if synthesis.finished or stop.is_set() or time.monotonic() >= due:
                due = time.monotonic() + max(self._every, _SELDOM * self._put_aside(synthesis))

    def forget(self) -> None:
        """Delete what was put aside."""
        if self._file is not None:
            with suppress(OSError):
                self._file.unlink(missing_ok=True)

    def _put_aside(self, synthesis: Synthesis) -> float:
        """Put it aside; the seconds that it took."""
        begun = time.monotonic()
        if self._file is not None and synthesis.time:
            try:
                write_unfinished(self._file, self._job, synthesis.saved())
                self.trouble = None
            except PerpetuumError as error:
                # What was put aside before is still there, and hours of work are no less worth for it.
                if self.trouble is None:
                    _log.warning("the work cannot be put aside, and goes on: %s", error)
                self.trouble = error
        return time.monotonic() - begun


def _source(seed: tuple[int, ...], past: int) -> np.random.Generator:
    """The chance of a note, moved on by so many draws."""
    bits = np.random.PCG64(seed)
    bits.advance(past)
    return np.random.Generator(bits)


class Playing:
    """Notes that are to be played.

    Args:
        decoder: with its weights.
        weights: digest of the checkpoint.
        notes: of any lengths.
        done: told a number and its sound, [samples] at 16 kHz, when a note is over, and when it was over before; called
            by any thread.
        folder: where what is made is put aside, until `forget`: batches end one after the other, and whoever is killed
            between them loses none; None to put nothing aside.
        every: seconds after which it is put aside.
        afresh: what was put aside before is not gone on with.
        threads: batches at once; what is played depends on it, if seldom.
        batch: notes of a batch at most.

    Attributes:
        begun: samples of each note that were put aside before; 0 for a new beginning.

    Raises:
        PerpetuumError: what was put aside is damaged.
    """

    def __init__(
        self,
        decoder: WaveDecoder,
        weights: str,
        notes: Sequence[EncodedNote],
        done: Callable[[int, Array], None],
        folder: Path | None = None,
        every: float = 60.0,
        afresh: bool = False,
        threads: int = THREADS,
        batch: int = BATCH,
    ) -> None:
        self._threads = threads
        count = max(min(threads, len(notes)), -(-len(notes) // batch))
        # By length, and dealt out one by one: so batches end at about the same time.
        order = sorted(range(len(notes)), key=lambda number: -len(notes[number].encoding))
        dealt = [{number: notes[number] for number in order[which::count]} for which in range(count)]
        self._batches = [_Batch(decoder, weights, some, folder, done, every, afresh) for some in dealt]
        self.begun = max((batch.begun for batch in self._batches), default=0)

    @property
    def trouble(self) -> PerpetuumError | None:
        """Why the last of the work could not be put aside; None where it could."""
        return next((batch.trouble for batch in self._batches if batch.trouble is not None), None)

    def forget(self) -> None:
        """Delete what was put aside."""
        for batch in self._batches:
            batch.forget()

    def play(self) -> None:
        """Play them all. Tells how far it is (`engine.progress`); what interrupts it finds all put aside.

        Raises:
            PerpetuumError: something cannot be written.
        """
        stop = Event()
        total = sum(batch.total for batch in self._batches)
        with one_thread(), ThreadPoolExecutor(self._threads, "nsynth") as pool:
            waiting = {pool.submit(batch.play, stop) for batch in self._batches}
            try:
                while waiting:
                    finished, waiting = wait(waiting, timeout=0.2, return_when=FIRST_EXCEPTION)
                    for future in finished:
                        future.result()
                    tell(sum(batch.made for batch in self._batches) / total)
            finally:
                stop.set()
