"""Products of a few vectors with a big matrix."""

from __future__ import annotations

import numpy as np
import pytest

from engine.networks.products import Product


@pytest.mark.parametrize(
    "shape", [(7, 1024), (300, 128), (512, 640), (2048, 256), (775, 1024), (1031, 1024), (4097, 128), (1024, 90)]
)
@pytest.mark.parametrize("rows", [1, 2, 3, 8, 16, 17, 32, 40, 200])
def test_products_are_the_same_whichever_way_they_are_made(shape, rows):
    rng = np.random.default_rng(rows)
    matrix, x = (rng.standard_normal(size).astype(np.float32) for size in (shape, (rows, shape[0])))
    out = np.full((rows, shape[1]), np.nan, np.float32)
    product = Product(matrix)
    for _ in range(2):
        assert product.into(out, x) is out
        assert np.allclose(out, x.astype(np.float64) @ matrix, rtol=0, atol=2e-3)


def test_one_vector_needs_no_copy_of_the_matrix():
    product = Product(np.ones((512, 4096), np.float32))
    product.into(np.empty((1, 4096), np.float32), np.ones((1, 512), np.float32))
    assert product._panels is None


def test_every_count_of_vectors_takes_the_same_copy():
    product = Product(np.ones((2048, 4096), np.float32))
    for count in (3, 20):
        product.into(np.empty((count, 4096), np.float32), np.ones((count, 2048), np.float32))
    (first, _), (second, _) = product._pieces[3], product._pieces[20]
    assert first.shape != second.shape
    assert np.shares_memory(first, second)
