# pyright: strict
"""Files of an installation as they were when it played, out of its journal."""

from __future__ import annotations

from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from engine.journal.reader import Journal
from engine.journal.records import Sitting


def is_mono(journal: Journal, sitting: Sitting) -> bool:
    """Whether an installation made every channel the mean of all."""
    return bool(_installation(journal, sitting).get("mono", False))


def _installation(journal: Journal, sitting: Sitting) -> dict[str, Any]:
    """The top level of the installation file as it was; empty where nobody knows."""
    content = journal.content(sitting.installation) if sitting.installation else None
    if content is None or content.data is None:
        return {}
    try:
        found: object = YAML(typ="safe", pure=True).load(content.data)  # pyright: ignore[reportUnknownMemberType]
    except (YAMLError, ValueError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
