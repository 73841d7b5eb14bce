"""The benchmark command: what it reckons with, and that a run works from end to end."""

import json
import subprocess
import sys
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from benchmarks.__main__ import put_between_marks
from benchmarks.measure import Result, Side
from benchmarks.roofline import Machine, Work, work
from benchmarks.subjects import SUBJECTS, made_up_weights
from engine.networks import CONFIGS

ROOT = Path(__file__).parents[2]
BY_NAME = {subject.name: subject for subject in SUBJECTS}


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_subjects_have_the_shapes_of_their_config(subject):
    sizes = CONFIGS[subject.config].sizes(subject.shapes)
    if subject.network.startswith("drum_kit"):
        assert sizes == {"layers": [256, 256, 256], "attention": subject.variant or "inner"}


def test_a_step_of_basic_rnn_reads_its_recurrent_weights_and_no_rows_of_silent_inputs():
    least = work(BY_NAME["basic_rnn"].shapes, steps=10, rows=10)
    numbers = 128 * 512 + 256 * 512 + 128 * 38
    assert least == Work(4 * numbers, 40 * numbers, 20 * numbers)


def test_attention_is_folded_into_the_kernel_after_it():
    least = work(BY_NAME["drum_kit"].shapes, steps=1, rows=1)
    layers, attention, outputs = 3 * 512 * 1024, (512 + 512 + 256) * 256, 256 * 512
    assert least.bytes == 4 * (layers + attention + outputs)


def test_a_batch_reads_weights_once_and_multiplies_for_each_sequence():
    one, many = (work(BY_NAME["drum_kit"].shapes, steps=16, rows=16 * batch) for batch in (1, 32))
    assert many.bytes == one.bytes
    assert many.operations == 32 * one.operations


def test_the_encoder_is_no_part_of_decoding():
    shapes = BY_NAME["mel_2bar_big x1"].shapes
    assert work(shapes, 1, 1).bytes == 4 * (2048 * 8192 + 2 * 4096 * 8192 + 2048 * 90)


def test_the_roof_is_the_slower_of_reading_and_reckoning():
    machine = Machine(cores=1)
    reading, reckoning = Work(4_000_000, 400_000_000, 1), Work(4_000_000, 1, 10**9)
    assert machine.seconds(reading) == pytest.approx(400_000_000 / machine.bandwidth(4_000_000))
    assert machine.seconds(reckoning) == pytest.approx(10**9 / machine.rate())


def test_the_ratio_is_of_steps_per_second_and_sequence():
    candidates = BY_NAME["drum_kit, 32 candidates"]
    ours, original = Side(calls=[0.08], steps=16), Side(calls=[0.04, 0.06, 0.05], steps=16)
    result = Result(candidates, ours, original, 0.04, 1e9, 1, "memory")
    assert result.ratio() == pytest.approx(0.05 / (0.08 / 32))
    assert result.ratio("best") == pytest.approx(0.04 / (0.08 / 32))
    assert result.share == pytest.approx(0.5)
    assert result.aim_met


def test_made_up_weights_are_those_of_the_reference_run():
    biases = np.random.RandomState(crc32(b"fully_connected/biases")).randn(259) * 0.3
    biases[2] += 5
    made = made_up_weights(BY_NAME["polyphony"])["fully_connected/biases"]
    np.testing.assert_allclose(made, biases, rtol=1e-6)


def test_tables_go_between_the_marks_of_a_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nafter\n", "utf-8")
    put_between_marks(page, "new\n")
    assert page.read_text("utf-8") == "before\n<!-- measured: begin -->\n\nnew\n\n<!-- measured: end -->\nafter\n"


def test_a_run_measures_and_writes_what_it_measured(tmp_path):
    out = tmp_path / "out.json"
    command = [sys.executable, "-m", "benchmarks", "--only", "basic_rnn", "--rounds", "1", "--json", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(out.read_text("utf-8"))["results"]
    assert result["ours"]["steps"] == 128
    assert result["ours"]["fed"] == 159  # 32 of the primer, and all new ones but the last
    assert result["ours"]["calls"]
    assert result["original"] is None
