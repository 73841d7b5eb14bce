# pyright: strict
"""Whether the clock on the wall knows what time it is."""

from __future__ import annotations

from datetime import datetime

FIRST_YEAR = 2025
"""A clock that shows an earlier one knows nothing: there is no battery, and no network has told it yet."""


def known(moment: datetime) -> bool:
    """Whether a clock that shows a moment can know the time."""
    return moment.year >= FIRST_YEAR
