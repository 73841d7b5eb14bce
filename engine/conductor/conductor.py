"""The scheduler: asks for phrases ahead of need, decides each bar in time, and sends its notes to the sound.

The loop is four lines: receive what was made, ask for what will be needed, seal the bars that are due, wait. What a
bar contains is decided (*sealed*) `lead` frames before it sounds; a phrase that is not there by then is replaced by
one made by rules, at once. So sound never waits for a generator.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.conductor.clocks import Clock
from engine.conductor.contract import Job, PhraseMakers, Reply, Rules
from engine.conductor.daytime import AT_NOON, TimeOfDay
from engine.conductor.lines import Line
from engine.conductor.requests import request_for, sound_settings_at, values_at
from engine.form.plan import Pass, Plan, Slot
from engine.form.scene import Scene
from engine.generators.contract import Request
from engine.score.phrase import Origin, Phrase
from engine.score.time import SAMPLE_RATE, Bar
from engine.sound.messages import NOTE_EVENT, Control, Forget, Notes, Ramp, Ramps, Release, ToSound

log = logging.getLogger(__name__)

SETTLE = SAMPLE_RATE // 20
"""Frames over which a control moves to its new value when a section begins (50 ms: heard as at once, without click)."""

RING = 2.0
"""Beats by which a note may ring on beyond the end of its section."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was decided for one part in one bar; given to listeners.

    Attributes:
        bar: on the clock.
        visit: pass of the section.
        part: name.
        phrase: its notes that start in this bar, in beats from the bar line.
        heard: False for a part that only others listen to.
        network: the part needs a network.
    """

    bar: Bar
    visit: Pass
    part: str
    phrase: Phrase
    heard: bool
    network: bool = False


class Conductor:
    """Plays a plan.

    Args:
        plan: what to play.
        makers: where networks make phrases.
        rules: makes phrases by rules, here and at once; it never fails.
        send: takes messages to the sound.
        clock: the way of waiting.
        listen: told of every part of every bar when it is sealed.
        lead: a bar is sealed this many frames before it sounds.
        horizon: phrases are asked for this many frames ahead.
        solo: only this part is heard; None for all.
        day: the time of day, for scenes that follow it.
    """

    def __init__(
        self,
        plan: Plan,
        makers: PhraseMakers,
        rules: Rules,
        send: Callable[[ToSound], None],
        clock: Clock,
        listen: Callable[[Sealed], None] = lambda sealed: None,
        lead: int = 2 * SAMPLE_RATE,
        horizon: int = 24 * SAMPLE_RATE,
        solo: str | None = None,
        day: TimeOfDay = AT_NOON,
    ) -> None:
        self.plan = plan
        self.solo = solo
        self.next_bar = 0
        self.accidents = 0
        self._makers = makers
        self._rules = rules
        self.send = send
        self._clock = clock
        self._listen = listen
        self._lead = lead
        self._horizon = horizon
        self._day = day
        self._tickets = itertools.count()
        self._lines = self._new_lines(plan.scene)
        self._jobs: dict[int, str] = {}
        self._controls: dict[tuple[str, Control], float] = {}
        self._interrupted: tuple[int, dict[str, Line]] | None = None
        self._deaf = False

    @property
    def scene(self) -> Scene:
        """What plays now."""
        return self.plan.scene

    def run(self, end_bar: int | None = None, keep_on: Callable[[], bool] = lambda: True) -> None:
        """Play until a bar (not included), or until told to stop.

        Args:
            end_bar: None for without end.
            keep_on: asked between steps; False stops.
        """
        while keep_on() and (end_bar is None or self.next_bar < end_bar):
            self.step(end_bar)

    def step(self, end_bar: int | None = None) -> None:
        """Do what is due, then wait for the next thing."""
        self.advance(end_bar)
        if end_bar is None or self.next_bar < end_bar:
            owed = self._owed(self.next_bar)
            self._receive(self._clock.wait(self._makers, self._due(self.next_bar), owed))

    def advance(self, end_bar: int | None = None) -> None:
        """Ask for what will be needed and seal what is due, without waiting."""
        self._ask(end_bar)
        while self._is_due(self.next_bar) and (end_bar is None or self.next_bar < end_bar):
            self._seal(self.next_bar)
            self._ask(end_bar)

    def leave_out(self) -> None:
        """Go on after the next bar that is not sealed: nothing begins in it."""
        bar = self.plan.bar(self.next_bar)
        self.send(Release(bar.end))
        self.next_bar += 1

    def reload(self, scene: Scene) -> Bar:
        """Go on with an edited scene from the next bar line that is not sealed.

        What it plays in its first bar is asked for at once, so that a scene that cannot be played is found out here.

        Returns:
            the first bar that the new scene decides.

        Raises:
            Exception: it cannot be played, for whatever reason; then nothing has changed, and what played plays on.
        """
        kept = self.plan, self._lines, self._jobs, self._controls
        try:
            self.plan = self.plan.replaced_by(scene, self.next_bar)
            self._lines = self._lines_after(scene)
            self._jobs, self._controls = {}, {}
            bar = self.plan.bar(self.next_bar)
            self._ask(self.next_bar + 1)
        except Exception:
            self._makers.cancel(list(self._jobs))
            self.plan, self._lines, self._jobs, self._controls = kept
            raise
        self._makers.cancel(list(kept[2]))
        self.send(Forget(bar.start))
        return bar

    # Receiving

    def _receive(self, replies: Sequence[Reply]) -> None:
        for reply in replies:
            name = self._jobs.pop(reply.ticket, None)
            line = self._lines.get(name) if name is not None else None
            if line is None or line.job is None or line.job.ticket != reply.ticket or line.job_slot is None:
                continue  # nobody waits for it any more
            slot, job = line.job_slot, line.job
            line.job = line.job_slot = None
            problem = reply.problem or self._flaw(reply, job)
            if problem or reply.raw is None or reply.phrase is None:
                self._stand_in(line, slot, job.request, problem or "it came back empty")
            else:
                line.add(slot, reply.raw, reply.phrase)

    @staticmethod
    def _flaw(reply: Reply, job: Job) -> str:
        """What is wrong with a reply that claims to be right."""
        for phrase in (reply.raw, reply.phrase):
            if phrase is not None and abs(phrase.length - job.request.beats) > 1e-6:
                return f"a phrase of {phrase.length:g} beats came back, {job.request.beats:g} were asked for"
        return ""

    def _stand_in(self, line: Line, slot: Slot, request: Request, problem: str) -> None:
        self.accidents += 1
        log.warning("bar %d: %s is played by rules: %s", slot.first_bar + 1, line.part.name, problem)
        line.add(slot, *self._rules.stand_in(request, problem))

    # Asking

    def _ask(self, end_bar: int | None) -> None:
        """Ask every line for what will be needed within the horizon, sources before those who listen to them."""
        latest = self._clock.now() + self._horizon
        wanted = self._wanted(latest, end_bar)
        for name, line in self._lines.items():
            while line.job is None:
                slot = self._next_slot(line, wanted[name])
                if slot is None or not self._request(line, slot):
                    break

    def _wanted(self, latest: int, end_bar: int | None) -> dict[str, int]:
        """For each part the bar up to which (not included) it should be known; at least the next bar to be sealed."""
        last = self.next_bar + 1
        while self.plan.bar(last).start < latest and (end_bar is None or last < end_bar):
            last += 1
        wanted = dict.fromkeys(self.scene.parts, last)
        for name, line in reversed(self._lines.items()):
            reach = self._reach(line, wanted[name])
            for source in self.scene.parts[name].sources.values():
                wanted[source.part] = max(wanted[source.part], reach)
        return wanted

    def _reach(self, line: Line, until: int) -> int:
        """The end of the last slot that a line needs to be known up to a bar (not included)."""
        bar, reach = line.end(self.next_bar), until
        while bar < until:
            slot = self.plan.slot(line.part.name, bar)
            end = slot.end_bar if slot is not None else self.plan.pass_at(bar).end_bar
            reach = max(reach, end) if slot is not None else reach
            bar = line.end(end)
        return reach

    def _next_slot(self, line: Line, until: int) -> Slot | None:
        """The first slot of a line that is not known and begins before a bar."""
        bar = line.end(self.next_bar)
        while bar < until:
            slot = self.plan.slot(line.part.name, bar)
            if slot is not None:
                # After a reload or a late phrase the line may stand in the middle of a slot.
                return slot if slot.first_bar >= bar else replace(slot, first_bar=bar, bars=slot.end_bar - bar)
            bar = line.end(self.plan.pass_at(bar).end_bar)
        return None

    def _request(self, line: Line, slot: Slot) -> bool:
        """Make or order the phrase of a slot. False if what it listens to is not known yet."""
        request = request_for(self.plan, line, slot, self._lines, self._time_of_day(slot.first_bar))
        if request is None:
            return False
        name = line.part.generator
        if slot.opening:
            raw, phrase = self._rules.stand_in(request, "")
            line.add(slot, *(_as_opening(item, name) for item in (raw, phrase)))
        elif line.part.needs_network:
            job = Job(next(self._tickets), name, request, self._due(slot.first_bar))
            line.job, line.job_slot = job, slot
            self._jobs[job.ticket] = line.part.name
            self._makers.submit(job)
        else:
            try:
                raw, phrase = self._rules.make(name, request)
            except Exception as error:  # a plug-in's rules may fail like anything else; the music goes on
                self._stand_in(line, slot, request, str(error) or repr(error))
            else:
                line.add(slot, raw, phrase)
        return True

    # Sealing

    def _due(self, bar: int) -> int:
        return self.plan.bar(bar).start - self._lead

    def _is_due(self, bar: int) -> bool:
        return self._clock.now() >= self._due(bar)

    def _owed(self, bar: int) -> bool:
        """Whether a phrase for a bar is being made, by a part or by one that it waits for."""
        visit = self.plan.pass_at(bar)
        return any(self._lines[name].covering(bar) is None for name in self.plan.active(visit)) and bool(self._jobs)

    def _seal(self, index: int) -> None:
        bar, visit = self.plan.bar(index), self.plan.pass_at(index)
        active = self.plan.active(visit)
        for name in self._lines:
            if name in active:
                self._decide(name, index)
        heard = self.plan.sounding(visit)
        decided = [
            Sealed(bar, visit, name, phrase, name in heard and self.solo in (None, name), line.part.needs_network)
            for name, line in self._lines.items()
            if name in active and (phrase := self._bar_of(name, index)) is not None
        ]
        # All of a bar or nothing of it: what may fail comes before what is sent.
        ramps, controls = self._controls_over(bar, visit)
        notes = [Notes(one.part, self._events(one)) for one in decided if one.heard and len(one.phrase.notes)]
        for message in (*([Ramps(tuple(ramps))] if ramps else []), *notes, Release(bar.end)):
            self.send(message)
        self._controls = controls
        self.next_bar = index + 1
        self.plan.forget_before(max(0, index - 1))
        for line in self._lines.values():
            line.forget_before(index)
        for sealed in decided:
            self._tell(sealed)

    def _tell(self, sealed: Sealed) -> None:
        """Tell the listener; one that fails costs nothing, and is said once."""
        try:
            self._listen(sealed)
        except Exception:
            if not self._deaf:
                self._deaf = True
                log.exception("bar %d: whoever listens to the bars failed; the music goes on", sealed.bar.index + 1)

    def _decide(self, name: str, index: int) -> None:
        """Make sure that a part's phrase for a bar is known; whatever is late is made by rules now."""
        line = self._lines[name]
        if line.covering(index) is not None:
            return
        if line.job is not None and line.job_slot is not None:
            job, slot = line.job, line.job_slot
            self._makers.cancel([job.ticket])
            self._jobs.pop(job.ticket, None)
            line.job = line.job_slot = None
            self._stand_in(line, slot, job.request, "its phrase was late")
        if line.covering(index) is not None:
            return
        # Its sources were late too, so that it could not even be asked; by now they are known.
        slot = self._next_slot(line, index + 1)
        if slot is None:
            return
        reach = slot.end_bar
        for source in line.part.sources.values():
            source_line = self._lines[source.part]
            while source_line.end(index) < reach:
                missing = self._next_slot(source_line, reach)
                if missing is None:
                    break
                self._decide(source.part, missing.first_bar)
        if slot.opening or not line.part.needs_network:
            self._request(line, slot)
        if line.covering(index) is None:
            time_of_day = self._time_of_day(slot.first_bar)
            request = request_for(self.plan, line, slot, self._lines, time_of_day, complete=False)
            assert request is not None
            self._stand_in(line, slot, request, "what it listens to was late")

    def _bar_of(self, name: str, index: int) -> Phrase | None:
        """The notes of a part that start in a bar, in beats from the bar line."""
        item = self._lines[name].covering(index)
        if item is None:
            return None
        offset = (index - item.slot.first_bar) * item.beats_per_bar
        return item.phrase.slice(offset, offset + item.beats_per_bar)

    def _events(self, sealed: Sealed) -> np.ndarray:
        """Notes on the sample clock, array of `NOTE_EVENT`."""
        bar, phrase = sealed.bar, sealed.phrase
        limit = (sealed.visit.end_bar - bar.index) * bar.beats + RING
        events = np.zeros(len(phrase.notes), NOTE_EVENT)
        for place, (start, end, pitch, velocity) in enumerate(phrase.notes.tolist()):
            on = bar.frame_at(start)
            off = self.plan.frame_at(bar.index, min(end, max(limit, start + 0.25)))
            events[place] = (on, max(off, on + 1), pitch, velocity)
        return events

    def _controls_over(self, bar: Bar, visit: Pass) -> tuple[list[Ramp], dict[tuple[str, Control], float]]:
        """Ramps of levels, pans and sends that move in a bar or differ from where they stand, and where they end."""
        ramps: list[Ramp] = []
        controls = dict(self._controls)
        times = [self._time_of_day(index) for index in (bar.index, bar.index + 1)]
        moved = {(move.part, move.target) for move in visit.section.moves if move.transform is None}
        daily = {(move.part, move.target) for move in self.scene.day if move.transform is None} - moved
        for name, part in self.scene.parts.items():
            begin, finish = (
                sound_settings_at(part, values_at(self.scene, name, visit, visit.position(index), time_of_day))
                for index, time_of_day in zip((bar.index, bar.index + 1), times, strict=True)
            )
            for control, value in begin.items():
                known = controls.get((name, control))
                if known is not None and (name, control) in daily:
                    value = known  # where the clock leaps, a level takes a bar to follow
                start = bar.start
                if known != value:
                    ramps.append(Ramp(name, control, value, start, start + SETTLE))
                    start += SETTLE
                if finish[control] != value:
                    ramps.append(Ramp(name, control, finish[control], start, bar.end))
                controls[name, control] = finish[control]
        return ramps, controls

    def _time_of_day(self, bar: int) -> float:
        """Seconds since midnight at a bar line; nobody asks the clock in scenes that do not follow it."""
        return self._day.at(self.plan.bar(bar).start) if self.scene.day else 0.0

    @staticmethod
    def _new_lines(scene: Scene) -> dict[str, Line]:
        """A line for each part, each after those that it listens to: whoever goes through them finds sources first."""
        return {name: Line(scene.parts[name], scene.meter.beats_per_bar) for name in scene.playing_order()}

    def _lines_after(self, scene: Scene) -> dict[str, Line]:
        """Lines of an edited scene, which remember what their parts have played, unless they play another role now."""
        if self._interrupted is None or self._interrupted[0] != self.next_bar:
            self._interrupted = self.next_bar, self._lines
        lines = self._new_lines(scene)
        for name, line in lines.items():
            before = self._interrupted[1].get(name)
            if before is not None and before.part.role == line.part.role:
                line.known = before.until(self.next_bar)
        return lines


def _as_opening(phrase: Phrase, generator: str) -> Phrase:
    return phrase.with_provenance(replace(phrase.provenance, origin=Origin.OPENING, reason=f"{generator} is loading"))
