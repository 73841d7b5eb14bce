# pyright: strict
"""An account of what was played: sittings, their sections, what caused each, who played in it, and what went wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from engine.events.hearing import Heard
from engine.events.processes import NotesLate, NotesLeftOut, OutputFailed, ProcessDied, SoundResumed, SoundStarved
from engine.events.vocabulary import Commanded, SceneRefused, SceneTookOver, SectionBegan, SteppedDown
from engine.installation.history.accidents import Accident, words_of_accident
from engine.journal.entries import LastBarsRepeated, RecordsLost, TurnBegan
from engine.journal.reader import Journal
from engine.journal.records import Happening, HeardPlace, JournalBar, JournalPhrase, JournalState, Sitting
from engine.score.time import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class PlayedChoice:
    """Which of the phrases that a network made was played.

    Attributes:
        chosen: counted from 0.
        scores: of each, 0..1.
        qualities: of the one that was played, by name, 0..1.
    """

    chosen: int
    scores: tuple[float, ...]
    qualities: dict[str, float]


@dataclass(frozen=True, slots=True)
class PlayedPart:
    """Who played a part in a section.

    Attributes:
        part: its name.
        generator: kind of the generator that was asked for last.
        weights: SHA-256 of its network's weights; empty without.
        rungs: how many phrases each rung of the ladder made.
        seeds: of its phrases, in order.
        choices: of those of them where a network made several, in order.
    """

    part: str
    generator: str
    weights: str
    rungs: dict[str, int]
    seeds: tuple[int, ...]
    choices: tuple[PlayedChoice, ...] = ()


@dataclass(frozen=True, slots=True)
class PlayedSection:
    """A section that was heard.

    Attributes:
        began, ended: when, in seconds of UTC.
        scene: its title, or the name of its file.
        section: its name.
        bars: that were heard.
        qpm: tempo of the first.
        key: as a scene file writes it; empty where nobody knows.
        seed: of the performance; None where nobody knows.
        cause: why it came, for people.
        parts: who played.
        accidents: what went wrong while it was heard.
    """

    began: float
    ended: float
    scene: str
    section: str
    bars: int
    qpm: float
    key: str
    seed: int | None
    cause: str
    parts: tuple[PlayedPart, ...]
    accidents: tuple[Accident, ...]


@dataclass(frozen=True, slots=True)
class PlayedSitting:
    """A run of the sound.

    Attributes:
        began, ended: when it was heard first and last.
        why: it began.
        ending: why it ended; empty where it was cut off, or goes on.
        sections: in order.
    """

    began: float
    ended: float
    why: str
    ending: str
    sections: tuple[PlayedSection, ...]


def account(journal: Journal, since: float | None = None, until: float | None = None) -> list[PlayedSitting]:
    """What was heard between two moments.

    Args:
        journal: to read.
        since, until: seconds of UTC; None for all.

    Raises:
        PerpetuumError: the journal is broken.
    """
    found: list[PlayedSitting] = []
    for sitting in journal.sittings(since, until):
        sections = [
            one
            for one in _Sections(journal, sitting).all()
            if (since is None or one.ended > since) and (until is None or one.began < until)
        ]
        began = journal.wall_at(HeardPlace(sitting.number, sitting.first_frame)) or sitting.began
        found.append(PlayedSitting(began, sitting.ended, sitting.told.why, sitting.ending, tuple(sections)))
    return found


@dataclass
class _Stretch:
    """Bars of one pass of a section."""

    bars: list[JournalBar] = field(default_factory=list[JournalBar])

    @property
    def first(self) -> JournalBar:
        return self.bars[0]

    @property
    def last(self) -> JournalBar:
        return self.bars[-1]


class _Sections:
    """The sections of one sitting."""

    def __init__(self, journal: Journal, sitting: Sitting) -> None:
        self._journal = journal
        self._sitting = sitting
        self._happened = list(journal.happenings(kinds=_TOLD_OF, sitting=sitting.number))

    def all(self) -> list[PlayedSection]:
        sitting = self._sitting
        if sitting.end_frame <= sitting.first_frame:
            return []
        bars = list(self._journal.bars(sitting.number, sitting.first_frame, sitting.end_frame))
        phrases = list(self._journal.phrases(sitting.number, -(1 << 40), sitting.end_frame))
        states = {one.bar: one for one in self._journal.beginnings(sitting.number)}
        found: list[PlayedSection] = []
        before: _Stretch | None = None
        for stretch in self._stretches(bars):
            found.append(self._section(stretch, before, phrases, states))
            before = stretch
        return found

    def _stretches(self, bars: Iterable[JournalBar]) -> list[_Stretch]:
        """Bars by the pass that they belong to; another scene, even in a pass of the same number, is another pass."""
        scenes = {one.value.bar for one in self._happened if isinstance(one.value, SceneTookOver)}
        found: list[_Stretch] = []
        for bar in bars:
            last = found[-1].last if found else None
            same = last is not None and (last.body.pass_index, last.body.section) == (
                bar.body.pass_index,
                bar.body.section,
            )
            if not same or bar.bar in scenes:
                found.append(_Stretch())
            found[-1].bars.append(bar)
        return found

    def _section(
        self,
        stretch: _Stretch,
        before: _Stretch | None,
        phrases: Sequence[JournalPhrase],
        states: dict[int, JournalState],
    ) -> PlayedSection:
        number = self._sitting.number
        start = max(stretch.first.start, self._sitting.first_frame)
        end = min(stretch.last.end, self._sitting.end_frame)
        began = self._journal.wall_at(HeardPlace(number, start)) or stretch.first.wall
        seconds = (end - start) / SAMPLE_RATE
        ended = self._journal.wall_at(HeardPlace(number, end)) or began + seconds
        if ended < began:  # the clock was put back meanwhile: what it shows now counts
            began = ended - seconds
        state = states.get(stretch.first.bar)
        first, last = stretch.first.bar, stretch.last.bar
        return PlayedSection(
            began=began,
            ended=ended,
            scene=self._scene(first, state),
            section=stretch.first.body.section,
            bars=len(stretch.bars),
            qpm=stretch.first.body.qpm,
            key=self._key(stretch),
            seed=self._seed(stretch, state),
            cause=self._cause(stretch, before, state),
            parts=tuple(_parts(stretch, [one for one in phrases if first <= one.decided.first_bar <= last])),
            accidents=tuple(self._accidents(began, ended, first, last)),
        )

    def _key(self, stretch: _Stretch) -> str:
        body = stretch.first.body
        for one in reversed(self._happened):
            value = one.value
            if (
                isinstance(value, SectionBegan)
                and (value.pass_index, value.section) == (body.pass_index, body.section)
                and value.first_bar <= stretch.last.bar
            ):
                return value.key
        return ""

    def _seed(self, stretch: _Stretch, state: JournalState | None) -> int | None:
        if state is not None:
            return state.seed
        turns = [one.value for one in self._happened if isinstance(one.value, TurnBegan)]
        return turns[-1].seed if len(turns) == 1 else self._sitting.told.seed if not turns else None

    def _scene(self, bar: int, state: JournalState | None) -> str:
        if state is not None:
            return _title(state)
        took = [one.value for one in self._happened if isinstance(one.value, SceneTookOver) and one.value.bar <= bar]
        if took:
            return took[-1].title
        return self._sitting.told.scene.rpartition("/")[2].removesuffix(".yaml")

    # Why

    def _cause(self, stretch: _Stretch, before: _Stretch | None, state: JournalState | None) -> str:
        first = stretch.first
        took = [one for one in self._happened if isinstance(one.value, SceneTookOver) and one.value.bar == first.bar]
        commands = [one for one in self._happened if isinstance(one.value, Commanded) and one.value.bar == first.bar]
        if before is None:
            told = self._sitting.told
            turn = self._turn(first.number)
            if told.continues:
                return f"the music goes on where it stood: {told.why}"
            return f"timetable: {turn}" if turn else told.why
        if took:
            turn = self._turn(took[-1].number, since=before.first.number)
            return f"timetable: {turn}" if turn else self._by(commands, took[-1].number, "the scene was edited")
        moved = [one for one in commands if isinstance(one.value, Commanded) and one.value.command in _MOVES]
        if moved:
            return self._by(moved, moved[-1].number, "")
        if before.last.body.section == first.body.section:
            return "it follows itself"
        return _drawn(state, first.body.section) or f"it follows {before.last.body.section}"

    def _turn(self, until: int, since: int = 0) -> str:
        """The turn that was asked for last before something; empty where none was."""
        for one in reversed(self._happened):
            if isinstance(one.value, TurnBegan) and since < one.number < until + _NUMBERS_AHEAD:
                turn = one.value
                return f"turn {turn.index + 1} of the {turn.source} of {turn.session}"
        return ""

    def _by(self, commands: Sequence[Happening], until: int, otherwise: str) -> str:
        """The hand that caused something: one's own, or the ear's."""
        heard = [
            one.value
            for one in self._happened
            if isinstance(one.value, Heard) and until - _NUMBERS_AHEAD < one.number <= until
        ]
        for one in reversed(commands):
            if isinstance(one.value, Commanded):
                words = f"{one.value.command} {one.value.argument}".strip()
                fault = next((ear.fault for ear in reversed(heard) if words in ear.answer), "")
                return f"ear ({fault}): {words}" if fault else f"command: {words}"
        return otherwise

    # What went wrong

    def _accidents(self, began: float, ended: float, first: int, last: int) -> list[Accident]:
        found: list[Accident] = []
        for one in self._happened:
            bar = one.value.bar if isinstance(one.value, SteppedDown) else None
            inside = began <= one.wall < ended if bar is None else first <= bar <= last
            text = words_of_accident(one.value) if inside else ""
            if text:
                found.append(Accident(max(began, one.wall), text))
        return found


_TOLD_OF = (
    *(
        kind.__name__
        for kind in (
            Commanded,
            Heard,
            LastBarsRepeated,
            NotesLate,
            NotesLeftOut,
            OutputFailed,
            ProcessDied,
            RecordsLost,
            SceneRefused,
            SceneTookOver,
            SectionBegan,
            SoundResumed,
            SoundStarved,
            SteppedDown,
            TurnBegan,
        )
    ),
)
_MOVES = ("GoToSection", "Reseed", "ChangeScene")
_NUMBERS_AHEAD = 1024 * 64
"""Numbers of records by which a cause may lie beside what it caused."""


def _parts(stretch: _Stretch, phrases: Sequence[JournalPhrase]) -> list[PlayedPart]:
    """Who played in some bars, in the order of playing."""
    played = dict.fromkeys(part.part for bar in stretch.bars for part in bar.body.parts if part.heard)
    found: list[PlayedPart] = []
    for name in played:
        own = [one for one in phrases if one.decided.part == name]
        rungs = Counter(one.decided.rung for one in own)
        bars = [part for bar in stretch.bars for part in bar.body.parts if part.part == name]
        generator = own[-1].decided.raw.provenance.generator if own else bars[-1].generator
        weights = next((one.weights for one in reversed(own) if one.weights), "")
        seeds = tuple(one.decided.seed for one in own)
        made_by = [one.decided.raw.provenance for one in own]
        choices = tuple(
            PlayedChoice(made.chosen, made.scores, dict(made.qualities))
            for made in made_by
            if made.chosen < len(made.scores)
        )
        found.append(PlayedPart(name, generator, weights, dict(rungs), seeds, choices))
    return found


def _title(state: JournalState) -> str:
    title = _conductor(state).get("title")
    return title if isinstance(title, str) and title else state.scene.rpartition("/")[2].removesuffix(".yaml")


def _conductor(state: JournalState) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(state.text)["conductor"])


def _drawn(state: JournalState | None, section: str) -> str:
    """How a section was drawn after the one before it; empty where nobody knows."""
    if state is None:
        return ""
    preceding = _conductor(state)["position"].get("preceding")
    if preceding is None:
        return ""
    weights: dict[str, float] = dict(preceding["next"])
    if section not in weights:
        return ""
    if len(weights) == 1:
        return f"it follows {preceding['section']}, as the scene says"
    return f"drawn after {preceding['section']}: weight {weights[section]:g} of {sum(weights.values()):g}"
