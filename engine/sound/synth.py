"""pyo, loaded fast and silently: `from engine.sound.synth import pyo`.

`import pyo` reads 97 000 lines of head-related impulse responses, opens GUI toolkits and prints banners. The sound
needs a few of its modules, so only these are loaded, into a stand-in for the package whose `__init__` would load all.
The double-precision build is taken where there is one; DESIGN.md says why.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import importlib.util
import io
import os
import sys
from types import ModuleType
from typing import Any

import numpy as np

from engine.score.time import SAMPLE_RATE
from engine.sound.build import has_double, pyo_folders
from engine.sound.messages import BLOCK

_MODULES = (
    "_core",
    "generators",
    "filters",
    "effects",
    "arithmetic",
    "tables",
    "tableprocess",
    "controls",
    "midi",
    "utils",
    "server",
)


def _load() -> tuple[Any, bool]:
    spec = importlib.util.find_spec("pyo")
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("pyo is not installed")
    double = has_double(pyo_folders())
    os.environ["PYO_GUI_WX"] = "0"
    package = ModuleType("pyo")
    package.__path__ = list(spec.submodule_search_locations)
    package.__spec__ = spec
    package.__file__ = spec.origin
    sys.modules["pyo"] = package
    if double:
        builtins.pyo_use_double = True  # pyright: ignore[reportAttributeAccessIssue]
    tkinter = sys.modules.get("tkinter")
    sys.modules["tkinter"] = None  # pyright: ignore[reportArgumentType]
    names = ModuleType("engine.sound.synth.pyo")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            for module in _MODULES:
                loaded = importlib.import_module(f"pyo.lib.{module}")
                names.__dict__.update({k: v for k, v in vars(loaded).items() if not k.startswith("__")})
    finally:
        if tkinter is None:
            del sys.modules["tkinter"]
        else:
            sys.modules["tkinter"] = tkinter
    return names, double


pyo, DOUBLE = _load()
"""The names of pyo that the sound uses, and whether it is the double-precision build."""


def boot(channels: int, seed: int, frame: int = 0) -> Any:
    """A booted server in manual mode: `process()` computes one block. Objects made from now on belong to it.

    Args:
        channels: of its output.
        seed: of everything random in the graph.
        frame: of the performance with which its sound begins.
    """
    _Begun.frame = frame
    server = pyo.Server(sr=SAMPLE_RATE, nchnls=channels, buffersize=BLOCK, duplex=0, audio="manual")
    server.setVerbosity(0)
    server.boot()
    server.setGlobalSeed(1 + seed % 2_000_000_000)
    server.start()
    _servers.append(server)
    # The server fades itself in over its first blocks.
    run(_FADE_IN_BLOCKS)
    return server


class _Begun:
    """With which frame of the performance the sound of this process begins."""

    frame = 0


def lfo(rate: float, phase: float = 0.0, **scale: Any) -> Any:
    """A low-frequency oscillator, a sine: it stands where it would if it had swung since frame 0, in whatever process.

    Args:
        rate: Hz.
        phase: at frame 0, 0..1.
        scale: `mul` and `add`.
    """
    return pyo.Sine(rate, phase=(phase + rate * _Begun.frame / SAMPLE_RATE) % 1.0, **scale)


_FADE_IN_BLOCKS = 20

_servers: list[Any] = []


def run(blocks: int) -> None:
    """Let the graph run before the music begins."""
    for _ in range(blocks):
        _servers[-1].process()


class BlockBus:
    """A signal written by numpy, one block at a time: exact to the sample.

    Attributes:
        table: array [BLOCK] that the graph plays in every block, until it is written anew.
        signal: the pyo object that plays it.
    """

    def __init__(self, fill: float = 0.0) -> None:
        self._table = pyo.DataTable(BLOCK)
        self.signal = pyo.TableScan(self._table)
        self.table = np.asarray(self._table.getBuffer())
        self.table[:] = fill


def wavetable(samples: np.ndarray) -> Any:
    """A pyo table of an array [n] of float, with its guard point."""
    return pyo.DataTable(len(samples), init=samples.tolist())


def starters(objects: list[Any]) -> list[Any]:
    """The parts of pyo objects that can be played and stopped one by one, cheaper than through their wrappers.

    With an object comes the fader that pyo puts before its input; it would go on computing alone.
    """
    bases = []
    for one in objects:
        fader = getattr(one, "_in_fader", None)
        bases += fader.getBaseObjects() if fader is not None else []
        bases += one.getBaseObjects()
    return bases
