"""A pool is written in one place whatever its version: what was interrupted goes on, what exists is linked."""

from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError, Version

from pt4al.features.store import compute
from pt4al.project.datasets.pool import FeaturesDataset, PoolDataset
from support.features import album, small_backbone
from support.hardware import HARDWARE


class Interrupted(Exception):
    pass


def dataset(folder: Path, version: str) -> PoolDataset:
    return PoolDataset(filepath=str(folder / "pool"), version=Version(None, version))


def writer(seen: list, *, fails: bool = False):
    """What writes a pool: a manifest, and before it what an interrupted call leaves."""

    def write(folder: Path, previous: Path | None) -> None:
        folder.mkdir(exist_ok=True)
        seen.append((sorted(path.name for path in folder.iterdir()), previous and previous.parent.name))
        (folder / "half").touch()
        if fails:
            raise Interrupted
        (folder / "pool.json").write_text("{}")

    return write


def test_interrupted_pool_is_found_by_the_next_version_and_by_nobody_else(tmp_path: Path) -> None:
    seen: list = []
    with pytest.raises(DatasetError):
        dataset(tmp_path, "2026-01-01T00.00.00.000Z").save(writer(seen, fails=True))
    assert not dataset(tmp_path, "2026-01-02T00.00.00.000Z").exists()
    dataset(tmp_path, "2026-01-02T00.00.00.000Z").save(writer(seen))
    assert seen == [([], None), (["half"], None)]
    assert dataset(tmp_path, "2026-01-03T00.00.00.000Z").exists()


def test_next_version_is_given_the_newest_one(tmp_path: Path) -> None:
    seen: list = []
    for day in (1, 2, 3):
        dataset(tmp_path, f"2026-01-0{day}T00.00.00.000Z").save(writer(seen))
    assert [previous for _, previous in seen] == [None, "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"]


def test_outdated_pool_does_not_exist_until_it_is_saved_again(tmp_path: Path) -> None:
    dataset(tmp_path, "2026-01-01T00.00.00.000Z").save(writer([]))
    pool = dataset(tmp_path, "2026-01-02T00.00.00.000Z")
    assert pool.exists()
    pool.outdated = True
    assert not pool.exists()
    pool.save(writer([]))
    assert pool.exists()


def test_features_are_written_in_one_place_too_and_read_as_features(tmp_path: Path) -> None:
    collection = album(list(np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), np.uint8)))
    seen: list = []

    def write(folder: Path, previous: Path | None) -> None:
        seen.append(previous and previous.parent.name)
        compute(collection, collection.index["id"], small_backbone(), folder, HARDWARE, previous)

    days = ["2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"]
    stores = [FeaturesDataset(filepath=str(tmp_path / "features"), version=Version(None, day)) for day in days]
    for store in stores:
        store.save(write)
    assert seen == [None, days[0]]
    assert list(stores[1].load().ids) == list(collection.index["id"])
    (tmp_path / "features" / days[1] / "features" / "index.arrow").unlink()
    with pytest.raises(DatasetError, match=r"the SHA-256 of index\.arrow is not the one noted"):
        stores[1].load()
