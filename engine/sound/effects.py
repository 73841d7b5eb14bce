"""An instrument's own effects, as pyo objects."""

from __future__ import annotations

from typing import Any

from engine.sound.settings import Chorus, Drive, Effects, Tremolo
from engine.sound.synth import pyo

_CHORUS_CENTRE = 0.012
"""Seconds; a doubling around 12 ms is heard as width, neither as flanging nor as an echo."""


def _drive(x: Any, settings: Drive) -> list[Any]:
    push = 1.0 + 11.0 * settings.amount**2
    loud = pyo.Sig(x, mul=push)
    return [loud, pyo.Tanh(loud, mul=push**-0.6)]


def _chorus(x: Any, settings: Chorus, side: int) -> list[Any]:
    swing = 0.006 * settings.depth
    # A quarter of a turn between the sides: the image turns instead of pulsating.
    wander = pyo.Sine(settings.rate, phase=0.25 * side, mul=swing, add=_CHORUS_CENTRE)
    doubled = pyo.Delay(x, delay=wander, maxdelay=0.05, mul=0.8 * settings.mix)
    return [wander, doubled, pyo.Sig(x, mul=1.0 - 0.5 * settings.mix, add=doubled)]


def _tremolo(x: Any, settings: Tremolo, side: int) -> list[Any]:
    half = settings.depth / 2.0
    pulse = pyo.Sine(settings.rate, phase=0.5 * settings.width * side, mul=half, add=1.0 - half)
    return [pulse, pyo.Sig(x, mul=pulse)]


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
        Every object made, in order; and the two outputs.
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
        if effects.chorus:
            chain += _chorus(chain[-1], effects.chorus, side)
        if effects.tremolo:
            chain += _tremolo(chain[-1], effects.tremolo, side)
        chain.append(pyo.Sig(chain[-1], mul=gain))
        made += chain[1:]
        outs.append(chain[-1])
    return made, (outs[0], outs[1])
