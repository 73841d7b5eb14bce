"""Both players through the same subjects, round by round in alternation."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import Player
from benchmarks.roofline import Machine, work
from benchmarks.subjects import BEATS_PER_BAR, PRIMER_BARS, QPM, Subject

_ROUND_SECONDS = 0.25
"""A round repeats a call until about this much time has passed."""
_MOST_REPEATS = 40


@dataclass(slots=True)
class Side:
    """What was measured of one player; times in seconds, memory in bytes.

    Attributes:
        calls: seconds of each timed call.
        steps: that the network samples in a call, for one sequence.
        fed: steps in a call, the primer's included, each for one or more sequences.
        rows: steps of single sequences in a call, the primer's included.
        notes: that came of the first call.
        load: seconds to read the weights and be ready, the better of two times in a process of its own.
        load_imported: ours alone: the same from the original's own file.
        peak: of the resident memory of the whole process.
        imported: seconds of the imports.
        versions: of what runs.
    """

    calls: list[float] = field(default_factory=list)
    steps: int = 0
    fed: int = 0
    rows: int = 0
    notes: int = 0
    load: float = 0.0
    load_imported: float | None = None
    peak: int = 0
    imported: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """Of the calls."""
        return statistics.median(self.calls)

    @property
    def best(self) -> float:
        """Of the calls."""
        return min(self.calls)


@dataclass(slots=True)
class Result:
    """What was measured of a subject.

    Attributes:
        subject: what it was.
        ours, original: the sides; no original where there is none.
        roof: seconds that the call of ours takes at least on this machine.
        bandwidth: bytes a second that this was reckoned with.
        bytes: of weights read in a step.
        bound: "memory" or "arithmetic", what the roof is made of.
    """

    subject: Subject
    ours: Side
    original: Side | None
    roof: float
    bandwidth: float
    bytes: int
    bound: str

    @property
    def share(self) -> float:
        """Of the roof that our best call reached."""
        return self.roof / self.ours.best

    @property
    def original_batch(self) -> int:
        """Sequences in one call of the original, whose recurrent networks continue one after the other."""
        return self.subject.batch if self.subject.family == "music_vae" else 1

    def ratio(self, which: str = "median") -> float | None:
        """How many times the original's speed, in sampled steps and per sequence."""
        if self.original is None:
            return None
        ours = getattr(self.ours, which) / (self.ours.steps * self.subject.batch)
        return getattr(self.original, which) / (self.original.steps * self.original_batch) / ours

    @property
    def aim_met(self) -> bool | None:
        """Is it as fast as wanted; see `Subject.aim`. None without an original."""
        ratio = self.ratio()
        if ratio is None:
            return None
        return ratio >= self.subject.aim or (self.subject.or_roof and self.share >= 0.6)


def measure(
    subjects: Sequence[Subject],
    python: str | None,
    rounds: int,
    cores: set[int],
    folder: Path,
    say: Callable[[str], None],
) -> Iterator[Result]:
    """Measure one subject after the other; each has processes of its own, one of ours and one of the original.

    Args:
        subjects: which.
        python: interpreter that has Magenta; None measures ours alone.
        rounds: of alternation.
        cores: that each process may use.
        folder: for the made-up checkpoints; what is there already is used again.
        say: told what goes on.
    """
    machine = Machine(len(cores))
    loads: dict[str, list[tuple[float, float | None]]] = {}
    for subject in subjects:
        say(f"{subject.name}: weights")
        files = _files(subject, python, cores, folder)
        say(f"{subject.name}: {rounds} rounds")
        with ExitStack() as stack:
            ours = stack.enter_context(_ready(Player.ours(cores), subject, files[0]))
            sides = [ours]
            if python is not None:
                sides.append(
                    stack.enter_context(_ready(Player.original(python, subject.family, cores), subject, files[1]))
                )
            for number in range(rounds):
                for player, side in sides:
                    _round(player, side, number)
            for player, side in sides:
                side.peak = player.ask("memory")["peak_bytes"]
        if subject.network not in loads:
            say(f"{subject.name}: loading")
            loads[subject.network] = _loads(subject, files, python, cores)
        for (_, side), seconds in zip(sides, loads[subject.network], strict=True):
            side.load, side.load_imported = seconds
        least = work(subject.shapes, ours[1].fed, ours[1].rows)
        memory, arithmetic = least.bytes / machine.bandwidth(least.working_set), least.operations / machine.rate()
        yield Result(
            subject,
            ours[1],
            sides[1][1] if python is not None else None,
            max(memory, arithmetic),
            machine.bandwidth(least.working_set),
            least.working_set,
            "memory" if memory >= arithmetic else "arithmetic",
        )


def _files(subject: Subject, python: str | None, cores: set[int], folder: Path) -> tuple[Path, Path]:
    """Our weights file and the original's, written first where they are missing, by processes of their own."""
    own, theirs = folder / f"{subject.network}.safetensors", folder / f"{subject.network}{subject.extension}"
    if not own.exists():
        with Player.ours(cores) as player:
            player.ask("prepare", subject=subject.name, path=str(own))
    if python is not None and not theirs.exists():
        unfinished = theirs.with_stem(f"{theirs.stem}-unfinished")
        with Player.original(python, subject.family, cores) as player:
            player.ask(
                "prepare",
                config=subject.config,
                variant=subject.variant,
                path=str(unfinished),
                adjust=subject.biases,
            )
        unfinished.rename(theirs)
    return own, theirs


def _loads(
    subject: Subject, files: tuple[Path, Path], python: str | None, cores: set[int]
) -> list[tuple[float, float | None]]:
    """Seconds of loading, for each side: of its own file, and ours of the original's.

    Raises:
        PlayerError: the two files do not hold the same numbers.
    """

    def twice(player: Player, do: str, path: Path) -> float:
        what = {"config": subject.config, "path": str(path), "batch": subject.batch}
        return min(player.ask(do, **what)["seconds"] for _ in range(2))

    with Player.ours(cores) as player:
        found = [(twice(player, "load", files[0]), None if python is None else twice(player, "import", files[1]))]
        if python is not None:
            player.ask("compare", own=str(files[0]), theirs=str(files[1]), config=subject.config)
    if python is not None:
        with Player.original(python, subject.family, cores) as player:
            found.append((twice(player, "load", files[1]), None))
    return found


@contextmanager
def _ready(player: Player, subject: Subject, path: Path) -> Iterator[tuple[Player, Side]]:
    """A player that is loaded, primed and warm."""
    side = Side()
    with player:
        hello = player.ask("hello")
        side.imported, side.versions = hello["import_seconds"], hello["versions"]
        player.ask("load", config=subject.config, path=str(path), batch=subject.batch)
        if subject.family == "music_vae":
            player.ask("prime", length=subject.steps, batch=subject.batch)
        else:
            player.ask(
                "prime",
                notes=subject.primer(),
                qpm=QPM,
                length=PRIMER_BARS * BEATS_PER_BAR,
                new_beats=subject.bars * BEATS_PER_BAR,
                batch=subject.batch,
                arguments=subject.arguments(),
            )
        counted = player.ask("count", seed=0)
        side.steps, side.fed, side.rows = counted["steps"], counted["fed"], counted["rows"]
        side.notes = player.ask("play", seed=0)["notes"]
        yield player, side


def _round(player: Player, side: Side, number: int) -> None:
    """Some calls of one player; each with the same seed, so that all rounds of both do the same work."""
    first = player.ask("play", seed=0)["seconds"]
    side.calls.append(first)
    for _ in range(min(int(_ROUND_SECONDS / first), _MOST_REPEATS)):
        side.calls.append(player.ask("play", seed=0)["seconds"])


@contextmanager
def workplace(folder: Path | None) -> Iterator[Path]:
    """The folder for checkpoints: the one that was named, or one that goes when all is done."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="perpetuum-benchmarks-") as made:
        yield Path(made)
