"""Whole sequences through an encoding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.networks.contract import Event, EventEncoding


def encode(
    encoding: EventEncoding, events: Sequence[Event], conditions: Any = None, from_start: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """A whole sequence as network inputs and labels.

    Args:
        encoding: the encoding.
        events: T events, in the network's range.
        conditions: what the encoding's own `stream` takes.
        from_start: put the "nothing yet" input in front, so that row t predicts label t; else row t has seen event t,
            and predicts label t + 1.

    Returns:
        Inputs [T (+ 1), input_size] float32 and labels [T] int32, or [T, n] where a label is of n classes. Label t
        stands for event t after events 0..t-1.
    """
    stream = encoding.stream(conditions)
    inputs = [stream.start()] if from_start else []
    labels = []
    for event in events:
        labels.append(stream.label(event))
        inputs.append(stream.push(event))
    shape = (len(inputs), encoding.input_size)
    return np.stack(inputs) if inputs else np.zeros(shape, np.float32), np.array(labels, np.int32)
