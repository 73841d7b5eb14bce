# pyright: strict
"""A wall clock that leaps for some processes alone: a library that is loaded before libc and adds seconds to its time.

What is monotonic is left alone, which libfaketime 0.9.10 does not do: with it no program sleeps by the monotonic clock.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *step;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    real = dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("PERPETUUM_WALL_STEP");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *found = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    if (found != MAP_FAILED) step = found;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (!result && step && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *step;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec found;
    (void)zone;
    int result = clock_gettime(CLOCK_REALTIME, &found);
    if (!result && now) { now->tv_sec = found.tv_sec; now->tv_usec = found.tv_nsec / 1000; }
    return result;
}

time_t time(time_t *now) {
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    if (now) *now = found.tv_sec;
    return found.tv_sec;
}
"""


class WallClockStep:
    """Steps of the wall clock for processes that are started with `environment`.

    Args:
        folder: for the library and the step.
    """

    def __init__(self, folder: Path) -> None:
        self._step = folder / "wall_step"
        self._library = folder / "wall_clock.so"
        self._step.write_bytes(struct.pack("=q", 0))
        source = folder / "wall_clock.c"
        source.write_text(SOURCE)
        self.works = False
        with suppress(OSError, subprocess.TimeoutExpired):
            command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(self._library), str(source), "-ldl"]
            if subprocess.run(command, capture_output=True, timeout=60).returncode == 0:
                self.works = self._proved()

    @property
    def environment(self) -> dict[str, str]:
        """Of processes whose clock leaps."""
        if not self.works:
            return {}
        libraries = filter(None, (os.environ.get("LD_PRELOAD"), str(self._library)))
        return {"LD_PRELOAD": ":".join(libraries), "PERPETUUM_WALL_STEP": str(self._step)}

    def set(self, seconds: int) -> None:
        """Let it show so many seconds more than it is; at once, in all of them."""
        with self._step.open("r+b") as file:
            file.write(struct.pack("=q", seconds))

    def _proved(self) -> bool:
        """Whether another process sees the step in its wall clock, and only there, and can sleep."""
        code = "import time; time.sleep(0.01); print(time.time(), time.monotonic())"
        self.set(86_400)
        environment = {**os.environ, "LD_PRELOAD": str(self._library), "PERPETUUM_WALL_STEP": str(self._step)}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
        self.set(0)
        try:
            wall, monotonic = map(float, done.stdout.split())
        except ValueError:
            return False
        return abs(wall - time.time() - 86_400) < 60 and abs(monotonic - time.monotonic()) < 60
