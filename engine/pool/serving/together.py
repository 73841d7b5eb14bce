# pyright: strict
"""Dynamic batching: phrases that several lanes make at the same time share the calls of their network.

Only MusicVAE's decoder is shared: what the lanes ask of it is one function of rows that do not know of each other, each
with its own chance. While one call runs, others gather, and the next takes all of them that fit together. A product of
several rows rounds otherwise than that of one, so a choice between two all but equal ones may fall the other way than
on the player: `batch` is 1 unless the pool's file says more.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from engine.generators.contract import Generator, Transform
from engine.generators.neural.vae.music_vae import MusicVaeGenerator
from engine.networks.contract import Random
from engine.networks.vae.music_vae import MusicVae

MOST_ROWS = 64
"""Rows of a call of the decoder."""

_reached = threading.local()


def reached() -> int:
    """Requests in the fullest call of a network that this thread had a share in since it asked last; 0: none."""
    most: int = getattr(_reached, "most", 0)
    _reached.most = 0
    return most


@dataclass(eq=False)
class _Call:
    """What a lane asks of the decoder, and what comes of it."""

    z: np.ndarray
    length: int | None
    controls: np.ndarray | None
    temperature: float | None
    rng: Sequence[Random]
    outputs: np.ndarray | None = None
    problem: Exception | None = None
    batch: int = 0

    @property
    def fits(self) -> tuple[object, ...]:
        """Calls that are equal in this can be one."""
        return self.length, self.temperature, None if self.controls is None else self.controls.shape


@dataclass
class _Meeting:
    """Calls that wait for the decoder, and who has it."""

    busy: threading.Lock = field(default_factory=threading.Lock)
    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: list[_Call] = field(default_factory=list[_Call])


class MeetingVae(MusicVae):
    """A network whose decoder is shared by threads.

    Args:
        network: that it is; its own decoder must be used by nobody else any more.
    """

    def __init__(self, network: MusicVae) -> None:
        vars(self).update(vars(network))
        self._meeting = _Meeting()

    def encode(
        self, inputs: np.ndarray, lengths: np.ndarray | None = None, controls: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `MusicVae`; one at a time, for products have room of their own."""
        with self._meeting.busy:
            return super().encode(inputs, lengths, controls)

    def decode(
        self,
        z: np.ndarray,
        length: int | None = None,
        controls: np.ndarray | None = None,
        temperature: float | None = None,
        rng: Random | Sequence[Random] | None = None,
        hits: np.ndarray | None = None,
    ) -> np.ndarray:
        """See `MusicVae`; together with what other threads ask for at the same time."""
        if hits is not None or not isinstance(rng, Sequence) or (controls is not None and controls.ndim == 3):
            with self._meeting.busy:
                return super().decode(z, length, controls, temperature, rng, hits)
        call = _Call(z, length, controls, temperature, rng)
        with self._meeting.lock:
            self._meeting.waiting.append(call)
        with self._meeting.busy:
            if not call.batch:
                self._decode_with(call)
        _reached.most = max(getattr(_reached, "most", 0), call.batch)
        if call.problem is not None:
            raise call.problem
        assert call.outputs is not None
        return call.outputs

    def _decode_with(self, own: _Call) -> None:
        """Decode what waits and fits together with a call, in the order in which it came."""
        with self._meeting.lock:
            rows, calls = len(own.z), [own]
            for other in self._meeting.waiting:
                if other is not own and other.fits == own.fits and rows + len(other.z) <= MOST_ROWS:
                    rows += len(other.z)
                    calls.append(other)
            self._meeting.waiting = [one for one in self._meeting.waiting if one not in calls]
        try:
            z = np.concatenate([one.z for one in calls])
            told = [np.broadcast_to(c, (len(one.z), *c.shape)) for one in calls if (c := one.controls) is not None]
            rngs = [rng for one in calls for rng in one.rng]
            outputs = super().decode(z, own.length, np.concatenate(told) if told else None, own.temperature, rngs)
            for one, part in zip(calls, np.split(outputs, np.cumsum([len(one.z) for one in calls])[:-1]), strict=True):
                one.outputs = part
        except Exception as error:  # of the network: each who asked is told
            for one in calls:
                one.problem = error
        finally:
            for one in calls:
                one.batch = len(calls)


class SharedModels:
    """Generators that lanes share.

    Args:
        built: holds them within its budget.
    """

    def __init__(self, built: MutableMapping[tuple[str, ...], Generator | Transform]) -> None:
        self._built = built
        self._lock = threading.Lock()

    def find(self, name: tuple[str, ...]) -> Generator | Transform | None:
        """What was built under a name; None: nothing."""
        with self._lock:
            return self._built.get(name)

    def keep(self, name: tuple[str, ...], built: MusicVaeGenerator) -> None:
        """Share a generator from now on; its lane uses it as the others do."""
        with self._lock:
            kept = self._built.get(name)
            if isinstance(kept, MusicVaeGenerator):  # another lane was quicker
                built.network = kept.network
                return
            built.network = MeetingVae(built.network)
            self._built[name] = cast("Generator", built)


class LaneModels(MutableMapping[tuple[str, ...], "Generator | Transform"]):
    """What one lane has; `chain.Cache`. Generators of MusicVAE are its own, with their memory of windows; their network
    is the one of all lanes.

    Args:
        shared: by all lanes.
        own: what else it has.
    """

    def __init__(self, shared: SharedModels, own: MutableMapping[tuple[str, ...], Generator | Transform]) -> None:
        self._shared = shared
        self._own = own
        self._beside: dict[tuple[str, ...], MusicVaeGenerator] = {}

    def __getitem__(self, name: tuple[str, ...]) -> Generator | Transform:
        found = self._shared.find(name)
        # What the others have no more takes no memory here.
        self._beside = {one: built for one, built in self._beside.items() if self._shared.find(one) is not None}
        if not isinstance(found, MusicVaeGenerator):
            return self._own[name]
        beside = self._beside.get(name)
        if beside is None or beside.network is not found.network:
            beside = self._beside[name] = found.beside()
        return cast("Generator", beside)

    def __setitem__(self, name: tuple[str, ...], built: Generator | Transform) -> None:
        if isinstance(built, MusicVaeGenerator):
            self._shared.keep(name, built)
            self._beside[name] = built.beside()
        else:
            self._own[name] = built

    def __delitem__(self, name: tuple[str, ...]) -> None:
        del self._own[name]

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)
