"""A stand-in for a reader of files, which may misbehave."""

from __future__ import annotations

import os
import signal
import time


def behave(job: str) -> str:
    """Do what the job says to the process that does it; else give it in capitals."""
    if job == "hang":
        while True:
            pass
    if job == "sleep":
        time.sleep(1000)
    if job == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if job == "gorge":
        try:
            return str(len(bytearray(64 << 30)))
        except MemoryError:
            return "no memory"
    return job.upper()
