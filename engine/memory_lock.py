# pyright: strict
"""Memory that stays: what a process has touched is neither paged out nor read from the disk again.

A spare that waits for weeks is cold. On a machine that wants memory its pages go, those of its libraries first, and
when it takes over it reads them from an SD card while the pipe runs dry.
"""

from __future__ import annotations

import ctypes
import resource
from contextlib import suppress
from pathlib import Path

_CURRENT, _FUTURE, _ON_FAULT = 1, 2, 4
"""As in Linux' `mman.h`: what there is, what will be, and of both only what is touched."""

_CAP_IPC_LOCK = 14
"""Bit of the capability that knows no limit (capabilities(7))."""


def lock_memory() -> bool:
    """Keep in memory all that this process touches from now on; whether that is so.

    Only where there is no limit on it (RLIMIT_MEMLOCK): under one, whoever asks for memory later would be refused it.
    """
    if not may_lock_memory():
        return False
    try:
        with suppress(OSError, ValueError):
            _, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))
        libc = ctypes.CDLL(None, use_errno=True)
        # Pages that were touched before are locked with what there is; nothing is read for that.
        return libc.mlockall(_CURRENT | _FUTURE | _ON_FAULT) == 0
    except (OSError, AttributeError):
        return False


def may_lock_memory() -> bool:
    """Whether this process, and whatever it starts, may keep as much in memory as it wants."""
    with suppress(OSError, ValueError, IndexError):
        effective = Path("/proc/self/status").read_text().split("CapEff:")[1].split()[0]
        if int(effective, 16) >> _CAP_IPC_LOCK & 1:
            return True
    return resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] == resource.RLIM_INFINITY
