# pyright: strict
"""What rendering and playing have in common: where a performance ends, and what it needs to be made."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from engine.conductor.resounding import Resounding
from engine.form.plan import Plan
from engine.form.scene import Scene
from engine.form.seeds import derive_seed
from engine.generators.contract import GENERATORS, TRANSFORMS, Settings
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK, Fade, Setup

TAIL = 5 * SAMPLE_RATE
"""Frames that reverb and delay are given after the last bar."""

FADE = 3 * SAMPLE_RATE
"""Frames of the fade at the end."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a performance ends.

    Attributes:
        bar: the first that is not played any more.
        frames: length of the whole.
        fade: the message that ends it.
    """

    bar: int
    frames: int
    fade: Fade

    @classmethod
    def after_bars(cls, plan: Plan, bars: int) -> Ending:
        """After some bars, and a tail in which the last notes ring."""
        end = plan.tempo_map.first_index + bars
        return cls._at(end, plan.bar(end).start + TAIL)

    @classmethod
    def after_seconds(cls, plan: Plan, seconds: float) -> Ending:
        """After so long, fading out."""
        frames = round(seconds * SAMPLE_RATE)
        bar = plan.tempo_map.first_index + 1
        while plan.bar(bar).start < frames:
            bar += 1
        return cls._at(bar, frames)

    @classmethod
    def _at(cls, bar: int, frames: int) -> Ending:
        # Whole blocks, so that a live performance is as long as a render, to the frame.
        frames = max(1, -(-frames // BLOCK)) * BLOCK
        fade = min(FADE, frames)
        return cls(bar, frames, Fade(frames - fade, fade))


def setup_of(scene: Scene, seed: int, live: bool, start_frame: int = 0) -> Setup:
    """What the audio process is told to build."""
    return Setup(
        parts=tuple(part.sound for part in scene.parts.values()),
        mix=scene.mix,
        seed=derive_seed(seed, "sound") % (1 << 31),
        start_frame=start_frame // BLOCK * BLOCK,
        free_running=live,
    )


def setup_at(setup: Setup, rings: Resounding) -> Setup:
    """What a graph is told that is built in the midst of a performance: its controls begin where they stand then."""
    stand: dict[str, dict[str, float]] = {}
    for (part, control), value in rings.controls.items():
        stand.setdefault(part, {})[control.value] = value
    parts = tuple(replace(part, **stand.get(part.name, {})) for part in setup.parts)
    return replace(setup, parts=parts)


def networks_of(scene: Scene, soonest: Collection[str] = ()) -> list[tuple[str, Settings]]:
    """The networks that the parts of a scene need: pairs of kind, of a generator or a transform, and settings.

    Args:
        scene: what plays.
        soonest: names of parts whose networks come first; the others keep the file's order.
    """
    found: list[tuple[str, Settings]] = []
    for part in sorted(scene.parts.values(), key=lambda part: part.name not in soonest):
        if GENERATORS.get(part.generator).network:
            found.append((part.generator, part.settings))
        found += [(name, settings) for name, settings in part.transforms if TRANSFORMS.get(name).network]
    return found
