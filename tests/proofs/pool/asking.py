"""A player that asks a pool for one phrase after the other, and faults that are committed meanwhile."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from engine.conductor.makers.contract import Job, Made, Reply
from engine.events import Event, SteppedDown
from engine.generators.chain import Cache, make_phrase
from engine.generators.neural.kinds import DRUMS_RNN, MELODY_RNN
from engine.generators.neural.settings import DrumsRnnSettings, MelodyRnnSettings
from engine.pool.asking.rung import PoolRung
from engine.runtime.rules import ladder_over
from engine.runtime.workers.worker import rehearsal
from engine.score.time import SAMPLE_RATE
from tests.conductor.virtual import VirtualMakers
from tests.pool.rays import TOKEN

SECONDS_LEFT = 12.0
"""Seconds until each phrase is due, as in `run`."""


def request(number: int):
    """A bar of drums, or two of melody: each another one."""
    if number % 2:
        return "melody_rnn", replace(rehearsal(MELODY_RNN, MelodyRnnSettings()), bars=2, seed=number)
    return "drums_rnn", replace(rehearsal(DRUMS_RNN, DrumsRnnSettings()), bars=2, seed=number)


class Player:
    """Asks a ladder for one phrase after the other, in real time."""

    def __init__(self, url: str, seed: int) -> None:
        self._cache: Cache = {}
        self.events: list[Event] = []
        self._began = time.monotonic()
        self.pool = PoolRung([url], lambda: TOKEN)
        self.pool.follow(self._now)
        local = VirtualMakers(self._local)
        self._ladder = ladder_over(local, self.events.append, self.pool)
        self._number = seed * 1_000_000

    def _now(self) -> int:
        return int((time.monotonic() - self._began) * SAMPLE_RATE)

    def _local(self, job: Job) -> Reply:
        return Reply(job.ticket, *make_phrase(job.kind, job.request, self._cache))

    def phrase(self) -> tuple[Made, float]:
        """(phrase, seconds that it took); one that is late comes from the floor, as in a performance."""
        self._number += 1
        kind, asked = request(self._number)
        began = time.monotonic()
        deadline = self._now() + int(SECONDS_LEFT * SAMPLE_RATE)
        job = self._ladder.ask(kind, asked, deadline, network=True)
        while isinstance(job, Job):
            found = self._ladder.poll(0.05)
            if found:
                job = found[0].made
            elif self._now() > deadline:
                job = self._ladder.give_up(job, "it was late")
        return job, time.monotonic() - began

    def phrases(self, seconds: float) -> tuple[Counter[str], list[float]]:
        """Rungs and times of as many phrases as come in some seconds."""
        rungs, times, ends = Counter[str](), list[float](), time.monotonic() + seconds
        while time.monotonic() < ends:
            made, took = self.phrase()
            rungs[made.rung] += 1
            times.append(took)
        return rungs, times

    def recovered(self, seconds: float) -> float | None:
        """Seconds until the pool makes a phrase again; None: it did not."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if self.phrase()[0].rung == "pool":
                return time.monotonic() - began
            time.sleep(0.2)
        return None


@contextmanager
def player(port: int, seed: int, host: str = "127.0.0.1") -> Iterator[Player]:
    """A player that has heard of the pool."""
    one = Player(f"http://{host}:{port}", seed)
    try:
        ends = time.monotonic() + 60
        while not one.pool.heard_of and time.monotonic() < ends:
            time.sleep(0.05)
        yield one
    finally:
        one.pool.close()


def quantiles(times: Sequence[float]) -> str:
    """Median and 99th percentile of seconds, as cells of a table."""
    there = sorted(times)
    return f"{statistics.median(there):.2f} s | {there[min(len(there) - 1, int(0.99 * len(there)))]:.2f} s"


@dataclass(frozen=True)
class Fault:
    """What goes wrong between a player and its pool, or with that.

    Attributes:
        name: for the table.
        commit: makes it so.
        mend: ends it.
        at: port and host where the player asks; None: where it does otherwise.
    """

    name: str
    commit: Callable[[], object] = lambda: None
    mend: Callable[[], object] = lambda: None
    at: tuple[int, str] | None = None


def borne(faults: Sequence[Fault], port: int, seconds: float, host: str = "127.0.0.1") -> bool:
    """Commit every fault, one after the other, told as a table.

    Args:
        faults: each on a player of its own, which has had three phrases before.
        port, host: where it asks.
        seconds: of each.

    Returns:
        whether all were borne: no phrase late, none from the floor, the pool asked again by itself.
    """
    heads = "fault | phrases | pool | networks here (steps down) | floor | p50 | p99 | longest | asked again after"
    print(f"| {heads} |\n" + 9 * "|---" + "|")
    good = True
    for number, fault in enumerate(faults):
        port_of, host_of = fault.at or (port, host)
        with player(port_of, 1000 + number, host_of) as one:
            for _ in range(3):
                one.phrase()
            fault.commit()
            rungs, times = one.phrases(seconds)
            fault.mend()
            again = one.recovered(240.0)
            floor = sum(rungs.values()) - rungs["pool"] - rungs["networks"]
            good = good and not floor and again is not None and max(times) < SECONDS_LEFT
            said = f"{again:.1f} s" if again is not None else "never"
            downs = sum(isinstance(event, SteppedDown) for event in one.events)
            counts = f"{sum(rungs.values())} | {rungs['pool']} | {rungs['networks']} ({downs}) | {floor}"
            print(f"| {fault.name} | {counts} | {quantiles(times)} | {max(times):.2f} s | {said} |", flush=True)
    return good
