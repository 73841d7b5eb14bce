# pyright: strict
"""TensorFlow: imported when a network is loaded, and lightly."""

from __future__ import annotations

import os
from types import ModuleType

from engine.errors import PerpetuumError

_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}
_WITHOUT_KERAS = {"TF_USE_LEGACY_KERAS": "1"}
"""TensorFlow imports Keras 3 with all that Keras can wrap, scikit-learn and pandas among it: 140 MB and half of the
time of the import, for nothing that is used here. Where the old Keras is asked for, it looks for that alone."""


def tensorflow() -> ModuleType:
    """The module `tensorflow`.

    Raises:
        PerpetuumError: it is not installed.
    """
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
