"""Made-up pictures, and a small network that looks at them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pt4al.features import scoring, writing
from pt4al.features.backbones import Backbone
from pt4al.features.store import compute
from pt4al.features.vectors import Features, open_features
from pt4al.images import parallel
from pt4al.images.collection import Collection
from support import features
from support.hardware import HARDWARE
from support.training import fashion, make_network, make_pool, make_schedule

__all__ = ["fashion", "make_network", "make_pool", "make_schedule"]


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    """Twenty RGB pictures, (N, height, width, 3)."""
    return np.random.default_rng(0).integers(0, 256, (20, features.SIDE, features.SIDE, 3), np.uint8)


@pytest.fixture(scope="session")
def collect() -> Callable[..., Collection]:
    return features.album


@pytest.fixture(scope="session")
def make_backbone() -> Callable[..., Backbone]:
    return features.small_backbone


@pytest.fixture(scope="session")
def backbone() -> Backbone:
    return features.small_backbone()


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "FEWEST", None)  # so that all are put back
    monkeypatch.setattr(scoring, "PIXELS", None)
    monkeypatch.setattr(parallel, "AHEAD", None)
    features.small_shards()


@pytest.fixture
def make_features(tmp_path: Path, collect, backbone) -> Callable[..., Features]:
    """Compute the features of pictures in `folder` and open them."""

    def make(
        pictures: list,
        ids: list[str] | None = None,
        folder: str = "features",
        previous: str | None = None,
        network: Backbone = backbone,
        **more: object,
    ) -> Features:
        older = None if previous is None else tmp_path / previous
        collection = collect(pictures, ids)
        compute(collection, collection.index["id"], network, tmp_path / folder, HARDWARE, older, **more)
        return open_features(tmp_path / folder)

    return make
