"""Encodings in files and in the hand: what is mixed, stretched and joined, and what is refused."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import PerpetuumError
from engine.timbres.nsynth.encodings import LONGEST, crossfade, load_encoding, mix, save_encoding, stretch


def ramp(frames: int, to: float = 1.0) -> np.ndarray:
    return np.linspace(0, to, frames, dtype=np.float32)[:, None] * np.arange(1, 17, dtype=np.float32)


def npy(array: np.ndarray, **how) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **how)
    return file.getvalue()


def header(text: str) -> bytes:
    content = text.encode("latin1")
    content += b" " * (-(len(content) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(content).to_bytes(2, "little") + content


def test_what_is_saved_is_what_numpy_reads_and_the_original_takes(tmp_path):
    save_encoding(tmp_path / "a.npy", ramp(7))
    read = np.load(tmp_path / "a.npy")
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, ramp(7))
    np.testing.assert_array_equal(load_encoding(tmp_path / "a.npy"), ramp(7))


@pytest.mark.parametrize(
    "array", [ramp(5)[None], ramp(5).astype("f8"), ramp(5).astype(">f4"), np.asfortranarray(ramp(5))]
)
def test_the_same_numbers_in_another_dress_are_read(tmp_path, array):
    (tmp_path / "a.npy").write_bytes(npy(array))
    np.testing.assert_array_equal(load_encoding(tmp_path / "a.npy"), ramp(5))


HOSTILE = {
    "objects": (npy(np.array([{"a": 1}], object), allow_pickle=True), "Python objects"),
    "a pickle": (pickle.dumps([1, 2]), "no .npy file"),
    "several": (npy(np.zeros((3, 5, 16), "f4")), "3 encodings in one file"),
    "a wave": (npy(np.zeros(64000, "f4")), r"shape is \[64000\]"),
    "not a number": (npy(np.full((2, 16), np.nan, "f4")), "no finite number"),
    "infinite as float32": (npy(np.full((2, 16), 1e300)), "no finite number"),
    "of another scale": (npy(np.full((2, 16), 1e6, "f4")), "largest number"),
    "whole numbers": (npy(np.zeros((2, 16), "i8")), "not real ones"),
    "texts": (npy(np.full((2, 16), "x")), "not real ones"),
    "empty": (b"", "no .npy file"),
    "no frames": (npy(np.zeros((0, 16), "f4")), "0 frames"),
    "too long": (npy(np.zeros((LONGEST + 1, 16), "f2")), "frames"),
    "cut off": (npy(ramp(9))[:-10], "cut off"),
    "more than it says": (npy(ramp(9)) + b"more", "cut off"),
    "a huge claim": (header("{'descr': '<f4', 'fortran_order': False, 'shape': (9000000000000, 16), }"), "frames"),
    "an endless shape": (header("{'descr': '<f4', 'fortran_order': False, 'shape': (" + "1," * 3000 + ")}"), "shape"),
    "deep": (header("(" * 4000), "header"),
    "a long header": (header("{" + " " * 60000), "header"),
    "code": (header("__import__('os').abort()"), "header"),
    "negative": (header("{'descr': '<f4', 'fortran_order': False, 'shape': (-4, 16), }"), "frames"),
    "a record": (header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 16), }"), "not real ones"),
    "an alien type": (header("{'descr': '<z99', 'fortran_order': False, 'shape': (1, 16), }"), "header"),
    "another version": (b"\x93NUMPY\x09\x00" + bytes(60), "version 9.0"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_file_that_is_no_encoding_is_refused_and_said(tmp_path, what):
    content, says = HOSTILE[what]
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(PerpetuumError, match=rf"a\.npy: .*{says}") as refused:
        load_encoding(tmp_path / "a.npy")
    assert len(str(refused.value)) < 500


def test_a_folder_and_a_file_that_is_not_there_are_refused(tmp_path):
    with pytest.raises(PerpetuumError, match="folder"):
        load_encoding(tmp_path)
    with pytest.raises(PerpetuumError, match="No such file"):
        load_encoding(tmp_path / "none.npy")


@given(st.binary(max_size=300))
def test_no_bytes_are_taken_for_an_encoding_by_chance(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "a.npy"
    path.write_bytes(npy(ramp(3))[:60] + content)
    with pytest.raises(PerpetuumError):
        load_encoding(path)


def test_a_mix_is_the_weighted_sum_as_long_as_the_shortest():
    np.testing.assert_allclose(mix([ramp(9), ramp(4, 3.0)], [0.25, 0.5]), 0.25 * ramp(9)[:4] + 0.5 * ramp(4, 3.0))
    with pytest.raises(ValueError, match="1 weights for 2"):
        mix([ramp(3), ramp(3)], [1.0])


def test_stretching_keeps_straight_lines_and_the_ends():
    twice = stretch(ramp(10), 2)
    assert twice.shape == (20, 16)
    steps = np.diff(twice[1:-1, 0])
    np.testing.assert_allclose(steps, steps[0], rtol=1e-4)
    np.testing.assert_allclose(twice[[0, -1]], ramp(10)[[0, -1]])
    np.testing.assert_array_equal(stretch(ramp(10), 1), ramp(10))
    assert len(stretch(ramp(10), 0.25)) == 2
    with pytest.raises(ValueError, match=r"0\.05 times"):
        stretch(ramp(10), 0.05)


def test_a_crossfade_begins_as_the_one_and_ends_as_the_other():
    one, other = np.ones((6, 16), np.float32), np.full((8, 16), 3, np.float32)
    joined = crossfade(one, other, 4)
    assert joined.shape == (10, 16)
    np.testing.assert_allclose(joined[:3, 0], 1)
    np.testing.assert_allclose(joined[6:, 0], 3)
    np.testing.assert_allclose(joined[4, 0], 2)
    assert (np.diff(joined[:, 0]) >= 0).all()
    np.testing.assert_array_equal(crossfade(one, other, 0), np.concatenate([one, other]))
    assert crossfade(one, other).shape == (8, 16)
    with pytest.raises(ValueError, match="cannot share 7"):
        crossfade(one, other, 7)
