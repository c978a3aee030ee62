"""Small collections of made-up pictures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pt4al.images.building import build
from pt4al.images.collection import Collection
from pt4al.images.pool import ImagePool, open_pool
from support.pictures import recipe


@pytest.fixture
def pixels() -> np.ndarray:
    """Ten RGB pictures, (N, height, width, 3)."""
    return np.random.default_rng(0).integers(0, 256, (10, 8, 12, 3), np.uint8)


@pytest.fixture
def collect() -> Callable[..., Collection]:
    """Make a collection of pictures (arrays or encoded bytes), labelled a, b, a, b ..."""

    def make(pictures: list, ids: list[str] | None = None, stamps: list[str] | None = None) -> Collection:
        rows = range(len(pictures))
        index = pd.DataFrame(
            {
                "id": pd.Series(ids or [f"picture {row}" for row in rows], dtype="str"),
                "source": "album",
                "split": pd.Series(["train"] * len(pictures), dtype="str"),
                "stamp": pd.Series(stamps or ["1"] * len(pictures), dtype="str"),
                "label": pd.Series(["ab"[row % 2] for row in rows], dtype="str"),
            }
        )
        return Collection(index, ["a", "b"], lambda wanted: (pictures[row] for row in wanted))

    return make


@pytest.fixture
def make_pool(tmp_path: Path, collect: Callable[..., Collection]) -> Callable[..., ImagePool]:
    """Build a pool of pictures in `folder` and open it."""

    def make(
        pictures: list,
        ids: list[str] | None = None,
        folder: str = "pool",
        previous: str | None = None,
        **changes: object,
    ) -> ImagePool:
        older = None if previous is None else tmp_path / previous
        build(collect(pictures, ids), tmp_path / folder, recipe(**changes), older)
        return open_pool(tmp_path / folder)

    return make
