"""What this machine trains with: the Keras backend, its threads, its memory, and how many excerpts fit a batch."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from engine.errors import PerpetuumError
from engine.networks.chorale.configs import ChoraleConfig
from engine.networks.chorale.encoding import COLUMNS
from engine.networks.chorale.layout import VIEWS, ChoraleLayout
from engine.networks.configs import CONFIGS
from engine.networks.ensemble import encoding as ensemble
from engine.networks.ensemble.configs import EnsembleConfig

BACKENDS = ("tensorflow", "jax")
_SHARE = 0.25
"""Of the free memory that a batch may take: optimizers, compilers and other programs want some too."""
_KEPT = 24
"""Numbers that training keeps per unit and step of an LSTM: gates, states, their gradients, what dropout dropped."""
_MANY = 4000
"""Excerpts from which on larger batches pay on a CPU: below, 16 learn as much from 1.2 times the time (measured)."""
_UNKNOWN = 2 * 2**30
"""Bytes of free memory on systems that do not tell."""


def choose_backend() -> str:
    """The Keras backend to train with, put into the environment; before anything imports Keras.

    Returns:
        What `KERAS_BACKEND` says, or else the first of `BACKENDS` that is installed.

    Raises:
        PerpetuumError: none is, or another one is asked for.
    """
    asked = os.environ.get("KERAS_BACKEND")
    if asked and asked not in BACKENDS:
        raise PerpetuumError(f"KERAS_BACKEND={asked} cannot train", f"Take {' or '.join(BACKENDS)}.")
    found = [name for name in ([asked] if asked else BACKENDS) if find_spec(name)]
    if not found or not find_spec("keras"):
        raise PerpetuumError(
            f"training needs Keras 3 and {asked or 'TensorFlow or JAX'}, which are not installed",
            "Install them with `pip install 'keras>=3.10,<4' jax`; in a checkout, `make training` does it.",
        )
    os.environ["KERAS_BACKEND"] = found[0]
    return found[0]


def use_threads(count: int | None) -> int:
    """Compute on so many CPU threads, None for as many as there are cores; before the backend begins to.

    Returns:
        How many. Sums are rounded in another order with other numbers of threads.
    """
    if os.environ.get("KERAS_BACKEND") == "tensorflow":
        with _no_greetings():
            import tensorflow as tf

            tf.config.list_physical_devices()
        if count is not None:
            tf.config.threading.set_intra_op_parallelism_threads(count)
            tf.config.threading.set_inter_op_parallelism_threads(count)
    elif count is not None:
        multi = "true" if count > 1 else "false"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen={multi}"
    return count or os.cpu_count() or 1


def use_precision(precision: str) -> None:
    """Round the factors of products to bfloat16 or not; before anything is computed.

    Sums stay float32, and so do weights and optimizers. On a processor with such products two bars of an autoencoder
    took 0.31 s a batch instead of 0.50, and the losses were the same to four digits. This is TensorFlow's on CPUs; JAX
    knows no such thing there ("bfloat16" is the name of its default), and computes as ever.
    """
    if os.environ.get("KERAS_BACKEND") == "jax":
        return
    import tensorflow as tf

    options = {"auto_mixed_precision_onednn_bfloat16": precision == "bfloat16"}
    tf.config.optimizer.set_experimental_options(options)


@contextmanager
def _no_greetings() -> Iterator[None]:
    """While TensorFlow's libraries start, what they tell the standard error of their build is lost."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def has_gpu() -> bool:
    """Whether the backend computes on a GPU (or TPU); starts the backend."""
    if os.environ.get("KERAS_BACKEND") == "jax":
        import jax  # pyright: ignore[reportMissingImports]

        return jax.default_backend() != "cpu"
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def free_memory() -> int:
    """Bytes that programs can still take, of the machine or of the group of processes that we are in."""
    free = _UNKNOWN
    if sys.platform == "linux":
        facts = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        free = int(facts["MemAvailable"].split()[0]) * 1024
        limit, used = _number("/sys/fs/cgroup/memory.max"), _number("/sys/fs/cgroup/memory.current")
        if limit is not None and used is not None:
            free = min(free, max(limit - used, 0))
    return free


def _number(path: str) -> int | None:
    """The number in a file of the system; None where there is none."""
    try:
        return int(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def bytes_per_excerpt(config: str, sizes: Mapping[str, object], steps: int) -> int:
    """About how much memory one excerpt of a batch takes in training.

    What the layers keep for the way back, as float32: a model, within a fifth of what TensorFlow took on a CPU for two
    layers of 256 and 256 events of performances (12.4 MB), and for drums with attention (9.4 MB).

    Args:
        config: of the network.
        sizes: of its layers, complete.
        steps: of an excerpt.
    """
    kind = CONFIGS[config]
    if isinstance(kind, ChoraleConfig):
        layers = _units(sizes["layers"])
        # Columns as they are fed, shares of attention and their bias, and what the last layer gives.
        numbers = _KEPT * sum(layers) + COLUMNS + 4 * ChoraleLayout().heads * steps + 3 * VIEWS
    elif isinstance(kind, EnsembleConfig):
        (units,) = _units(sizes["layers"])
        # Columns, what each of the four layers gives and keeps, and the views of a pitch.
        numbers = ensemble.COLUMNS + _KEPT * units + 4 * units + 6 * ensemble.PITCHES
    elif "layers" in sizes:
        layers = _units(sizes["layers"])
        attention = getattr(kind, "attention_length", 0) * layers[0] * 2
        outputs = kind.default_layout(tuple(layers)).output_size  # type: ignore[attr-defined]
        inputs = kind.default_layout(tuple(layers)).input_size  # type: ignore[attr-defined]
        numbers = _KEPT * sum(layers) + attention + 3 * outputs + inputs
    else:
        encoder, decoder = _units(sizes["encoder"]), _units(sizes["decoder"])
        # The encoder goes both ways, and the decoder runs twice where it listens to itself.
        numbers = _KEPT * (2 * sum(encoder) + 2 * sum(decoder)) + 4 * kind.output_size  # type: ignore[attr-defined]
    return 4 * steps * numbers


def _units(value: object) -> list[int]:
    assert isinstance(value, list | tuple)
    return [int(units) for units in value]


def batch_size(per_excerpt: int, excerpts: int, memory: int, gpu: bool) -> int:
    """How many excerpts a batch has where nobody says: a power of two.

    Larger ones make better use of a machine, smaller ones learn more from the same music.

    Args:
        per_excerpt: see `bytes_per_excerpt`.
        excerpts: that lie side by side in the training split.
        memory: free bytes.
        gpu: whether a GPU computes.
    """
    size = 128 if gpu else 32 if excerpts > _MANY else 16
    while size > 8 and size * 8 > excerpts:
        size //= 2
    while size > 1 and size * per_excerpt > _SHARE * memory:
        size //= 2
    return size
