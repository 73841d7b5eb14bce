"""Facts about trainings that are killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.mark.models
def test_a_training_that_is_killed_anywhere_ends_with_the_same_bytes(tmp_path):
    """SIGKILL between best weights and checkpoint, and in the middle of a file."""
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "tests.training.killing", str(tmp_path)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "peace 0",
        "between 9 0",
        "in checkpoint 9 2",
        "end 0",
    ]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert (whole / "best.npz").read_bytes() == (killed / "best.npz").read_bytes()
    with np.load(whole / "checkpoint.npz") as one, np.load(killed / "checkpoint.npz") as other:
        for name in one.files:
            if name != "state":  # which knows how long it took
                np.testing.assert_array_equal(one[name], other[name], err_msg=name)
