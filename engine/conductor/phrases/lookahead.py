# pyright: strict
"""Phrases ahead of need: what is decided, what is being made, and what is to be asked for next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from engine.conductor.daytime import TimeOfDay
from engine.conductor.makers.contract import Job, Made
from engine.conductor.makers.ladder import Answer, Ladder, Standing
from engine.conductor.phrases.lines import AskedPhrase, DecidedPhrase, Line, PlayedLine
from engine.conductor.phrases.remembering import figures_in, heard_in, lag_of
from engine.conductor.phrases.requests import request_for
from engine.events import Event, PhraseDecided
from engine.form.passes import Slot
from engine.form.plan import Plan
from engine.generators.contract import Request
from engine.ideas.memory import IdeaMemory
from engine.score.phrase import Origin, Phrase


class Lookahead:
    """The phrases of all parts under one plan.

    Args:
        plan: what to play.
        ladder: makes phrases.
        day: the time of day.
        lead: a phrase must be known this many frames before its first bar sounds.
        publish: told of each phrase that is decided.
        decided: what the parts have played before, by part.
        memory: of the ideas that were heard before.

    Attributes:
        memory: of the ideas that were heard.
    """

    def __init__(
        self,
        plan: Plan,
        ladder: Ladder,
        day: TimeOfDay,
        lead: int,
        publish: Callable[[Event], None],
        decided: Mapping[str, Iterable[DecidedPhrase]],
        memory: IdeaMemory,
    ) -> None:
        self.plan = plan
        self._ladder = ladder
        self._day = day
        self._lead = lead
        self._publish = publish
        self.memory = memory
        self._lag = lag_of(plan.scene)
        self._jobs: dict[int, str] = {}  # the part that waits, by ticket
        scene = plan.scene
        # A line for each part, each after those that it listens to: whoever goes through them finds sources first.
        self.lines = {name: Line(scene.parts[name], scene.meter.beats_per_bar) for name in scene.playing_order()}
        for name, phrases in decided.items():
            if name in self.lines:
                self.lines[name].decided = list(phrases)

    def due(self, bar: int) -> int:
        """Frame at which the phrases of a bar must be known."""
        return self.plan.bar(bar).start - self._lead

    def time_of_day(self, bar: int) -> float:
        """Seconds since midnight at a bar line; nobody asks the clock in scenes that do not follow it."""
        return self._day.at(self.plan.bar(bar).start) if self.plan.scene.day else 0.0

    def owes(self, bar: int) -> bool:
        """Whether a phrase for a bar is being made, by a part or by one that it waits for."""
        visit = self.plan.pass_at(bar)
        return any(self.lines[name].covering(bar) is None for name in self.plan.active(visit)) and bool(self._jobs)

    def played(self) -> dict[str, PlayedLine]:
        """What is decided of all parts, in the order of playing."""
        return {name: PlayedLine(line.part.role, tuple(line.decided)) for name, line in self.lines.items()}

    def asked(self) -> list[tuple[AskedPhrase, Standing]]:
        """What is being made, and where on the ladder, in the order in which it was asked for."""
        waiting = [line.asked for line in self.lines.values() if line.asked is not None]
        waiting.sort(key=lambda asked: asked.job.ticket)
        return [(asked, self._ladder.standing(asked.job)) for asked in waiting]

    def abandon(self) -> None:
        """Nobody waits any more for what is being made."""
        self._ladder.cancel([line.asked.job for line in self.lines.values() if line.asked is not None])
        self._jobs = {}
        for line in self.lines.values():
            line.asked = None

    def receive(self, answers: Sequence[Answer]) -> None:
        """Take in phrases that were waited for."""
        for answer in answers:
            line = self.lines.get(self._jobs.pop(answer.ticket, ""))
            if line is None or line.asked is None or line.asked.job.ticket != answer.ticket:
                continue  # nobody waits for it any more
            slot, line.asked = line.asked.slot, None
            self._decide(line, slot, answer.made)

    def ask(self, next_bar: int, latest: int, end_bar: int | None) -> None:
        """Ask for what will be needed, sources before those who listen to them.

        Args:
            next_bar: the first that is not sealed.
            latest: frame up to which phrases are asked for.
            end_bar: nothing is needed from this bar on; None for without end.
        """
        wanted = self._wanted(next_bar, latest, end_bar)
        for name, line in self.lines.items():
            while line.asked is None:
                slot = self._next_slot(line, next_bar, wanted[name])
                # What it is to remember is decided once the bars up to there are sealed.
                if slot is None or slot.first_bar - self._lag > next_bar or not self._request(line, slot):
                    break

    def ask_again(self, slot: Slot, time_of_day: float, standing: Standing) -> bool:
        """Ask for what was being made when a performance was stopped. False if what it listens to is not known."""
        line = self.lines[slot.part]
        request = self._request_for(line, slot, time_of_day)
        if request is None:
            return False
        part, due = line.part, self.due(slot.first_bar)
        answer = self._ladder.ask_again(part.generator, request, due, part.needs_network, standing)
        self._take(line, slot, answer)
        return True

    def complete(self, index: int) -> None:
        """See to it that the phrases of all parts for a bar are decided; whatever is late is made at once."""
        active = self.plan.active(self.plan.pass_at(index))
        for name in self.lines:
            if name in active:
                self._complete(name, index)

    def bar_of(self, name: str, index: int) -> Phrase | None:
        """The notes of a part that start in a bar, in beats from the bar line."""
        item = self.lines[name].covering(index)
        if item is None:
            return None
        offset = (index - item.first_bar) * item.beats_per_bar
        return item.phrase.slice(offset, offset + item.beats_per_bar)

    def hear(self, bar: int) -> None:
        """Remember the ideas of the phrases that end with a bar, which is sealed."""
        figures = figures_in(self.plan, self.lines, bar)
        memory = self.memory.hearing(heard_in(self.plan, self.lines, bar), figures)
        self.memory = memory.at(bar + 1 - self._lag)

    def forget_before(self, bar: int) -> None:
        """Drop phrases that nobody needs any more once the bars before this one are sealed."""
        for line in self.lines.values():
            line.forget_before(bar)

    # What is wanted

    def _wanted(self, next_bar: int, latest: int, end_bar: int | None) -> dict[str, int]:
        """For each part the bar up to which (not included) it should be known; at least the next bar to be sealed."""
        last = next_bar + 1
        while self.plan.bar(last).start < latest and (end_bar is None or last < end_bar):
            last += 1
        wanted = dict.fromkeys(self.plan.scene.parts, last)
        for name, line in reversed(self.lines.items()):
            reach = self._reach(line, next_bar, wanted[name])
            for source in line.part.sources.values():
                wanted[source.part] = max(wanted[source.part], reach)
        return wanted

    def _reach(self, line: Line, next_bar: int, until: int) -> int:
        """The end of the last slot that a line needs to be known up to a bar (not included)."""
        bar, reach = line.end(next_bar), until
        while bar < until:
            slot = self.plan.slot(line.part.name, bar)
            end = slot.end_bar if slot is not None else self.plan.pass_at(bar).end_bar
            reach = max(reach, end) if slot is not None else reach
            bar = line.end(end)
        return reach

    def _next_slot(self, line: Line, next_bar: int, until: int) -> Slot | None:
        """The first slot of a line that is not known and begins before a bar."""
        bar = line.end(next_bar)
        while bar < until:
            slot = self.plan.slot(line.part.name, bar)
            if slot is not None:
                # After a reload or a late phrase the line may stand in the middle of a slot.
                return slot.cut(bar)
            bar = line.end(self.plan.pass_at(bar).end_bar)
        return None

    # How it comes about

    def _request(self, line: Line, slot: Slot) -> bool:
        """Make or order the phrase of a slot. False if what it listens to is not known yet."""
        request = self._request_for(line, slot, self.time_of_day(slot.first_bar))
        if request is None:
            return False
        part = line.part
        if slot.opening:
            self._decide(line, slot, _as_opening(self._ladder.stand_in(request, ""), part.generator))
        else:
            answer = self._ladder.ask(part.generator, request, self.due(slot.first_bar), part.needs_network)
            self._take(line, slot, answer)
        return True

    def _request_for(self, line: Line, slot: Slot, time_of_day: float, complete: bool = True) -> Request | None:
        """What a part is asked for in a slot; see `request_for`."""
        memory = self.memory.at(slot.first_bar - self._lag)
        return request_for(self.plan, line, slot, self.lines, memory, time_of_day, complete)

    def _take(self, line: Line, slot: Slot, answer: Made | Job) -> None:
        if isinstance(answer, Made):
            self._decide(line, slot, answer)
        else:
            line.asked = AskedPhrase(slot, answer)
            self._jobs[answer.ticket] = line.part.name

    def _complete(self, name: str, index: int) -> None:
        """Make sure that a part's phrase for a bar is decided."""
        line = self.lines[name]
        if line.covering(index) is not None:
            return
        if line.asked is not None:
            asked, line.asked = line.asked, None
            self._jobs.pop(asked.job.ticket, None)
            self._decide(line, asked.slot, self._ladder.give_up(asked.job, "its phrase was late"))
        if line.covering(index) is not None:
            return
        # Its sources were late too, so that it could not even be asked; by now they are known.
        slot = self._next_slot(line, index, index + 1)
        if slot is None:
            return
        reach = slot.end_bar
        for source in line.part.sources.values():
            source_line = self.lines[source.part]
            while source_line.end(index) < reach:
                missing = self._next_slot(source_line, index, reach)
                if missing is None:
                    break
                self._complete(source.part, missing.first_bar)
        if slot.opening or not line.part.needs_network:
            self._request(line, slot)
        if line.covering(index) is None:
            request = self._incomplete_request(line, slot)
            self._decide(line, slot, self._ladder.stand_in(request, "what it listens to was late"))

    def _incomplete_request(self, line: Line, slot: Slot) -> Request:
        request = self._request_for(line, slot, self.time_of_day(slot.first_bar), complete=False)
        assert request is not None
        return request

    def _decide(self, line: Line, slot: Slot, made: Made) -> None:
        line.add(slot, made.raw, made.phrase)
        self._publish(
            PhraseDecided(
                part=line.part.name,
                pass_index=slot.visit.index,
                first_bar=slot.first_bar,
                bars=slot.bars,
                seed=slot.seed,
                rung=made.rung,
                reason=made.reason,
                seconds=made.seconds,
                raw=made.raw,
                phrase=made.phrase,
                key=slot.visit.key,
            )
        )


def _as_opening(made: Made, generator: str) -> Made:
    def marked(phrase: Phrase) -> Phrase:
        provenance = replace(phrase.provenance, origin=Origin.OPENING, reason=f"{generator} is loading")
        return phrase.with_provenance(provenance)

    return replace(made, raw=marked(made.raw), phrase=marked(made.phrase))
