# pyright: strict
"""The scheduler: asks for phrases ahead of need, decides each bar in time, and sends its notes to the sound.

The loop is four lines: receive what was made, ask for what will be needed, seal the bars that are due, wait. What a
bar contains is decided (*sealed*) `lead` frames before it sounds; a phrase that is not there by then is replaced by
one made by rules, at once. So sound never waits for a generator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from engine.conductor.clocks import LEAD, Clock
from engine.conductor.daytime import AT_NOON, TimeOfDay
from engine.conductor.makers.ladder import Ladder, unheard
from engine.conductor.phrases.lines import DecidedPhrase, PlayedLine, until
from engine.conductor.phrases.lookahead import Lookahead
from engine.conductor.resounding import Resounding, resounding
from engine.conductor.sealing import Controls, notes_of, ramps_over
from engine.conductor.state import ConductorState, Restored, stored_state, taken_along
from engine.events import BarSealed, Event, PartBar, QuietBegan, SectionBegan
from engine.form.passes import Pass
from engine.form.plan import Plan
from engine.form.scene import Scene
from engine.ideas.memory import IdeaMemory
from engine.score.time import SAMPLE_RATE, Bar
from engine.sound.messages import Forget, Ramps, Release, ToSound

Edited = tuple[int, Mapping[str, PlayedLine]]
"""The bar at which the scene was edited last, and what the parts had played when it was."""


class Conductor:
    """Plays a plan.

    Args:
        plan: what to play.
        ladder: makes phrases; never fails.
        send: takes messages to the sound.
        clock: the way of waiting.
        lead: a bar is sealed this many frames before it sounds.
        horizon: phrases are asked for this many frames ahead.
        solo: only this part is heard; None for all.
        day: the time of day, for scenes that follow it.
        publish: told of sections, bars and phrases as they are decided; never raises.

    Raises:
        TypeError: what is given as a ladder may fail.
    """

    def __init__(
        self,
        plan: Plan,
        ladder: Ladder,
        send: Callable[[ToSound], None],
        clock: Clock,
        lead: int = LEAD,
        horizon: int = 24 * SAMPLE_RATE,
        solo: str | None = None,
        day: TimeOfDay = AT_NOON,
        publish: Callable[[Event], None] = unheard,
    ) -> None:
        if not isinstance(ladder, Ladder):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"a conductor takes a Ladder, which never fails; {type(ladder).__name__} may")
        self.solo = solo
        self.next_bar = 0
        self.send = send
        self._ladder = ladder
        self._clock = clock
        self._lead = lead
        self._horizon = horizon
        self._day = day
        self._publish = publish
        self._phrases = self._lookahead(plan, {}, IdeaMemory())
        self._controls: Controls = {}
        self._edited: Edited | None = None
        self._announced = -1

    @property
    def plan(self) -> Plan:
        """What is played, laid out."""
        return self._phrases.plan

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
            owed, due = self._phrases.owes(self.next_bar), self._phrases.due(self.next_bar)
            self._phrases.receive(self._clock.wait(self._ladder, due, owed))

    def advance(self, end_bar: int | None = None) -> None:
        """Ask for what will be needed and seal what is due, without waiting."""
        self._ask(end_bar)
        while self._is_due() and (end_bar is None or self.next_bar < end_bar):
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
        return self.follow(self.plan.replaced_by(scene, self.next_bar))

    def follow(self, plan: Plan) -> Bar:
        """Go on with another plan from the next bar line that is not sealed; otherwise as `reload`."""
        before = self._before_edit()
        if before is None:
            before = {
                name: PlayedLine(line.role, tuple(until(line.decided, self.next_bar)))
                for name, line in self._phrases.played().items()
            }
        # Another scene has other themes, even if they are called the same.
        memory = self._phrases.memory if plan.scene.title == self.scene.title else IdeaMemory(self.next_bar)
        return self._take_over(plan, self.next_bar, before, memory)

    # State

    def state(self) -> ConductorState:
        """All that decides how the performance goes on, but for the scene, the seed and who listens: plain data."""
        return stored_state(self._phrases, self.next_bar, self._controls, self._before_edit(), self._ladder.breakers)

    def restore(self, state: ConductorState, edited: bool = False) -> None:
        """Go on where another conductor stood: from here on it sends what that one would have sent.

        What was being made there is asked for again, with the same requests.

        Args:
            state: of a conductor of the same scene and seed.
            edited: the scene may have been edited since; it then takes over at the state's bar, like `reload`.

        Raises:
            PerpetuumError: the state is of another performance, or is damaged; then nothing has changed.
        """
        restored = Restored(state, self.plan, edited)
        if restored.edited:
            self._take_over(restored.plan, state.next_bar, restored.before_edit, restored.memory)
            return
        decided = {name: line.decided for name, line in restored.lines.items()}
        before = restored.before_edit if state.decided_before_edit is not None else None
        phrases, breakers = self._lookahead(restored.plan, decided, restored.memory), self._ladder.breakers
        self._ladder.renew(restored.breakers)
        try:
            restored.ask_again(phrases)
        except Exception:
            phrases.abandon()
            self._ladder.renew(breakers)
            raise
        self._phrases.abandon()
        self._phrases, self._controls, self.next_bar = phrases, restored.controls, state.next_bar
        self._edited = (state.next_bar, before) if before is not None else None

    def resounding(self) -> Resounding:
        """What a graph that is built anew needs to go on at the next bar that is not sealed."""
        return resounding(self.plan, self.next_bar, self._phrases.played(), self._controls, self.solo)

    def _before_edit(self) -> Mapping[str, PlayedLine] | None:
        """What the parts had played when the scene was edited at this very bar; None if it was not."""
        return self._edited[1] if self._edited is not None and self._edited[0] == self.next_bar else None

    def _take_over(self, plan: Plan, next_bar: int, before: Mapping[str, PlayedLine], memory: IdeaMemory) -> Bar:
        """Go on with a plan of another scene from a bar on.

        Args:
            plan: of that scene.
            next_bar: the first that it decides.
            before: what the parts have played.
            memory: of the ideas that were heard.
        """
        roles = {name: part.role for name, part in plan.scene.parts.items()}
        phrases = self._lookahead(plan, taken_along(before, roles), memory)
        breakers = self._ladder.breakers
        self._ladder.renew()
        try:
            bar = plan.bar(next_bar)
            phrases.ask(next_bar, self._clock.now() + self._horizon, next_bar + 1)
        except Exception:
            phrases.abandon()
            self._ladder.renew(breakers)
            raise
        self._phrases.abandon()
        self._phrases, self._controls, self.next_bar = phrases, {}, next_bar
        self._edited = next_bar, before
        self.send(Forget(bar.start))
        return bar

    def _lookahead(self, plan: Plan, decided: Mapping[str, Iterable[DecidedPhrase]], memory: IdeaMemory) -> Lookahead:
        return Lookahead(plan, self._ladder, self._day, self._lead, self._publish, decided, memory)

    # Sealing

    def _ask(self, end_bar: int | None) -> None:
        self._phrases.ask(self.next_bar, self._clock.now() + self._horizon, end_bar)

    def _is_due(self) -> bool:
        return self._clock.now() >= self._phrases.due(self.next_bar)

    def _seal(self, index: int) -> None:
        phrases, plan = self._phrases, self.plan
        bar, visit = plan.bar(index), plan.pass_at(index)
        phrases.complete(index)
        heard, active = plan.sounding(visit), plan.active(visit)
        decided = [
            PartBar(name, phrase, name in heard and self.solo in (None, name), line.part.needs_network)
            for name, line in phrases.lines.items()
            if name in active and (phrase := phrases.bar_of(name, index)) is not None
        ]
        # All of a bar or nothing of it: what may fail comes before what is sent.
        times = phrases.time_of_day(index), phrases.time_of_day(index + 1)
        ramps, controls = ramps_over(self.scene, bar, visit, times, self._controls)
        notes = [notes_of(plan, index, one) for one in decided if one.heard and len(one.phrase.notes)]
        for message in (*([Ramps(tuple(ramps))] if ramps else []), *notes, Release(bar.end)):
            self.send(message)
        self._controls = controls
        self.next_bar = index + 1
        phrases.hear(index)
        plan.forget_before(max(0, index - 1))
        phrases.forget_before(index)
        self._announce(bar, visit, decided)

    def _announce(self, bar: Bar, visit: Pass, decided: Iterable[PartBar]) -> None:
        if visit.index != self._announced:
            self._announced = visit.index
            began = visit.index, visit.section.name, visit.first_bar, visit.qpms, str(visit.key)
            self._publish(SectionBegan(*began, visit.dynamics, visit.called))
            quiet = self.plan.quiet_at(bar.index)
            if quiet is not None:
                self._publish(QuietBegan(quiet.section, quiet.first_bar, quiet.end_bar, quiet.begin, quiet.end))
        self._publish(
            BarSealed(bar.index, bar.start, bar.end, bar.qpm, visit.index, visit.section.name, tuple(decided))
        )
