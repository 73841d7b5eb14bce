# pyright: strict
"""Where a scene begins that `perpetuum fork` made: in the midst of a performance, whose state a file holds."""

from __future__ import annotations

import json
from pathlib import Path

from engine.errors import PerpetuumError
from engine.files import read_bytes, reason
from engine.scenes.reading.drafts import SceneDraft
from engine.scenes.text.problems import Problem
from engine.scenes.text.source import SourceFile

LARGEST = 64 << 20
"""Bytes of such a file."""


def read_begin(draft: SceneDraft, begin: str, source: SourceFile) -> Path | Problem | None:
    """The file of a scene's beginning, which has been looked into; None where the scene names none."""
    if not begin:
        return None
    span = draft.written.entries["begin"][1].span
    expected = "the name of a file that `perpetuum fork` wrote, beside the scene"
    if "\0" in begin:
        return source.error(span, "this is no name of a file", expected)
    path = source.folder.absolute() / begin
    # Few scenes begin in the midst, and the conductor is much to import.
    from engine.conductor.state import ConductorState

    try:
        state = json.loads(read_bytes(path, LARGEST))
        ConductorState.from_json(json.dumps(state["conductor"]))
    except OSError as error:
        return source.error(span, f"the beginning cannot be read: {reason(error)}", expected)
    except PerpetuumError as error:
        return source.error(span, f"this beginning cannot be played: {error.message}", expected)
    except (ValueError, KeyError, TypeError, RecursionError):
        return source.error(span, "this is no beginning of a scene", expected)
    return path
