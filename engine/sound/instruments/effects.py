"""An instrument's own effects, as pyo objects."""

from __future__ import annotations

from typing import Any

from engine.sound.settings import Chorus, Drive, Effects, Tremolo, Vowel
from engine.sound.synth import lfo, pyo

_CHORUS_CENTRE = 0.012
"""Seconds; a doubling around 12 ms is heard as width, neither as flanging nor as an echo."""


def _drive(x: Any, settings: Drive) -> list[Any]:
    push = 1.0 + 11.0 * settings.amount**2
    loud = pyo.Sig(x, mul=push)
    return [loud, pyo.Tanh(loud, mul=push**-0.6)]


def _chorus(x: Any, settings: Chorus, side: int) -> list[Any]:
    swing = 0.006 * settings.depth
    # A quarter of a turn between the sides: the image turns instead of pulsating.
    wander = lfo(settings.rate, 0.25 * side, mul=swing, add=_CHORUS_CENTRE)
    doubled = pyo.Delay(x, delay=wander, maxdelay=0.05, mul=0.8 * settings.mix)
    return [doubled, pyo.Sig(x, mul=1.0 - 0.5 * settings.mix, add=doubled)]


def _tremolo(x: Any, settings: Tremolo, side: int) -> list[Any]:
    half = settings.depth / 2.0
    pulse = lfo(settings.rate, 0.5 * settings.width * side, mul=half, add=1.0 - half)
    return [pyo.Sig(x, mul=pulse)]


_FORMANTS = {
    "a": ((650, 80, 0), (1080, 90, -6), (2650, 120, -7), (2900, 130, -8)),
    "e": ((400, 70, 0), (1700, 80, -14), (2600, 100, -12), (3200, 120, -14)),
    "i": ((290, 40, 0), (1870, 90, -15), (2800, 100, -18), (3250, 120, -20)),
    "o": ((400, 70, 0), (800, 80, -10), (2600, 100, -12), (2800, 130, -12)),
    "u": ((350, 40, 0), (600, 60, -20), (2700, 100, -17), (2900, 120, -14)),
}
"""Centre (Hz), width (Hz) and level (dB) of a tenor's first four formants (table of the Csound manual's appendix)."""

_ENSEMBLE = 3.0
"""How much wider the formants of many singers are than those of one: no two mouths are alike."""


def _vowel(x: Any, settings: Vowel) -> list[Any]:
    made: list[Any] = [pyo.Sig(x, mul=1.0 - settings.amount)]
    for centre, width, level in _FORMANTS[settings.sound]:
        gain = 2.0 * settings.amount * 10.0 ** (level / 20.0)
        quality = centre / (_ENSEMBLE * width)
        made.append(pyo.Biquad(x, float(centre), quality, type=2, mul=gain, add=made[-1]))
    return made


def stereo_chain(
    left: Any, right: Any, effects: Effects, gain: float, offset: bool = False
) -> tuple[list[Any], tuple[Any, Any]]:
    """Put an instrument's effects behind its two sides.

    Args:
        left: pyo object of one stream.
        right: the same.
        effects: settings.
        gain: linear, behind all of them.
        offset: the sound may have one (a mean that is not 0), which must be taken away.

    Returns:
        Every object that may stop while nothing sounds, in order; and the two outputs.
    """
    made: list[Any] = []
    outs = []
    for side, start in enumerate((left, right)):
        chain = [start]
        if offset:
            chain.append(pyo.DCBlock(chain[-1]))
        if effects.drive:
            chain += _drive(chain[-1], effects.drive)
        if effects.high_pass:
            chain.append(pyo.ButHP(chain[-1], float(effects.high_pass)))
        if effects.low_pass:
            chain.append(pyo.ButLP(chain[-1], float(effects.low_pass)))
        if effects.high_shelf:
            shelf = effects.high_shelf
            chain.append(pyo.EQ(chain[-1], float(shelf.frequency), 0.7, float(shelf.gain), type=2))
        if effects.vowel:
            chain += _vowel(chain[-1], effects.vowel)
        if effects.chorus:
            chain += _chorus(chain[-1], effects.chorus, side)
        if effects.tremolo:
            chain += _tremolo(chain[-1], effects.tremolo, side)
        chain.append(pyo.Sig(chain[-1], mul=gain))
        made += chain[1:]
        outs.append(chain[-1])
    return made, (outs[0], outs[1])
