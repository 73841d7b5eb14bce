# pyright: strict
"""Phrases out of jobs: what a replica does. Networks stay in memory within a budget."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from engine.errors import PerpetuumError
from engine.generators.chain import Cache, make_phrase
from engine.generators.contract import Generator, Transform
from engine.generators.neural.kinds import DRUMS_RNN, MUSIC_VAE
from engine.generators.neural.settings import DrumsRnnSettings
from engine.generators.neural.vae.music_vae import MusicVaeGenerator
from engine.networks.threads import one_thread
from engine.pool.serving.making.makers import JobOutcome
from engine.pool.serving.making.together import LaneModels, SharedModels, reached
from engine.pool.serving.making.twins import Twins, size_of_weights
from engine.pool.wire.answers import read_answer, write_answer
from engine.pool.wire.digests import weights_named
from engine.pool.wire.messages import key_of
from engine.pool.wire.requests import read_job, write_job
from engine.runtime.workers.worker import rehearsal

log = logging.getLogger(__name__)

MOST_BUILT = 256
"""Generators that are kept, however small."""

IN_MEMORY = 4
"""Bytes in memory for each byte of a weights file, at most: files hold half floats, networks hold floats and fold
some of their weights once more."""


class BuiltModels(MutableMapping[tuple[str, ...], Generator | Transform]):
    """Generators that were built, those that were used last; `chain.Cache`.

    Args:
        budget: bytes of memory that their weights may take, here and on a GPU.
        twins: plays heavy ones; None for numpy.
    """

    def __init__(self, budget: int, twins: Twins | None = None) -> None:
        self._budget, self._twins = budget, twins or Twins()
        self._built: OrderedDict[tuple[str, ...], tuple[Generator | Transform, int]] = OrderedDict()

    @property
    def bytes(self) -> int:
        """Memory that their weights take, at most, and on the GPU."""
        return sum(size for _, size in self._built.values()) + self._twins.bytes

    def __getitem__(self, name: tuple[str, ...]) -> Generator | Transform:
        found = self._built[name]
        self._built.move_to_end(name)
        return found[0]

    def __setitem__(self, name: tuple[str, ...], built: Generator | Transform) -> None:
        weights = name[-1]
        self._built[name] = built, IN_MEMORY * size_of_weights(weights)
        self._built.move_to_end(name)
        network = built.network if isinstance(built, MusicVaeGenerator) else None
        expected = 0 if network is None else self._twins.expected(weights, network)
        while len(self._built) > 1 and (self.bytes + expected > self._budget or len(self._built) > MOST_BUILT):
            del self[next(iter(self._built))]
        if network is not None:
            self._twins.take(weights, network)

    def __delitem__(self, name: tuple[str, ...]) -> None:
        del self._built[name]
        self._twins.put_aside(name[-1])

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return iter(self._built)

    def __len__(self) -> int:
        return len(self._built)


class PhraseMaker:
    """Does jobs, one after the other. Networks have state while they play, so each lane has a maker of its own.

    Args:
        budget: bytes of memory that weights may take.
        models: what is built; None for models of its own, within the budget.
        twins: plays heavy networks; None for numpy.
    """

    def __init__(self, budget: int, models: Cache | None = None, twins: Twins | None = None) -> None:
        self._twins = twins or Twins()
        self.models = BuiltModels(budget, self._twins) if models is None else models
        self._lock = threading.Lock()

    def make(self, job: bytes, paths: Mapping[str, str]) -> JobOutcome:
        """Do a job; what cannot be made is an outcome, too. From any thread."""
        with self._lock:
            began = time.monotonic()
            body, problem = b"", ""
            try:
                kind, request = read_job(job, {digest: Path(path) for digest, path in paths.items()})
                raw, phrase = make_phrase(kind, request, self.models)
                body = write_answer(key_of(job), raw, phrase, time.monotonic() - began)
            except PerpetuumError as error:
                problem = error.message
            except Exception as error:  # a plug-in, or a network that is fed what it has never seen
                log.exception("a phrase could not be made")
                problem = repr(error)[:500]
            return JobOutcome(body, problem, reached(), self._twins.played_by(paths.values()))


class Lanes:
    """Does jobs side by side where that gains: those of MusicVAE share the calls of their network, all others are made
    one after the other.

    Args:
        budget: bytes of memory that weights may take.
        batch: jobs whose calls are shared, at most; 1: none.
        twins: plays heavy networks; None for numpy.
    """

    def __init__(self, budget: int, batch: int = 1, twins: Twins | None = None) -> None:
        eighth = budget // 8
        # The twins are of whoever has MusicVAE, whose memory theirs is.
        self._maker = PhraseMaker(budget, twins=twins) if batch == 1 else PhraseMaker(eighth)
        self._alone = ThreadPoolExecutor(1, "phrases")
        self._together: ThreadPoolExecutor | None = None
        if batch > 1:
            # For good: threads of BLAS are the process's, and lanes would change them under each other.
            self._one_thread = one_thread()
            # Most is for what is shared; a lane's own are networks of its transforms.
            shared = SharedModels(BuiltModels(budget - 2 * eighth, twins))
            self._own = threading.local()
            begins = (shared, eighth // batch, twins)
            self._together = ThreadPoolExecutor(batch, "together", initializer=self._begin, initargs=begins)

    def _begin(self, shared: SharedModels, budget: int, twins: Twins | None) -> None:
        self._own.maker = PhraseMaker(budget, LaneModels(shared, BuiltModels(budget)), twins)

    def submit(self, kind: str, job: bytes, paths: Mapping[str, str]) -> Future[JobOutcome]:
        """Have a job done as soon as there is a lane; one that is cancelled before is not.

        Args:
            kind: of the generator.
            job: to be done.
            paths: as in `Makers.make`.
        """
        if self._together is None or kind != MUSIC_VAE.name:
            return self._alone.submit(self._maker.make, job, paths)
        return self._together.submit(lambda: self._own.maker.make(job, paths))

    def close(self) -> None:
        """Begin no more."""
        for one in (self._alone, self._together):
            if one is not None:
                one.shutdown(wait=False, cancel_futures=True)


class Rehearsal:
    """Makes one real bar with a real network the whole way that a player's takes, again and again.

    Args:
        maker: of a lane of its own.
    """

    def __init__(self, maker: PhraseMaker) -> None:
        self._maker = maker
        self._seed = 0

    def __call__(self) -> None:
        """Make one.

        Raises:
            PerpetuumError: it could not be made.
        """
        self._seed += 1
        request = rehearsal(DRUMS_RNN, DrumsRnnSettings(config="one_drum"))
        written = write_job(DRUMS_RNN.name, replace(request, seed=self._seed), weights_named)
        outcome = self._maker.make(written.data, {digest: str(path) for digest, path in written.weights.items()})
        if outcome.problem:
            raise PerpetuumError(f"no bar could be made: {outcome.problem}")
        read_answer(outcome.body, written.key)
