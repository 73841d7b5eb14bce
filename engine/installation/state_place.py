# pyright: strict
"""Where an installation remembers, if its file does not say."""

from __future__ import annotations

import os
from pathlib import Path


def default_state(name: str) -> Path:
    """The folder of what an installation remembers, where it does not say: systemd's, or the user's.

    Args:
        name: of the installation: its file's, without the ending.
    """
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given).absolute()
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local/state") / "perpetuum" / name
