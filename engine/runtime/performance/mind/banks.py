# pyright: strict
"""Which bank of notes plays each part that has a timbre, and how the next one comes in at a section line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from engine.events import BankPlayed, Event, TimbreChanged, TimbreFailed
from engine.form.plan import Plan
from engine.form.scene import Scene
from engine.runtime.timbres.lines import MovedTimbres, moved_at, moved_parts
from engine.runtime.timbres.messages import TO_BANK_MAKER, BankFailed, BankMade, BankOrder
from engine.runtime.timbres.orders import NOTHING_MOVED, leap_of, orders_of, turning
from engine.runtime.timbres.timbres import KeptBanks, Timbres
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import CROSSFADE, ChangeInstrument
from engine.timbres.portrait import objection

NOTICE = 3 * SAMPLE_RATE
"""Frames before a section line at which the sound is told of a change at the latest: the bank is read meanwhile."""

TOUCH = 600 * SAMPLE_RATE
"""Frames between two moments at which the cache is told which banks play."""


_REMEMBERED = 1_000
"""Verdicts and failures that are kept, so that each is found or said once."""


@dataclass(frozen=True, slots=True)
class ComingBank:
    """A change that the sound has been told of.

    Attributes:
        instrument: file of the bank's instrument.
        frame: the section line.
    """

    instrument: str
    frame: int


@dataclass(frozen=True, slots=True)
class _Made:
    """A bank that is there.

    Attributes:
        instrument: file of its instrument.
        seconds: what making it took.
    """

    instrument: str
    seconds: float


class Banks:
    """The banks of a performance.

    A bank that is in the cache when a graph is built plays from its first note. One that is made while the scene plays
    comes in at the first section line that the sound can be told of in time. What cannot be made is said once, and
    what played before plays on. Of a timbre that turns into others the bank for each section line is made while the
    section before it plays; one that is late comes in at the next line, and that is said. One whose notes are too far
    from those before, or much louder or softer, is not taken.

    Args:
        timbres: has banks made; None: nobody does, and stand-ins play.
        send: takes messages to the sound.
        publish: told of changes and failures; never raises.
        wait: the sound waits for what it builds, since nobody hears it.

    Attributes:
        playing: file of the instrument of each part that a bank plays.
        told: changes that are still to come.
    """

    def __init__(
        self,
        timbres: Timbres | KeptBanks | None,
        send: Callable[[ChangeInstrument], None],
        publish: Callable[[Event], None],
        wait: bool,
    ) -> None:
        self.playing: dict[str, str] = {}
        self.told: dict[str, ComingBank] = {}
        self._timbres = timbres
        self._send = send
        self._publish = publish
        self._wait = wait
        self._wanted: dict[str, BankOrder] = {}
        self._made: dict[str, _Made] = {}
        self._failed: set[str] = set()
        self._said: set[TimbreFailed] = set()
        self._late: dict[str, str] = {}
        self._objections: dict[tuple[str, str], str] = {}
        self._told_of: set[str] = set()
        self._touch_at = 0
        self._changing: dict[str, int] = {}
        self._line_of: dict[str, int] = {}
        self._aim: tuple[Scene, int, frozenset[str]] | None = None
        self._line = 0
        self._following = ""
        self._moved: MovedTimbres = NOTHING_MOVED

    def begin(self, scene: Scene, seed: int, bar: int = 0, moved: MovedTimbres = NOTHING_MOVED) -> None:
        """Want the banks of a scene whose graph is about to be built; those in the cache play in it.

        Args:
            scene: that begins.
            seed: of the performance.
            bar: its first.
            moved: what is moved of timbres there.
        """
        self._moved = moved
        self.playing, self.told = {}, {}
        self._changing = {}
        self._line = bar
        self._want(scene, seed)
        for part, order in self._wanted.items():
            if (made := self._made.get(order.digest)) is not None:
                self._plays(part, order, made)

    def take_up(
        self,
        scene: Scene,
        seed: int,
        playing: Mapping[str, str],
        told: Mapping[str, ComingBank],
        line: int | None = None,
        moved: MovedTimbres | None = None,
    ) -> None:
        """Want the banks of a scene that sounds already, with what plays in it.

        Args:
            scene: that sounds.
            seed: of the performance.
            playing: see `Banks`.
            told: see `Banks`.
            line: first bar after the next section line; None for the one that is known.
            moved: what is moved of timbres there; None for what is known.
        """
        self._moved = moved if moved is not None else self._moved
        self._line = line if line is not None else self._line
        kept = {name for name, part in scene.parts.items() if part.timbre is not None}
        self.playing = {part: one for part, one in playing.items() if part in kept}
        self.told = {part: one for part, one in told.items() if part in kept}
        self._want(scene, seed)

    def edited(self, scene: Scene, seed: int, rebuilt: bool) -> None:
        """Want the banks of an edited scene: a part's bank plays on until another one has been made.

        Args:
            scene: as it is now.
            seed: of the performance.
            rebuilt: a new graph is built for it, in which what is in the cache can play at once.
        """
        had = set(self.playing)
        self.take_up(scene, seed, self.playing, {} if rebuilt else self.told)
        for part, order in self._wanted.items() if rebuilt else ():
            if part not in had and (made := self._made.get(order.digest)) is not None:
                self._plays(part, order, made)

    def _plays(self, part: str, order: BankOrder, made: _Made) -> None:
        self.playing[part] = made.instrument
        self._tell_of(part, order)

    def _tell_of(self, part: str, order: BankOrder) -> None:
        """Say once what a bank is made of that the sound is told of."""
        if order.digest not in self._told_of:
            self._told_of.add(order.digest)
            told = TO_BANK_MAKER.encode(replace(order, folder=""))
            self._publish(BankPlayed(part, order.kind, order.digest, told))

    def _want(self, scene: Scene, seed: int) -> None:
        timbres = self._timbres
        if timbres is None:
            return
        moving = turning(scene)
        self._aim = (scene, seed, moving) if moving else None
        self._wanted, failed = orders_of(scene, seed, str(timbres.cache.folder), self._line, moved=self._moved)
        for failure in failed.values():
            self._fail(failure)
        self._have_made(self._wanted.values())

    def _have_made(self, orders: Collection[BankOrder]) -> None:
        """Look for banks in the cache, and have those that are wanted and not there made."""
        timbres = self._timbres
        assert timbres is not None
        for order in orders:
            before = self._made.pop(order.digest, None)  # the cache may have dropped it meanwhile
            if (there := timbres.find(order.digest)) is not None:
                self._made[order.digest] = _Made(there, before.seconds if before is not None else 0.0)
        timbres.want(
            [one for one in self._wanted.values() if one.digest not in self._made and one.digest not in self._failed]
        )

    def look(self, plan: Plan, next_bar: int, made: int) -> None:
        """Take in what was made, and have it come in at the next section line that is not too near.

        Args:
            plan: of what plays.
            next_bar: the first that is not decided.
            made: frames of sound that were made.
        """
        if self._timbres is None or not (self._wanted or self._aim):
            return
        for found in self._timbres.poll():
            match found:
                case BankMade(digest=digest, instrument=instrument, seconds=seconds):
                    self._made[digest] = _Made(instrument, seconds)
                case BankFailed(digest=digest, problem=problem):
                    self._failed.add(digest)
                    for part, order in self._wanted.items():
                        if order.digest == digest and problem:
                            self._fail(TimbreFailed(part, order.kind, problem))
        bar = plan.bar(next_bar)
        visit = plan.pass_at(next_bar)
        line = plan.bar(visit.end_bar - 1).end
        # A pass that is shorter than that has no better moment than its beginning; who waits is never late.
        in_time = line - made >= NOTICE or next_bar == visit.first_bar or self._wait
        for part, order in self._wanted.items():
            self._look_at(part, order, next_bar, bar.start, visit.end_bar, line, in_time, made)
        if self._aim is not None and self._has_turned(plan, visit.end_bar):
            self._turn(visit.end_bar)
            for part, order in self._wanted.items():
                self._look_at(part, order, next_bar, bar.start, visit.end_bar, line, in_time, made)
        if made >= self._touch_at:
            self._touch_at = made + TOUCH
            # A bank lies in a folder that is called like it.
            playing = {Path(instrument).parent.name for instrument in self.playing.values()}
            for digest in playing | {order.digest for order in self._wanted.values()}:
                self._timbres.cache.touch(digest)

    def _has_turned(self, plan: Plan, line: int) -> bool:
        """Whether another section line is next, or another section begins there: a hand may have chosen it."""
        moving = self._aim is not None and bool(moved_parts(self._aim[0]))
        following = plan.pass_at(line).section.name if moving else ""
        if (line, following) == (self._line, self._following):
            return False
        self._following = following
        self._moved = moved_at(plan, line)
        return True

    def _turn(self, line: int) -> None:
        """Want what timbres that turn into others are from the next section line on."""
        if self._aim is None or self._timbres is None:
            return
        last, self._line = self._line, line
        scene, seed, moving = self._aim
        wanted, failed = orders_of(scene, seed, str(self._timbres.cache.folder), line, moving, self._moved)
        for failure in failed.values():  # what was wanted before is still, until a line for which it can be asked
            self._fail(failure)
        changed: dict[str, BankOrder] = {}
        for part, order in wanted.items():
            before = self._wanted.get(part)
            if before is not None and order.digest == before.digest:
                continue
            if before is not None and before.digest not in self._made and before.digest not in self._failed:
                # It is nearly there; to begin anew at each line would never end on a slow machine.
                if part in self.playing and self._late.get(part) != before.digest:
                    self._late[part] = before.digest
                    late = f"the notes for bar {last + 1} are not made yet, so those before play on"
                    self._fail(TimbreFailed(part, order.kind, late))
                continue
            changed[part] = order
            self._failed.discard(order.digest)  # a disk that was full may have room by now
        if changed:
            self._wanted |= changed
            self._have_made(changed.values())

    def _look_at(
        self,
        part: str,
        order: BankOrder,
        next_bar: int,
        start: int,
        end_bar: int,
        line: int,
        in_time: bool,
        made_frames: int,
    ) -> None:
        told = self.told.get(part)
        if told is not None and told.frame <= start:
            self.playing[part] = told.instrument
            del self.told[part]
            seconds = next((one.seconds for one in self._made.values() if one.instrument == told.instrument), 0.0)
            # A bank lies in a folder that is called like it.
            digest = Path(told.instrument).parent.name
            # Several bars may be decided between two looks. Who goes on elsewhere knows the frame alone.
            self._publish(TimbreChanged(part, order.kind, digest, self._line_of.pop(part, next_bar), seconds))
            self._changing[part] = told.frame
            told = None
        made = self._made.get(order.digest)
        if made is None or made.instrument == self.playing.get(part):
            return
        change = ComingBank(made.instrument, line)
        # A hand may have moved the line of which the sound was told. The sound holds two banks: while one goes into
        # another it takes no third. Where it waits for us, what counts is the line, for we may be far ahead of it.
        taken = (line if self._wait else made_frames) >= self._changing.get(part, -CROSSFADE) + CROSSFADE
        if change != told and in_time and taken and self._fits(part, order, made.instrument):
            self.told[part] = change
            self._line_of[part] = end_bar
            self._tell_of(part, order)
            self._send(ChangeInstrument(part, made.instrument, line, self._wait))

    def _fits(self, part: str, order: BankOrder, instrument: str) -> bool:
        """Whether a bank may take the place of the one before; that it may not is said."""
        pair = self.playing.get(part, ""), instrument
        if not pair[0]:
            return True  # it follows a stand-in, which is of another kind anyway
        if pair not in self._objections:
            if len(self._objections) >= _REMEMBERED:
                self._objections.clear()
            self._objections[pair] = objection(Path(pair[0]), Path(instrument), leap_of(order))
        if problem := self._objections[pair]:
            self._fail(TimbreFailed(part, order.kind, problem))
        return not problem

    def _fail(self, failure: TimbreFailed) -> None:
        if failure not in self._said:
            if len(self._said) >= _REMEMBERED:
                self._said.clear()
            self._said.add(failure)
            self._publish(failure)
