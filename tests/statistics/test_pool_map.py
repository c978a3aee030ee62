"""A pool's features become two dimensions: those of a reference, in blocks or at once, the same each time."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.errors import InputError
from pt4al.statistics.pool_map import LARGEST, pool_map, principal, quantised, require


def made_up(number: int = 300, width: int = 12, seed: int = 0) -> np.ndarray:
    """Vectors that spread differently in each direction, far from the origin."""
    rng = np.random.default_rng(seed)
    turned = np.linalg.qr(rng.normal(size=(width, width)))[0]
    vectors = rng.normal(size=(number, width)) * np.geomspace(3, 0.3, width) @ turned + 20
    return vectors.astype(np.float16)


def by_svd(vectors: np.ndarray) -> np.ndarray:
    centred = vectors.astype(float) - vectors.astype(float).mean(0)
    left, strengths, _ = np.linalg.svd(centred, full_matrices=False)
    return (left * strengths)[:, :2]


class Counted:
    """An array that notes how many rows were read at once."""

    def __init__(self, array: np.ndarray):
        self.array, self.shape, self.most = array, array.shape, 0

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, which: object) -> np.ndarray:
        rows = self.array[which]
        self.most = max(self.most, len(rows))
        return rows


@pytest.mark.parametrize("shape", [(300, 12), (8, 40), (50, 2)])
def test_components_are_those_of_a_singular_value_decomposition_up_to_sign(shape: tuple[int, int]) -> None:
    vectors = made_up(*shape)
    ours, reference = principal(vectors), by_svd(vectors)
    for axis in range(2):
        sign = np.sign(ours[:, axis] @ reference[:, axis])
        np.testing.assert_allclose(sign * ours[:, axis], reference[:, axis], atol=2e-3)


@given(block=st.integers(1, 400))
def test_blocks_of_any_size_give_the_same_map(block: int) -> None:
    vectors = made_up()
    whole = quantised(principal(vectors, block=300)).astype(int)
    assert np.abs(quantised(principal(vectors, block=block)) - whole).max() <= 8  # of 65,536: rounding


def test_no_more_than_a_block_is_read_at_once() -> None:
    vectors = Counted(made_up())
    principal(vectors, block=64)
    assert vectors.most == 64


def test_axes_of_a_large_pool_come_from_some_of_it_and_all_of_it_is_projected() -> None:
    vectors = made_up(4000)
    some, every = principal(vectors, fitted=1000), principal(vectors)
    assert some.shape == (4000, 2)
    for axis in range(2):
        assert abs(np.corrcoef(some[:, axis], every[:, axis])[0, 1]) > 0.97


def test_the_same_features_give_the_same_map_and_mirrored_ones_its_mirror_image() -> None:
    vectors = made_up()
    first, again = (pool_map(vectors, "pca", np.random.default_rng(seed)) for seed in (0, 1))
    assert np.array_equal(first, again)
    weights = np.linalg.lstsq(vectors - vectors.mean(0, dtype=float), principal(vectors), rcond=None)[0]
    assert (weights[np.abs(weights).argmax(0), [0, 1]] > 0).all()


@pytest.mark.parametrize("vectors", [np.ones((5, 3)), np.ones((1, 3)), np.arange(4.0)[:, None], np.empty((0, 3))])
def test_pools_that_spread_in_fewer_directions_have_a_map_too(vectors: np.ndarray) -> None:
    mapped = pool_map(vectors.astype(np.float16), "pca", np.random.default_rng(0))
    assert mapped.shape == (len(vectors), 2)
    assert mapped.dtype == np.uint16
    if vectors.shape == (4, 1):
        assert np.array_equal(np.sort(mapped[:, 0]), [0, 21845, 43690, 65535])


def test_both_axes_have_one_scale() -> None:
    mapped = quantised(np.array([[0.0, 0.0], [4.0, 1.0], [2.0, 0.5]])).astype(int)
    assert (mapped[1] - mapped[0]).tolist() == pytest.approx([LARGEST, LARGEST / 4], abs=1)
    assert mapped[:, 1].min() + mapped[:, 1].max() == pytest.approx(LARGEST, abs=1)


@pytest.mark.skipif(importlib.util.find_spec("umap") is not None, reason="it is installed")
def test_what_umap_needs_is_told_where_it_is_missing() -> None:
    with pytest.raises(InputError, match=r"report.map: umap.*pip install 'pt4al\[umap\]'"):
        require("umap")
    require("pca")
    require("none")


def test_umap_keeps_apart_what_lies_apart() -> None:
    pytest.importorskip("umap")
    vectors = np.concatenate([made_up(60, 12), made_up(60, 12) + 60])
    mapped = [pool_map(vectors, "umap", np.random.default_rng(0)) for _ in range(2)]
    assert np.array_equal(*mapped)
    centres = mapped[0].reshape(2, 60, 2).astype(float).mean(1)
    spread = mapped[0].reshape(2, 60, 2).astype(float).std(1).mean()
    assert np.linalg.norm(centres[0] - centres[1]) > 2 * spread
