# pyright: strict
"""TensorFlow: imported when a network is loaded, and lightly."""

from __future__ import annotations

import ctypes
import os
from types import ModuleType

from engine.errors import PerpetuumError

_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}
_WITHOUT_KERAS = {"TF_USE_LEGACY_KERAS": "1"}
"""TensorFlow imports Keras 3 with all that Keras can wrap, scikit-learn and pandas among it: 140 MB and half of the
time of the import, for nothing that is used here. Where the old Keras is asked for, it looks for that alone."""
_M_ARENA_MAX = -8
"""glibc's number of the setting, as in its `malloc.h`."""


def tensorflow() -> ModuleType:
    """The module `tensorflow`; the first call also tells glibc to keep memory in one place, not one for each thread.

    Raises:
        PerpetuumError: it is not installed.
    """
    _allocate_in_one_place()
    before = {name: os.environ.get(name) for name in (*_QUIET, *_WITHOUT_KERAS)}
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    os.environ.update(_WITHOUT_KERAS)
    try:
        import tensorflow
    except ImportError as error:
        raise PerpetuumError(
            f"GANSynth needs TensorFlow, which cannot be imported ({error})",
            "Install it: pip install 'tensorflow-cpu>=2.20,<2.22' (on ARM and with a GPU: tensorflow).",
        ) from error
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    return tensorflow


def _allocate_in_one_place() -> None:
    """Images of up to 17 MB wander from thread to thread, and what one of them let go no other thread could take: 80 MB
    of 740 lay idle. A network allocates seldom, so that the threads do not wait for each other."""
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library
        return
    set_option(_M_ARENA_MAX, 1)
