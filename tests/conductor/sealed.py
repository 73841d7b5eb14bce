"""What a conductor seals, part by part, for tests that look at parts: derived from the event of each bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.conductor.conductor import Conductor
from engine.events import BarSealed, Event
from engine.form.passes import Pass
from engine.score.phrase import Phrase
from engine.score.time import Bar


@dataclass(frozen=True)
class Sealed:
    """One part of a bar that was decided."""

    bar: Bar
    visit: Pass
    part: str
    phrase: Phrase
    heard: bool


class EachPart:
    """A `publish` for a conductor that tells of each part of each bar.

    Args:
        listen: told.
        publish: told every event.

    Attributes:
        conductor: to be set, once there is one.
    """

    conductor: Conductor

    def __init__(
        self, listen: Callable[[Sealed], object], publish: Callable[[Event], object] = lambda event: None
    ) -> None:
        self._listen = listen
        self._publish = publish

    def __call__(self, event: Event) -> None:
        self._publish(event)
        if isinstance(event, BarSealed):
            plan = self.conductor.plan
            for one in event.parts:
                bar, visit = plan.bar(event.bar), plan.pass_at(event.bar)
                self._listen(Sealed(bar, visit, one.part, one.phrase, one.heard))
