"""Keras 3 models whose weights bear Magenta's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

ops: Any = keras.ops  # whose stubs know too little of what it returns


class NamedWeightsModel(keras.Model):
    """A model that takes and gives its weights by name.

    Attributes:
        by_name: variables by their names in Magenta's spelling; zero until `set_by_name`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.by_name = {}

    def add_by_name(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Add variables of these names and shapes."""
        for name, shape in shapes.items():
            self.by_name[name] = self.add_weight(shape=shape, initializer="zeros", name=name.replace("/", "."))

    def set_by_name(self, weights: Mapping[str, np.ndarray]) -> None:
        """Take weights by their names."""
        for name, variable in self.by_name.items():
            variable.assign(weights[name])

    def get_by_name(self) -> dict[str, np.ndarray]:
        """Float32 weights by their names."""
        return {name: np.asarray(ops.convert_to_numpy(variable)) for name, variable in self.by_name.items()}
