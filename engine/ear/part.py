# pyright: strict
"""What one part plays, measured bar by bar."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.ear.grams import GramMemory, Token
from engine.ear.harmony import Fitting
from engine.ear.windows import Window
from engine.generators.contract import Role
from engine.score.harmony.chords import Chord
from engine.score.phrase import ChordSpan

WINDOW = 60.0
"""Seconds over which density, silence and range are taken."""

GRID = 4
"""Steps in a beat to which onsets are moved before they are compared: a player's freedom is less than half of one."""

LONGEST_REST = 4.0
"""Seconds of a rest that count as part of what goes on around it."""

FEWEST_ONSETS = 3
"""Onsets in two bars that can be a loop."""

Onsets = Mapping[int, tuple[int, ...]]
"""Pitches that begin together, ascending, by step of the bar."""


@dataclass(frozen=True, slots=True)
class PartFigures:
    """How a part has played.

    Attributes:
        role: of the part.
        written: its notes stand in the scene: that they come again is form.
        figuration: it follows another part (broken chords, a canon), and comes again where that does.
        density: notes a second, in the last minute.
        lowest, highest: MIDI pitches of the last minute; None without notes.
        silence: share of the last minute in which nothing of it sounds.
        together: notes of it that sound at once at the end of the bar.
        crowd: notes a second, in the thinner one of the last two bars.
        held: seconds since the last note began, while one sounds.
        one_pitch: seconds for which it has played one pitch, or one chord, over and over; rests count for little.
        changes: of the chords meanwhile; None where nobody else means any.
        loop: seconds for which it has played the same one or two bars over and over, rests between them left out; a
            held note is no loop.
        empty: seconds for which its generator has made nothing.
        fit: share of the last notes in one collection of seven pitch classes; None: too few notes.
        clash: share of them a semitone beside a tone of the chord; None: too few notes, or no chords.
        repeated: share of the last ten minutes' runs of five onsets that had been heard within three hours; None: too
            few.
        stale: the same share of those runs in which no theme or other idea is taken up: that these return is form.
    """

    role: Role
    written: bool
    figuration: bool
    density: float
    lowest: int | None
    highest: int | None
    silence: float
    together: int
    crowd: float
    held: float
    one_pitch: float
    changes: int | None
    loop: float
    empty: float
    fit: float | None
    clash: float | None
    repeated: float | None
    stale: float | None


class PartEar:
    """Listens to one part.

    Args:
        role: that it plays. Pitches of drums have neither key nor chord, and one of them alone may be a rhythm.
    """

    def __init__(self, role: Role) -> None:
        self.role = role
        self._now = 0.0
        self._minute = Window(WINDOW, 2)
        self._ends: list[float] = []
        self._pitches: deque[tuple[float, int, int]] = deque()
        self._grams = GramMemory()
        self._fitting = Fitting()
        self._last_onset = 0.0
        self._sounds_until = 0.0
        self._known_until = 0.0
        self._last_step = 0
        self._steps = 0
        self.begin_anew()

    def begin_anew(self) -> None:
        """From here on it may play otherwise: nothing that went wrong before counts any more."""
        self._sonority: tuple[int, ...] = ()
        self._one_pitch = 0.0
        self._changes: int | None = None
        self._chord: Chord | None = None
        self._bars: deque[Onsets] = deque(maxlen=2)
        self._loop_since: list[float | None] = [None, None]
        self._empty = 0.0
        self._crowds: deque[float] = deque((0.0, 0.0), maxlen=2)
        self._early: list[int] = []
        self._grams.begin_anew()
        self._fitting.begin_anew()

    def made(self, seconds: float, notes: int) -> None:
        """Its generator has made a phrase of some seconds with so many notes."""
        self._empty = 0.0 if notes else self._empty + seconds

    def rest(self) -> None:
        """It does not play in this bar, as planned."""
        self._ends = []
        self._early = []
        self._empty = 0.0
        self._sonority = ()

    def hear(
        self,
        start: float,
        end: float,
        beats: float,
        notes: Sequence[tuple[float, float, int, int]],
        chords: Sequence[ChordSpan],
        its_own: bool,
        sounding: bool = True,
        recalled: bool = False,
    ) -> None:
        """Take in a bar.

        Args:
            start, end: seconds from the start of the performance.
            beats: in the bar.
            notes: start, end (beats from the bar line), pitch, velocity.
            chords: that hold in the bar, whoever means them; beats from the bar line.
            its_own: the part itself means them.
            sounding: whoever means them is heard; nothing clashes with what nobody hears.
            recalled: it takes up an idea that was heard before, or a theme.
        """
        rested, self._now = max(0.0, start - self._now), end
        self._loop_since = [None if since is None else since + rested for since in self._loop_since]
        second = (end - start) / beats
        onsets = self._onsets(notes)
        self._take_changes(None if its_own else chords)
        self._take_sonorities(start, beats, second, onsets, notes, recalled)
        self._take_rests(start, end, second, notes)
        self._take_range(start, notes)
        self._take_loop(start, onsets)
        self._crowds.append(len(notes) / (end - start))
        if self.role is not Role.DRUMS:
            self._take_harmony(start, beats, second, notes, chords if sounding else ())
            self._fitting.forget_before(end)

    def figures(self, written: bool = False, figuration: bool = False) -> PartFigures:
        """How it has played up to the last bar.

        Args:
            written: its notes stand in the scene.
            figuration: it follows another part.
        """
        minute = self._minute
        return PartFigures(
            role=self.role,
            written=written,
            figuration=figuration,
            density=minute.sums[0] / minute.length if minute.length else 0.0,
            lowest=min((low for _, low, _ in self._pitches), default=None),
            highest=max((high for _, _, high in self._pitches), default=None),
            silence=minute.sums[1] / minute.length if minute.length else 0.0,
            together=len(self._ends),
            crowd=min(self._crowds),
            held=self._now - self._last_onset if self._ends else 0.0,
            one_pitch=self._one_pitch,
            changes=self._changes,
            loop=max((self._now - since for since in self._loop_since if since is not None), default=0.0),
            empty=self._empty,
            fit=self._fitting.fit,
            clash=self._fitting.clash,
            repeated=self._grams.all.repeated,
            stale=self._grams.free.repeated,
        )

    @staticmethod
    def _onsets(notes: Sequence[tuple[float, float, int, int]]) -> Onsets:
        found: dict[int, set[int]] = {}
        for begin, _, pitch, _ in notes:
            found.setdefault(round(begin * GRID), set()).add(pitch)
        return {step: tuple(sorted(pitches)) for step, pitches in sorted(found.items())}

    def _take_rests(
        self, start: float, end: float, second: float, notes: Sequence[tuple[float, float, int, int]]
    ) -> None:
        until = min(end, max(self._ends, default=start))
        sounding = max(0.0, until - start)
        for begin, stop, _, _ in notes:
            first, last = max(until, start + begin * second), min(end, start + stop * second)
            if last > first:
                sounding += last - first
                until = last
        self._minute.add(end - start, len(notes), end - start - sounding)
        self._ends = [one for one in self._ends if one > end]
        self._ends += [stop for one in notes if (stop := start + one[1] * second) > end]

    def _take_range(self, start: float, notes: Sequence[tuple[float, float, int, int]]) -> None:
        if notes and self.role is not Role.DRUMS:
            self._pitches.append((start, min(one[2] for one in notes), max(one[2] for one in notes)))
        while self._pitches and self._pitches[0][0] < start - WINDOW:
            self._pitches.popleft()

    def _take_harmony(
        self,
        start: float,
        beats: float,
        second: float,
        notes: Sequence[tuple[float, float, int, int]],
        chords: Sequence[ChordSpan],
    ) -> None:
        """A player's freedom moves no note into the chord before: each counts where it is meant to begin."""
        early, self._early = self._early, []
        for begin, pitch in (*((0.0, pitch) for pitch in early), *((one[0], one[2]) for one in notes)):
            meant = round(begin * GRID) / GRID
            if meant >= beats:
                self._early.append(pitch)
                continue
            held = next((span.chord for span in chords if span.start <= meant + 1e-6 < span.end), None)
            self._fitting.hear(start + begin * second, pitch, held and held.pitch_classes)

    def _take_changes(self, chords: Sequence[ChordSpan] | None) -> None:
        if chords is None:
            self._changes = self._chord = None
        for span in chords or ():
            if span.chord != self._chord:
                self._changes = (self._changes or 0) + (self._chord is not None)
                self._chord = span.chord

    def _take_sonorities(
        self,
        start: float,
        beats: float,
        second: float,
        onsets: Onsets,
        notes: Sequence[tuple[float, float, int, int]],
        recalled: bool,
    ) -> None:
        for step, pitches in onsets.items():
            seconds = start + step / GRID * second
            self._go_on(seconds)
            if pitches != self._sonority:
                self._sonority, self._one_pitch = pitches, 0.0
                self._changes = None if self._changes is None else 0
            ends = (start + stop * second for begin, stop, _, _ in notes if round(begin * GRID) == step)
            self._sounds_until = max(self._sounds_until, *ends)
            place = self._steps + step
            token: Token = (min(64, place - self._last_step), *pitches)
            self._last_step = place
            self._last_onset = seconds
            self._grams.hear(seconds, token, recalled)
        self._steps += round(beats * GRID)
        self._go_on(start + beats * second)

    def _go_on(self, seconds: float) -> None:
        """Up to here it has played on what it played last, or rested."""
        if self._sonority:
            self._one_pitch += max(0.0, min(seconds, self._sounds_until + LONGEST_REST) - self._known_until)
        self._known_until = max(self._known_until, seconds)

    def _take_loop(self, start: float, onsets: Onsets) -> None:
        """Two ways of going round: each bar as the one before, and as the one before that."""
        bars = self._bars
        for place in range(2):
            same = len(bars) > place and bars[-1 - place] == onsets and sum(map(len, (*bars, onsets))) >= FEWEST_ONSETS
            if not same:
                self._loop_since[place] = None
            elif self._loop_since[place] is None:
                self._loop_since[place] = start
        bars.append(onsets)
