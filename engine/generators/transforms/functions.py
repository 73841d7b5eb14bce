"""The built-in transforms: phrase in, phrase out. Pure; chance comes from the stream that is handed in.

Those that change pitches leave drums alone, whose pitches are instruments.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.generators import endings, harmony
from engine.generators.contract import Link, Request, Role
from engine.generators.expression import arc, clip_velocities
from engine.generators.pulse import accent_at, swung_pairs
from engine.generators.transforms import kinds
from engine.generators.transforms.scope import due_bars
from engine.score.keys import MODES, Key
from engine.score.phrase import NOTE, ChordSpan, Phrase

_SHORTEST = 0.05
"""Beats that a note keeps at least when it is shortened."""


def transpose(phrase: Phrase, settings: kinds.TransposeSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Every note moves by the interval; what would leave MIDI's range moves by octaves. Chords move along."""
    if request.role is Role.DRUMS:
        return phrase
    notes = phrase.notes.copy()
    notes["pitch"] = _into_midi(notes["pitch"].astype(int) + settings.by)
    spans = tuple(replace(span, chord=span.chord.transposed(settings.by)) for span in phrase.chords)
    return Phrase.of(notes, phrase.length, phrase.provenance, spans)


def fit_to_key(phrase: Phrase, settings: kinds.FitToKeySettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Notes outside the key move to its nearest note; of two equally near, not to the one just played."""
    if request.role is Role.DRUMS:
        return phrase
    notes = phrase.notes.copy()
    moved = rng.random(len(notes)) < settings.strength
    before: int | None = None
    for place, pitch in enumerate(notes["pitch"].astype(int).tolist()):
        if moved[place] and pitch not in request.key:
            notes["pitch"][place] = _nearest_in_key(pitch, request.key, before)
        before = int(notes["pitch"][place])
    return phrase.with_notes(_without_doubles(notes))


def fit_to_chords(
    phrase: Phrase, settings: kinds.FitToChordsSettings, request: Request, rng: np.random.Generator
) -> Phrase:
    """Notes that begin on felt beats move to the nearest tone of the chord that sounds then.

    The chords are those of the part taken as `chords`, or else those that the phrase itself means.
    """
    spans = harmony.chords_under(request) if Link.CHORDS in request.sources else phrase.chords
    if request.role is Role.DRUMS or not spans:
        return phrase
    notes = phrase.notes.copy()
    chosen = rng.random(len(notes)) < settings.strength
    strong = accent_at(request.meter, notes["start"]) >= 0.6
    for place in np.flatnonzero(chosen & strong):
        chord = harmony.chord_at(spans, float(notes["start"][place]))
        notes["pitch"][place] = _nearest_of(int(notes["pitch"][place]), chord.pitch_classes)
    return phrase.with_notes(_without_doubles(notes))


def thin(phrase: Phrase, settings: kinds.ThinSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """The share of notes that have the least metrical weight is left out; chance decides among equals.

    Each drum is thinned by itself, so that hats off the beat do not vanish before the first kick does.
    """
    count = round(settings.share * len(phrase.notes))
    if not count:
        return phrase
    weight = accent_at(request.meter, phrase.notes["start"]) + 0.15 * rng.random(len(phrase.notes))
    # With equal weight soft notes go before loud ones.
    weight = weight + 0.1 * phrase.notes["velocity"] / 127
    if request.role is Role.DRUMS:
        weight = _ranks_within(weight, phrase.notes["pitch"])
    kept = np.sort(np.argsort(weight, kind="stable")[count:])
    return phrase.with_notes(phrase.notes[kept])


def _ranks_within(weight: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Rank 0..1 of each weight among those of its group, [n]."""
    ranks = np.zeros(len(weight))
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        ranks[inside[np.argsort(weight[inside], kind="stable")]] = (np.arange(len(inside)) + 0.5) / len(inside)
    return ranks


def double(phrase: Phrase, settings: kinds.DoubleSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Adds a second voice at an interval, softer; what would leave MIDI's range is not doubled."""
    if request.role is Role.DRUMS:
        return phrase
    notes = phrase.notes
    count = round(settings.share * len(notes))
    if not count:
        return phrase
    weight = accent_at(request.meter, notes["start"]) + 0.1 * rng.random(len(notes))
    added = notes[np.sort(np.argsort(-weight, kind="stable")[:count])].copy()
    pitches = added["pitch"].astype(int)
    if settings.at in ("octave", "lower octave"):
        pitches = pitches + (12 if settings.at == "octave" else -12)
    else:
        size = len(MODES[request.key.mode])
        steps = round({"third": 2, "fifth": 4, "sixth": 5}[settings.at] * size / 7)
        pitches = np.array([_scale_steps_up(pitch, steps, request.key) for pitch in pitches.tolist()], int)
    inside = (pitches >= 0) & (pitches <= 127)
    added["pitch"] = np.where(inside, pitches, 0)
    added["velocity"] = clip_velocities(added["velocity"].astype(float) - settings.softer)
    return phrase.with_notes(_without_doubles(np.concatenate([notes, added[inside]])))


def humanize(phrase: Phrase, settings: kinds.HumanizeSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Starts and velocities vary by a normal distribution, cut at two deviations; a chord moves as one hand does."""
    notes = phrase.notes.copy()
    if not len(notes):
        return phrase
    deviation = settings.timing * request.qpm / 60.0
    hands = np.unique(notes["start"], return_inverse=True)[1]
    together = np.clip(rng.normal(0, 1, int(hands.max()) + 1), -2, 2)[hands]
    alone = np.clip(rng.normal(0, 1, len(notes)), -2, 2)
    shift = deviation * (0.85 * together + 0.3 * alone)
    start = np.clip(notes["start"] + shift, 0.0, np.nextafter(phrase.length, 0))
    notes["end"] = np.maximum(notes["end"] + shift, start + _SHORTEST)
    notes["start"] = start
    swing = np.clip(rng.normal(0, 1, len(notes)), -2, 2)
    notes["velocity"] = clip_velocities(notes["velocity"] + settings.velocity * swing)
    return phrase.with_notes(notes)


def velocity(phrase: Phrase, settings: kinds.VelocitySettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Scale, then shape, offset and accent."""
    notes = phrase.notes.copy()
    position = notes["start"] / phrase.length
    course = {
        "flat": np.ones(len(notes)),
        "swell": arc(notes["start"], phrase.length),
        "rise": position,
        "fall": 1.0 - position,
    }[settings.shape]
    values = notes["velocity"] * settings.scale * (1 - settings.depth * (1 - course)) + settings.offset
    values = values + settings.accent * (2 * accent_at(request.meter, notes["start"]) - 1)
    notes["velocity"] = clip_velocities(values)
    return phrase.with_notes(notes)


def octave_range(
    phrase: Phrase, settings: kinds.OctaveRangeSettings, request: Request, rng: np.random.Generator
) -> Phrase:
    """The whole phrase moves by octaves into the range; notes that still stick out fold in singly."""
    if request.role is Role.DRUMS:
        return phrase
    notes = phrase.notes.copy()
    notes["pitch"] = endings.fold(notes["pitch"], settings.range)
    return phrase.with_notes(_without_doubles(notes))


def legato(phrase: Phrase, settings: kinds.LegatoSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Notes are lengthened towards the next onset (the last ones to the end of the phrase)."""
    notes = phrase.notes.copy()
    onsets = np.append(np.unique(notes["start"]), phrase.length)
    following = onsets[np.minimum(np.searchsorted(onsets, notes["start"] + 1e-6, side="left"), len(onsets) - 1)]
    gap = np.maximum(following - notes["end"], 0.0)
    notes["end"] = notes["end"] + settings.amount * gap
    return phrase.with_notes(notes)


def staccato(phrase: Phrase, settings: kinds.StaccatoSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Notes keep a share of their length."""
    notes = phrase.notes.copy()
    length = notes["end"] - notes["start"]
    notes["end"] = notes["start"] + np.maximum(length * settings.length, np.minimum(length, _SHORTEST))
    return phrase.with_notes(notes)


def rest(phrase: Phrase, settings: kinds.RestSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Whole bars fall silent; notes that would sound into them are cut at the bar line. Chords that are meant stay.

    A melody that is let go early still ends: its last note before the silence becomes a tone of the chord.
    """
    bar = request.meter.beats_per_bar
    count = request.bars
    numbers = np.arange(count)
    if settings.every is not None:
        silent = due_bars(request, settings, rng)
    else:
        # Later bars rest first: a phrase is begun, then let go; but a section's last phrase enters late, and closes.
        order = np.argsort((numbers if request.ends_section else -numbers) + rng.normal(0, 0.7, count), kind="stable")
        if request.ends_section:
            order = np.append(order[order != count - 1], count - 1)
        # A part of a bar is left to chance.
        exact = settings.share * count
        rests = int(exact) + int(rng.random() < exact - int(exact))
        silent = np.isin(numbers, order[: min(rests, count)])
        silent &= due_bars(request, settings, rng)
    notes = phrase.notes.copy()
    own_bar = np.clip((notes["start"] / bar).astype(int), 0, count - 1)
    kept = ~silent[own_bar]
    notes, own_bar = notes[kept], own_bar[kept]
    for place, number in enumerate(own_bar):
        later = np.flatnonzero(silent & (numbers > number))
        if len(later):
            line = max(float(later[0]) * bar, float(notes["start"][place]) + _SHORTEST)
            notes["end"][place] = min(float(notes["end"][place]), line)
    if request.role is Role.MELODY:
        for number in np.flatnonzero(silent[1:] & ~silent[:-1]):
            before = np.flatnonzero(own_bar == number)
            if len(before):
                _close(notes, int(before[-1]), float(number + 1) * bar, phrase, request)
    return phrase.with_notes(_without_doubles(notes))


def _close(notes: np.ndarray, place: int, line: float, phrase: Phrase, request: Request) -> None:
    """Make a note an ending: a chord tone in the key, a beat long if there is room before the bar line."""
    start = float(notes["start"][place])
    home = ChordSpan(0.0, phrase.length, harmony.home(request.key))
    tones = harmony.tones_of(harmony.span_at(phrase.chords, start) if phrase.chords else home, request.key)
    notes["pitch"][place] = _nearest_of(int(notes["pitch"][place]), tones)
    notes["end"][place] = max(float(notes["end"][place]), min(line, start + 1.0))


def swing(phrase: Phrase, settings: kinds.SwingSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Time within each pair of eighths (or sixteenths) is bent, so the second comes late and notes between follow.

    Pairs are counted from each felt beat, so that none of these moves; a beat of three has no pairs and stays as it is.
    """
    pair = 1.0 if settings.grid == "eighths" else 0.5
    middle = 0.5 + settings.amount / 6
    bar = request.meter.beats_per_bar
    lines, swung = swung_pairs(request.meter, pair)

    def bent(beats: np.ndarray) -> np.ndarray:
        bars = np.floor(beats / bar + 1e-9)
        inside = np.clip(beats - bars * bar, 0.0, None)
        place = np.clip(np.searchsorted(lines, inside + 1e-9, side="right") - 1, 0, len(swung) - 1)
        part = np.clip((inside - lines[place]) / pair, 0.0, 1.0)
        warped = np.where(part < 0.5, part * 2 * middle, middle + (part - 0.5) * 2 * (1 - middle))
        return np.where(swung[place], bars * bar + lines[place] + warped * pair, beats)

    notes = phrase.notes.copy()
    length = notes["end"] - notes["start"]
    notes["start"] = np.clip(bent(notes["start"]), 0.0, np.nextafter(phrase.length, 0))
    notes["end"] = np.maximum(bent(notes["end"]), notes["start"] + np.minimum(length, _SHORTEST))
    return phrase.with_notes(notes)


def quantize(phrase: Phrase, settings: kinds.QuantizeSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Starts move towards the nearest line of the grid (within the phrase); lengths stay."""
    grid = {"sixteenths": 0.25, "eighths": 0.5, "quarters": 1.0}[settings.grid]
    notes = phrase.notes.copy()
    lines = np.rint(notes["start"] / grid) * grid
    lines = np.where(lines >= phrase.length - 1e-9, lines - grid, lines)
    shift = (np.maximum(lines, 0.0) - notes["start"]) * settings.strength
    notes["start"] += shift
    notes["end"] += shift
    return phrase.with_notes(_without_doubles(notes))


def _into_midi(pitches: np.ndarray) -> np.ndarray:
    low = np.where(pitches < 0, pitches % 12, pitches)
    return np.where(low > 127, 116 + (low - 116) % 12, low)


def _nearest_in_key(pitch: int, key: Key, before: int | None) -> int:
    for distance in range(1, 12):
        sides = [side for side in (pitch - distance, pitch + distance) if side in key and 0 <= side <= 127]
        if sides:
            # Keep the direction of the line, and do not repeat the note before if the other side is as near.
            return min(sides, key=lambda side: (side == before, side))
    return pitch


def _nearest_of(pitch: int, tones: tuple[int, ...]) -> int:
    options = [option for option in range(max(0, pitch - 7), min(127, pitch + 7) + 1) if option % 12 in tones]
    return min(options, key=lambda option: (abs(option - pitch), option)) if options else pitch


def _scale_steps_up(pitch: int, steps: int, key: Key) -> int:
    found, left = pitch, steps
    while left and found < 140:
        found += 1
        left -= found % 12 in key.scale
    return found


def _without_doubles(notes: np.ndarray) -> np.ndarray:
    """Notes that came to lie on the same pitch and start become one: the longest, as loud as the loudest."""
    if len(notes) < 2:
        return notes
    order = np.lexsort((-notes["end"], notes["pitch"], notes["start"]))
    notes = notes[order].astype(NOTE)
    same = (np.diff(notes["start"]) < 1e-9) & (np.diff(notes["pitch"]) == 0)
    first = np.concatenate([[True], ~same])
    loudest = np.maximum.reduceat(notes["velocity"], np.flatnonzero(first))
    kept = notes[first]
    kept["velocity"] = loudest
    return kept
