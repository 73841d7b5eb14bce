# pyright: strict
"""A beginning in the midst of another performance: its state, moved to frame 0."""

from __future__ import annotations

from engine.errors import PerpetuumError
from engine.files import read_bytes
from engine.form.scene import Scene
from engine.runtime.performance.mind.state import MindState

LARGEST = 64 << 20
"""Bytes of a file that holds one."""


def at_frame_zero(state: MindState) -> MindState:
    """The state of a performance that begins where another one stood; its bars keep their numbers."""
    conductor = state.conductor
    position = conductor.position.model_copy(update={"frame": 0, "edited": None})
    update = {"position": position, "breakers": (), "decided_before_edit": None}
    return state.model_copy(update={"conductor": conductor.model_copy(update=update)})


def beginning_of(scene: Scene) -> MindState | None:
    """The state with which a scene begins; None for its first section.

    Raises:
        PerpetuumError: it cannot be read.
    """
    if scene.begin is None:
        return None
    try:
        return MindState.from_json(read_bytes(scene.begin, LARGEST))
    except OSError as error:
        raise PerpetuumError(f"{scene.begin}, with which the scene begins, cannot be read: {error.strerror}") from error
