"""Neighbours found block by block are those of all pairs at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.features import neighbours
from pt4al.features.neighbours import nearest


def of_all_pairs(features: np.ndarray, number: int) -> np.ndarray:
    units = features / np.linalg.norm(features, axis=1, keepdims=True)
    likeness = units @ units.T
    np.fill_diagonal(likeness, -np.inf)
    return np.argsort(-likeness, axis=1, kind="stable")[:, : min(number, len(features) - 1)]


@given(images=st.integers(2, 40), number=st.integers(1, 45), block=st.integers(1, 45), seed=st.integers(0, 99))
def test_neighbours_by_blocks_are_those_of_all_pairs(images, number, block, seed):
    features = np.random.default_rng(seed).normal(size=(images, 6))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(neighbours, "BLOCK", block)
        found = nearest(features.astype(np.float32), number)
    np.testing.assert_array_equal(found, of_all_pairs(features, number))


def test_of_equally_near_images_the_first_are_neighbours(monkeypatch):
    features = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    expected = of_all_pairs(features, 5)
    for block in (12, 5, 1):
        monkeypatch.setattr(neighbours, "BLOCK", block)
        np.testing.assert_array_equal(nearest(features, 5), expected)


def test_mapped_features_are_compared_without_reading_them_all(tmp_path, monkeypatch):
    features = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float16)
    np.save(tmp_path / "features.npy", features)
    monkeypatch.setattr(neighbours, "BLOCK", 8)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    np.testing.assert_array_equal(nearest(mapped), of_all_pairs(features.astype(np.float64), 10))
