"""Curves of a training for TensorBoard, written without TensorFlow."""

from __future__ import annotations

import importlib
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.output_file import output_folder

FOLDER = "tensorboard"
"""Where they lie in a run's folder."""
_TAGS = {
    "train_loss": "loss/training",
    "held_out_loss": "loss/held_out",
    "nll": "loss/reconstruction",
    "kl": "kl",
    "accuracy": "accuracy",
    "learning_rate": "learning_rate",
}
_BATCHES_BETWEEN = 20


class EventFile:
    """A watcher that writes losses, accuracy, KL divergence and learning rate as scalars; see `Watcher`.

    TensorBoard reads all files of a folder; one that begins after others makes what they say of later batches void, so
    a resumed training shows one line. Needs the package `tensorboard`, and only its formats: its own writer would
    import TensorFlow where that is installed.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER
        self._file: Any = None
        self._formats: Any = None
        self._losses: list[float] = []

    def begun(self, step: int, total: int) -> None:
        """See `Watcher.begun`."""
        from tensorboard.summary.writer.record_writer import RecordWriter

        output_folder(self.folder)
        name = f"events.out.tfevents.{time.time_ns() // 10**9:010d}.{socket.gethostname()}.{time.time_ns()}"
        self._file = RecordWriter((self.folder / name).open("xb"))
        self._formats = importlib.import_module("tensorboard.compat.proto.event_pb2")
        self._write(file_version="brain.Event:2")
        if step:
            self._write(step=step + 1, session_log={"status": self._formats.SessionLog.START})

    def trained(self, step: int, loss: float, events: float) -> None:
        """See `Watcher.trained`."""
        self._losses.append(loss)
        if step % _BATCHES_BETWEEN == 0:
            self._scalars(step, {"loss/batches": sum(self._losses) / len(self._losses)})
            self._losses = []

    def judged(self, line: Mapping[str, Any]) -> None:
        """See `Watcher.judged`."""
        self._scalars(line["step"], {tag: line[name] for name, tag in _TAGS.items() if name in line})

    def said(self, text: str) -> None:
        """See `Watcher.said`; curves say nothing."""

    def ended(self) -> None:
        """See `Watcher.ended`."""
        if self._file is not None:
            self._file.close()

    def _scalars(self, step: int, values: Mapping[str, float]) -> None:
        rows = [{"tag": tag, "simple_value": value} for tag, value in values.items()]
        self._write(step=step, summary={"value": rows})

    def _write(self, **event: Any) -> None:
        self._file.write(self._formats.Event(wall_time=time.time(), **event).SerializeToString())
        self._file.flush()
