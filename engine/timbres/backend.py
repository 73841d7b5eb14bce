# pyright: strict
"""TensorFlow: imported when a network is loaded, and lightly; and whether there is a GPU for it, before that."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.errors import PerpetuumError

_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}
_WITHOUT_KERAS = {"TF_USE_LEGACY_KERAS": "1", "KERAS_HOME": str(Path(os.devnull) / "keras")}
"""TensorFlow imports Keras 3 with all that Keras can wrap, scikit-learn and pandas among it: 140 MB and half of the
time of the import, for nothing that is used here. Where the old Keras is asked for, it looks for that alone. The part
of it that TensorFlow still has writes its defaults into the home folder; there is no such place as this one."""
_DEVICES = Path("/dev")
_SHOWN = (*"0123456789", "gpu-", "mig-")
"""What the name of a GPU begins with in `CUDA_VISIBLE_DEVICES`."""
_M_ARENA_MAX = -8
"""glibc's number of the setting, as in its `malloc.h`."""


def has_gpu_device() -> bool:
    """Whether this process may find a GPU of Nvidia, which TensorFlow alone can tell for sure: there is a device, and
    `CUDA_VISIBLE_DEVICES` does not hide all of them. Imports nothing."""
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    # CUDA counts up to the first that is none.
    if shown is not None and not shown.strip().lower().startswith(_SHOWN):
        return False
    return any(_DEVICES.glob("nvidia[0-9]*")) or (_DEVICES / "dxg").exists()  # which is WSL's


def tensorflow(who: str = "GANSynth") -> ModuleType:
    """The module `tensorflow`; the first call also tells glibc to keep memory in one place, not one for each thread.

    On a GPU it takes memory as it needs it, so that others share the card, and rounds no factors of products (TF32):
    what it computes is what a processor does, within float32.

    Args:
        who: needs it, for the message.

    Raises:
        PerpetuumError: it is not installed.
    """
    _allocate_in_one_place()
    before = {name: os.environ.get(name) for name in (*_QUIET, *_WITHOUT_KERAS)}
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    os.environ.update(_WITHOUT_KERAS)
    try:
        import tensorflow as imported
    except ImportError as error:
        raise PerpetuumError(
            f"{who} needs TensorFlow, which cannot be imported ({error})",
            "Install it: pip install 'tensorflow-cpu>=2.20,<2.22' (on ARM and with a GPU: tensorflow).",
        ) from error
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    tf: Any = imported
    for gpu in tf.config.list_physical_devices("GPU"):
        with suppress(RuntimeError, ValueError):  # it has begun, as it was told the first time
            tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.experimental.enable_tensor_float_32_execution(False)
    return tf


def _allocate_in_one_place() -> None:
    """Images of up to 17 MB wander from thread to thread, and what one of them let go no other thread could take: 80 MB
    of 740 lay idle. A network allocates seldom, so that the threads do not wait for each other."""
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library
        return
    set_option(_M_ARENA_MAX, 1)
