"""The scene file: loading with positions, schema, diagnostics, plan. Needs neither TensorFlow, pyo nor note_seq.

`load` and `check_files` import what they need when they are called, so that importing this package costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.form.scene import Scene
    from engine.scenes.loading import Checked
    from engine.scenes.text.diagnostics import Diagnostic
    from engine.scenes.text.problems import Severity

__all__ = ["Diagnostic", "Severity", "check_files", "load"]


def load(path: Path, pipes: bool = False) -> tuple[Scene | None, list[Diagnostic]]:
    """Read a scene file: the scene, None if it is not valid, and all that was found; see `engine.scenes.loading`.

    Args:
        path: of the file.
        pipes: it may also be a pipe.

    Raises:
        PerpetuumError: there is no such file, or it may not be read.
    """
    from engine.scenes import loading

    return loading.load(path, pipes)


def check_files(paths: Iterable[Path]) -> list[Checked]:
    """Look into scene and instrument files, each and what it names once; see `engine.scenes.loading`.

    Raises:
        PerpetuumError: there is no such file, or it may not be read.
    """
    from engine.scenes import loading

    return loading.check_files(paths)


def __getattr__(name: str) -> Any:
    if name == "Diagnostic":
        from engine.scenes.text.diagnostics import Diagnostic

        return Diagnostic
    if name == "Severity":
        from engine.scenes.text.problems import Severity

        return Severity
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
