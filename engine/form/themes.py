# pyright: strict
"""Which theme a pass has: plan data, drawn from the seed and the number of the pass; no notes are needed for it."""

from __future__ import annotations

import numpy as np

from engine.form.passes import Pass
from engine.form.scene import Scene
from engine.form.seeds import derive_seed
from engine.ideas.themes import Theme


def themes_in(scene: Scene, visit: Pass) -> dict[str, Theme]:
    """The themes of a scene by the names that they go by in a pass."""
    count = len(scene.themes)
    return {theme.called(visit.index, place, count): theme for place, theme in enumerate(scene.themes)}


def theme_of(scene: Scene, seed: int, visit: Pass) -> str:
    """Name of the theme of a pass, drawn from those that its section may have.

    Args:
        scene: what plays.
        seed: of the performance.
        visit: the pass.
    """
    allowed = visit.section.themes
    names = [name for name, theme in themes_in(scene, visit).items() if not allowed or theme.name in allowed]
    rng = np.random.default_rng(derive_seed(seed, "theme", visit.index))
    return names[int(rng.integers(len(names)))]
