"""Progressions by rules: a walk by function, the section's own that come back, cadences where they are due, and chords
borrowed from other keys.
"""

from __future__ import annotations

import itertools
from typing import Protocol

import numpy as np

from engine.generators import harmony
from engine.generators.chance import stream, theme_stream
from engine.generators.contract import Cadence, Link, Request
from engine.generators.statement import progression
from engine.score.harmony.chords import Chord
from engine.score.harmony.keys import Key
from engine.score.harmony.relations import is_minor, parallel
from engine.score.phrase import ChordSpan, Phrase

_FORM = "AABA"
"""A section's own progressions, phrase by phrase."""
_CELL = 4
"""Chords that come back at once in a progression that turns."""
_TURNS = 0.6
"""How often a section's own progression is such a one."""
_SECONDARY = 0.6
"""Share of dominants among borrowed chords; the others are of the parallel key."""


class WalkSettings(Protocol):
    """What a walk is told."""

    @property
    def chord_length(self) -> int:
        """Bars of each chord."""
        ...

    @property
    def colour(self) -> float:
        """Share of chords with a seventh, a ninth or a suspension."""
        ...

    @property
    def recall(self) -> float:
        """How often a phrase takes up the primer's progression or the section's own."""
        ...

    @property
    def borrow(self) -> float:
        """Share of chords from outside the key."""
        ...


def walk(request: Request, settings: WalkSettings) -> tuple[ChordSpan, ...]:
    """The chords of a phrase, of `settings.chord_length` bars each, counted from the start of the section.

    A phrase that recalls plays the progression that it takes up, the primer's, or else the theme's own, whatever was
    played before; others walk on. All close with the cadences that are due.
    """
    rng = stream(request.seed, "walk")
    bar, length = request.meter.beats_per_bar, settings.chord_length
    # A chord that began before this phrase goes on until the section's next chord line.
    starts = [0, *range(length - request.place.bar % length, request.bars, length)]
    before = _last_chord(request.history)
    holds_on = request.place.bar % length != 0 and before is not None
    taken = progression(request)
    recalled = rng.random() < settings.recall or bool(taken)
    letter = _FORM[(request.place.bar // request.bars) % len(_FORM)]
    own = theme_stream(request, "progression", letter) if recalled else rng
    arrivals = _arrivals(request, starts)
    turning = recalled and own.random() < _TURNS
    degrees = _own(request.key, len(starts), own, turning) if recalled else _onward(request, len(starts), before, own)
    degrees = _closed(request.key, degrees, arrivals, own)
    given = _given(request) if recalled else []
    words = letter if recalled else ""
    if taken:
        chords = _taken_up(request, taken, [start * bar for start in starts], degrees, arrivals)
    elif given:
        first = request.place.bar // length
        chords = [given[(first + place) % len(given)] for place in range(len(starts))]
    else:
        chords = [
            harmony.chord_on(
                request.key, degree, settings.colour, _colours(request, settings, letter if recalled else "", draw)
            )
            for degree, draw in zip(degrees, _colour_places(degrees, turning), strict=True)
        ]
        chords = _borrowed(request, settings, chords, degrees, arrivals, words)
        if holds_on and before is not None and all(tone in request.key for tone in before.pitch_classes):
            chords[0] = before
    ends = [*starts[1:], request.bars]
    return tuple(
        ChordSpan(start * bar, end * bar, chord, written=any(tone not in request.key for tone in chord.pitch_classes))
        for start, end, chord in zip(starts, ends, chords, strict=True)
    )


def _taken_up(
    request: Request,
    taken: tuple[ChordSpan, ...],
    starts: list[float],
    degrees: list[int],
    arrivals: dict[int, Cadence],
) -> list[Chord]:
    """The progression of an idea, over and over from the phrase's start, but for the cadences that are due."""
    whole = taken[-1].end
    chords = [harmony.chord_at(taken, start % whole) for start in starts]
    for place in arrivals:
        for near in (place - 1, place):
            if near >= 0 and (near == place or near not in arrivals) and len(chords) > 1:
                chords[near] = harmony.chord_on(request.key, degrees[near], 0.0, stream(request.seed, "cadence", near))
    return chords


def _arrivals(request: Request, starts: list[int]) -> dict[int, Cadence]:
    """The chords that close a period, by their place, and how."""
    found: dict[int, Cadence] = {}
    for end, cadence in request.cadences:
        place = max((place for place, start in enumerate(starts) if start < end), default=0)
        found[place] = cadence
    return found


def _own(key: Key, count: int, own: np.random.Generator, turning: bool) -> list[int]:
    """Degrees of a section's own progression: always the same, however many of them are played."""
    tonic = _tonic(key)
    degrees = [tonic if own.random() < 0.8 else harmony.walk_on(key, tonic, own)]
    while len(degrees) < count:
        if turning and len(degrees) >= _CELL:
            degrees.append(degrees[-_CELL])
        else:
            previous = degrees[-2] if len(degrees) > 1 else None
            degrees.append(harmony.walk_on(key, degrees[-1], own, None, previous))
    return degrees


def _onward(request: Request, count: int, before: Chord | None, rng: np.random.Generator) -> list[int]:
    """Degrees that go on from the chord before; a section opens at home, less often if one has just come home."""
    key, tonic = request.key, _tonic(request.key)
    last = harmony.degree_of(key, before) if before is not None else None
    opening = request.place.bar == 0 or last is None
    at_home = rng.random() < (0.8 if opening and last != tonic else 0.5)
    start = tonic if last is None or opening else last
    degrees = [tonic if opening and at_home else harmony.walk_on(key, start, rng)]
    while len(degrees) < count:
        previous = degrees[-2] if len(degrees) > 1 else None
        degrees.append(harmony.walk_on(key, degrees[-1], rng, None, previous))
    return degrees


def _closed(key: Key, degrees: list[int], arrivals: dict[int, Cadence], rng: np.random.Generator) -> list[int]:
    """The degrees with the ends that cadences want, none of them the same as the one before."""
    found, tonic, dominant = list(degrees), _tonic(key), _dominant(key)
    subdominant = 3 if len(key.scale) == 7 and harmony.chords_of(key)[3] else harmony.leads_home(key)[-1]
    draws = rng.random(2)
    for place, cadence in arrivals.items():
        found[place] = dominant if cadence is Cadence.HALF else tonic
        if place == 0 or place - 1 in arrivals:
            continue
        if cadence is Cadence.HALF:
            options = [degree for degree in (subdominant, 1, 5) if _usable(key, degree)]
            lead = options[int(draws[0] * len(options))] if options else tonic
        else:
            lead = dominant if cadence is Cadence.AUTHENTIC else subdominant
        found[place - 1] = lead if lead != found[place] else harmony.leads_home(key)[0]
        if place >= 2 and place - 2 not in arrivals and found[place - 2] == found[place - 1]:
            taken = (found[place - 1], found[place - 3] if place >= 3 else -1)
            others = [degree for degree in (3, 1, 5, tonic) if _usable(key, degree) and degree not in taken]
            found[place - 2] = others[0] if others else found[place - 2]
    return found


def _usable(key: Key, degree: int) -> bool:
    rows = harmony.chords_of(key)
    return degree < len(rows) and bool(rows[degree])


def _tonic(key: Key) -> int:
    return next(degree for degree, row in enumerate(harmony.chords_of(key)) if row)


def _dominant(key: Key) -> int:
    """The degree a fifth over the tonic if it has a chord with a perfect fifth, else what leads home in this mode."""
    rows, scale = harmony.chords_of(key), key.scale
    for degree, row in enumerate(rows):
        if row and degree < len(scale) and (scale[degree] - key.tonic) % 12 == 7 and row[0].quality != "dim":
            return degree
    return harmony.leads_home(key)[0]


def _colour_places(degrees: list[int], turning: bool) -> list[int]:
    """Which draw of colour each chord takes: what turns is coloured the same each time."""
    return [place % _CELL if turning else place for place in range(len(degrees))]


def _colours(request: Request, settings: WalkSettings, letter: str, place: int) -> np.random.Generator:
    """Chance of the colour of a chord: the theme's, where its letter is recalled."""
    if letter:
        return theme_stream(request, "colour", letter, place)
    return stream(request.seed, "colour", place)


def _borrowed(
    request: Request,
    settings: WalkSettings,
    chords: list[Chord],
    degrees: list[int],
    arrivals: dict[int, Cadence],
    letter: str,
) -> list[Chord]:
    """The chords, some of them from outside the key: dominants of the chord that follows, chords of the parallel key.

    Before an authentic close the dominant gets its leading note. Nothing is changed where nothing is to be borrowed.
    """
    if settings.borrow <= 0:
        return chords
    key, found = request.key, list(chords)
    rows = harmony.chords_of(parallel(key))
    for place in range(len(chords) - 1):
        rng = theme_stream(request, "borrowed", letter, place) if letter else stream(request.seed, "borrowed", place)
        chance, which, seventh = rng.random(3)
        target = chords[place + 1]
        closes = arrivals.get(place + 1) is Cadence.AUTHENTIC and (chords[place].root - key.tonic) % 12 == 7
        if closes:
            found[place] = Chord(chords[place].root, "7" if seventh < 0.6 else "")
        elif place in arrivals or chance >= settings.borrow:
            continue
        elif which < _SECONDARY and target.triad in ("major", "minor") and target.root != chords[place].root:
            found[place] = Chord((target.root + 7) % 12, "7")
        elif degrees[place] not in (_tonic(key), *([4] if is_minor(key) else [])) and degrees[place] < len(rows):
            row = rows[degrees[place]]
            found[place] = row[0] if row and row[0].quality != "dim" else found[place]
    # Nothing is borrowed twice in a row: the key would be lost.
    for place in range(1, len(found)):
        if found[place] != chords[place] and found[place - 1] != chords[place - 1] and place + 1 not in arrivals:
            found[place] = chords[place]
    return found


def _given(request: Request) -> list[Chord]:
    """The progression that a primer plays, without repetitions; empty without one."""
    primer = request.sources.get(Link.PRIMER) or request.primer
    if primer is None:
        return []
    spans = primer.chords or harmony.heard(primer, request.meter, primer.length)
    return [chord for chord, _ in itertools.groupby(span.chord for span in spans)]


def _last_chord(history: Phrase | None) -> Chord | None:
    if history is None:
        return None
    if history.chords:
        return history.chords[-1].chord
    pitches = history.notes["pitch"][-6:]
    return harmony.recognise(pitches, np.ones(len(pitches)))
