# pyright: strict
"""Which figures are faults. Nothing here remembers anything but what is wrong now."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from engine.ear.notes import NoteFigures
from engine.ear.part import PartFigures
from engine.ear.sound import SoundFigures
from engine.form.hearing import Hearing, SoundHearing
from engine.generators.contract import Role

TRIAL = 1 / 3
"""Of a limit that counts while an answer is on trial: who was stuck a moment ago is believed to be stuck sooner."""

WITHOUT_KEY = 0.8
"""Share of notes in one collection of seven pitch classes below which they belong to no key."""

MOVING = 2
"""Changes of the chord under one pitch: where the harmony stands still, too, it may be meant to."""

STANDING = 2.0
"""Times the limit of one pitch that counts where the harmony stands still."""

SLIGHTLY = 0.5
"""dB above the ceiling that are no fault: what is measured between samples is that uncertain (BS.1770, annex 2)."""


class EarFault(StrEnum):
    """What can be wrong with what is heard."""

    EMPTY = "empty"
    """A generator makes nothing."""

    ONE_PITCH = "one pitch"
    """A part plays one pitch or one chord over and over, or holds it."""

    LOOP = "loop"
    """A part plays the same one or two bars over and over."""

    CROWD = "crowd"
    """A part plays everything at once."""

    NOISE = "noise"
    """Notes of a part belong neither to a key nor to the chords."""

    REPETITION = "repetition"
    """A part plays nothing that was not heard before, and takes up no idea in it."""

    DEAD_AIR = "dead air"
    """Notes are played, and nothing sounds."""

    TONE = "tone"
    """One steady tone sounds, and nothing else."""

    OFFSET = "offset"
    """The wave does not swing around zero."""

    PEAK = "peak"
    """What leaves is higher than the ceiling."""

    LOUDNESS = "loudness"
    """It is louder or softer than its target. The hand on the gain corrects that; it is never found here."""


@dataclass(frozen=True, slots=True)
class EarFinding:
    """A figure beyond its limit.

    Attributes:
        fault: what it is.
        part: of which part; empty for the whole.
        figure: what was measured.
        limit: what would have been right.
    """

    fault: EarFault
    part: str
    figure: float
    limit: float


def of_notes(figures: NoteFigures, hearing: Hearing, on_trial: frozenset[tuple[str, EarFault]]) -> Iterator[EarFinding]:
    """What is wrong with the parts.

    Args:
        figures: up to a bar.
        hearing: limits of the scene.
        on_trial: parts, and faults of theirs that something was done about a moment ago.
    """
    for name, part in figures.parts.items():
        if name in hearing.left_out:
            continue
        for fault, figure, limit in _measured(part, hearing):
            counts = limit * TRIAL if (name, fault) in on_trial and fault in _OF_TIME else limit
            if figure >= counts:
                yield EarFinding(fault, name, figure, counts)


def of_sound(figures: SoundFigures, hearing: SoundHearing, ceiling: float) -> Iterator[EarFinding]:
    """What is wrong with the sound.

    Args:
        figures: up to a second.
        hearing: limits of the installation.
        ceiling: dB of true peak that nothing is to pass.
    """
    peak = 20 * math.log10(max(figures.true_peak, 1e-9))
    for fault, figure, limit in (
        (EarFault.DEAD_AIR, figures.silence, hearing.dead_air),
        (EarFault.TONE, figures.tone, hearing.tone),
        (EarFault.OFFSET, figures.offset, hearing.offset),
        (EarFault.PEAK, peak, ceiling + SLIGHTLY),
    ):
        if figure >= limit:
            yield EarFinding(fault, "", figure, limit)


_OF_TIME = frozenset({EarFault.EMPTY, EarFault.ONE_PITCH, EarFault.LOOP})


def _measured(part: PartFigures, hearing: Hearing) -> Iterator[tuple[EarFault, float, float]]:
    yield EarFault.EMPTY, part.empty, hearing.empty
    yield EarFault.CROWD, part.crowd, hearing.crowd
    if part.written:
        return
    yield EarFault.LOOP, part.loop, hearing.loop
    if part.role is Role.DRUMS:
        return
    moves = part.changes is None or part.changes >= MOVING
    yield EarFault.ONE_PITCH, part.one_pitch, hearing.one_pitch * (1.0 if moves else STANDING)
    if part.fit is not None and part.fit < WITHOUT_KEY and part.clash is not None:
        yield EarFault.NOISE, part.clash, hearing.noise
    # Chords, what follows another part and a bass may go round for as long as they like.
    if part.stale is not None and part.role is Role.MELODY and not part.figuration:
        yield EarFault.REPETITION, part.stale, hearing.repetition
