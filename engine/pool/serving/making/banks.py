# pyright: strict
"""Banks of notes out of requests: what a replica does besides phrases."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from engine.errors import PerpetuumError
from engine.pool.serving.making.makers import JobOutcome
from engine.pool.wire.timbres import read_timbre, write_bank

log = logging.getLogger(__name__)


def make_bank(body: bytes, checkpoints: Sequence[str]) -> JobOutcome:
    """Make a bank; what cannot be made is an outcome, too. From any thread, one at a time.

    Args:
        body: of a request that has been checked.
        checkpoints: folders that this machine has.
    """
    began = time.monotonic()
    try:
        read = read_timbre(body, [Path(one) for one in checkpoints])
        with tempfile.TemporaryDirectory(prefix="bank-") as place:
            folder = Path(place) / "bank"
            read.kind.make(read.settings, folder)
            return JobOutcome(write_bank(read.digest, folder, time.monotonic() - began))
    except PerpetuumError as error:
        return JobOutcome(b"", error.message)
    except Exception as error:  # a plug-in's timbre, or a full disk
        log.exception("a bank could not be made")
        return JobOutcome(b"", repr(error)[:500])
