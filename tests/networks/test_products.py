"""Products of a few vectors with a big matrix."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from engine.networks import products
from engine.networks.products import Product, in_panels, multiplied, panel_product, quick_count, two_threads
from engine.networks.threads import allowed_threads, close_threads, one_thread


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


@pytest.mark.parametrize("shape", [(7, 1024), (512, 640), (4097, 128), (1024, 90)])
@pytest.mark.parametrize("rows", [1, 2, 8, 17, 200])
def test_products_that_are_made_once_are_the_same(shape, rows):
    rng = np.random.default_rng(rows)
    matrix, x = (rng.standard_normal(size).astype(np.float32) for size in (shape, (rows, shape[0])))
    assert np.allclose(multiplied(x, matrix), x.astype(np.float64) @ matrix, rtol=0, atol=2e-3)


@pytest.mark.parametrize("rows", [1, 3, 20])
def test_a_product_in_a_place_takes_what_lies_there(rows):
    product = Product(np.random.default_rng(1).standard_normal((512, 1024)).astype(np.float32))
    vectors, out = np.zeros((rows, 512), np.float32), np.empty((rows, 1024), np.float32)
    multiply = product.between(out, vectors)
    for value in (1.0, 2.0):
        vectors[:] = value
        multiply()
        assert np.allclose(out, value * product.matrix.sum(axis=0), rtol=0, atol=2e-3)


def test_one_vector_needs_no_copy_of_the_matrix():
    product = Product(np.ones((512, 4096), np.float32))
    product.into(np.empty((1, 4096), np.float32), np.ones((1, 512), np.float32))
    assert product._panels is None


def test_every_count_of_vectors_takes_the_same_copy():
    product = Product(np.ones((2048, 4096), np.float32))
    for count in (3, 20):
        product.into(np.empty((count, 4096), np.float32), np.ones((count, 2048), np.float32))
    few, many = product._cuts[3], product._cuts[20]
    assert few is not None
    assert many is not None
    assert few[0].shape != many[0].shape
    assert np.shares_memory(few[0], many[0])


@pytest.mark.parametrize("rows", [1, 3, 20])
def test_two_threads_give_the_same_numbers_as_one(rows, monkeypatch):
    monkeypatch.setattr(products, "allowed_threads", lambda: 2)
    rng = np.random.default_rng(1)
    matrix, x = (rng.standard_normal(size).astype(np.float32) for size in ((1024, 4096), (rows, 1024)))
    product, one, two = Product(matrix), np.empty((rows, 4096), np.float32), np.empty((rows, 4096), np.float32)
    with one_thread():
        product.into(one, x)
    with two_threads():
        assert products._second is not None
        product.into(two, x)
    assert products._second is None
    assert np.array_equal(one, two)


def test_where_one_thread_is_allowed_there_is_no_second():
    with one_thread():
        assert allowed_threads() == 1
        with two_threads():
            assert products._second is None


@pytest.mark.parametrize("shape", [(256, 1024), (256, 1114), (256, 1536), (256, 2048), (512, 1024)])
def test_close_threads_give_one_vector_the_same_numbers_as_one(shape):
    rng = np.random.default_rng(3)
    matrix, x = (rng.standard_normal(size).astype(np.float32) for size in (shape, (1, shape[0])))
    product, made = Product(matrix), []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"), close_threads():
            assert allowed_threads() == threads
            made.append(product.into(np.empty((1, shape[1]), np.float32), x))
    assert np.array_equal(made[0], made[1])


@pytest.mark.parametrize("kernels", ["SkylakeX", "Haswell", ""])
@pytest.mark.parametrize("shape", [(300, 128), (2048, 256), (15872, 64), (24, 20)])
@pytest.mark.parametrize("rows", [1, 2, 8, 31, 128])
def test_a_matrix_in_panels_alone_gives_the_same_products(shape, rows, kernels, monkeypatch):
    monkeypatch.setattr(products, "blas_kernels", lambda: kernels)
    rng = np.random.default_rng(rows)
    matrix, x = (rng.standard_normal(size).astype(np.float32) for size in (shape, (rows, shape[0])))
    panels = np.ascontiguousarray(in_panels(matrix))
    assert (len(panels) > 1) == (kernels == "SkylakeX" and shape[1] in (128, 256))
    # As parts of wider rows, which is how what layers give lies side by side.
    vectors, out = np.zeros((rows, 2, shape[0]), np.float32), np.full((rows, 2, shape[1]), np.nan, np.float32)
    multiply = panel_product(panels, out[:, 1], vectors[:, 0])
    vectors[:, 0] = x
    multiply()
    assert np.allclose(out[:, 1], x.astype(np.float64) @ matrix, rtol=0, atol=2e-3)
    assert np.isnan(out[:, 0]).all()


def test_one_vector_comes_with_another_where_two_are_quicker(monkeypatch):
    for kernels, counts in (("SkylakeX", [2, 2, 3]), ("Haswell", [1, 2, 3])):
        monkeypatch.setattr(products, "blas_kernels", lambda kernels=kernels: kernels)
        assert [quick_count(count) for count in (1, 2, 3)] == counts
