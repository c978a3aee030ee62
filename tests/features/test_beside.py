"""One pass over the files makes a pool and its features."""

import numpy as np
import pytest

from pt4al.features import scoring, store
from pt4al.features.beside import Beside
from pt4al.features.store import compute
from pt4al.features.vectors import open_features
from pt4al.images import building
from pt4al.images.building import build
from pt4al.images.pool import open_pool
from support.features import album
from support.hardware import HARDWARE
from support.pictures import encoded, recipe


class Files:
    """Pictures as files that count how often they are read."""

    def __init__(self, pictures: list[bytes]):
        self.pictures, self.read = pictures, [0] * len(pictures)

    def collection(self):
        return album([lambda row=row: self._open(row) for row in range(len(self.pictures))])

    def _open(self, row: int) -> bytes:
        self.read[row] += 1
        return self.pictures[row]


def whole(pixels: np.ndarray, backbone, folder) -> np.ndarray:
    """Features that were computed by themselves."""
    collection = album(list(pixels))
    compute(collection, collection.index["id"], backbone, folder, HARDWARE)
    return open_features(folder).gather(np.arange(len(pixels))).numpy()


def test_each_file_is_read_once_for_pool_and_features(backbone, pixels, tmp_path, small_shards):
    files = Files([encoded(picture) for picture in pixels])
    collection = files.collection()
    with Beside(collection, backbone, tmp_path / "features", HARDWARE) as beside:
        build(collection, tmp_path / "pool", recipe(size=8, channels=3), watch=beside)
    assert max(files.read) <= 1
    pool = open_pool(tmp_path / "pool")
    compute(collection, pool.ids, backbone, tmp_path / "features", HARDWARE)
    assert files.read == [1] * 20
    features = open_features(tmp_path / "features")
    assert list(features.ids) == list(pool.ids)
    np.testing.assert_allclose(
        features.gather(np.arange(20)), whole(pixels, backbone, tmp_path / "whole"), rtol=1e-2, atol=1e-2
    )


def test_features_beside_a_pool_are_the_bytes_of_features_computed_by_themselves(
    backbone, pixels, tmp_path, monkeypatch
):
    monkeypatch.setitem(scoring.MOST, "cpu", 20)  # no divisor of what a pool decodes together
    pictures = [encoded(picture) for picture in np.concatenate([pixels] * 4)]
    pictures[7] = b"no picture"
    collection = album(pictures)
    with Beside(collection, backbone, tmp_path / "beside", HARDWARE) as beside:
        build(collection, tmp_path / "pool", recipe(size=8, channels=3, bad_share=0.1), watch=beside)
    ids = open_pool(tmp_path / "pool").ids
    for name in ("beside", "alone"):
        compute(collection, ids, backbone, tmp_path / name, HARDWARE)
    beside, alone = (open_features(tmp_path / name) for name in ("beside", "alone"))
    assert beside.sha256 == alone.sha256


def test_pool_is_the_same_whether_it_is_watched_or_not(backbone, pixels, tmp_path):
    pictures = [encoded(picture, "JPEG") for picture in pixels]
    collection = Files(pictures).collection()
    build(collection, tmp_path / "alone", recipe(size=8, channels=3))
    with Beside(collection, backbone, tmp_path / "features", HARDWARE) as beside:
        build(collection, tmp_path / "watched", recipe(size=8, channels=3), watch=beside)
    assert open_pool(tmp_path / "alone").sha256 == open_pool(tmp_path / "watched").sha256


def test_pictures_that_the_pool_leaves_out_have_no_features(backbone, pixels, tmp_path):
    pictures = [encoded(picture) for picture in pixels]
    pictures[4] = pictures[4][:60]
    collection = Files(pictures).collection()
    with Beside(collection, backbone, tmp_path / "features", HARDWARE) as beside:
        build(collection, tmp_path / "pool", recipe(size=8, channels=3, bad_share=0.5), watch=beside)
    pool = open_pool(tmp_path / "pool")
    compute(collection, pool.ids, backbone, tmp_path / "features", HARDWARE)
    assert list(open_features(tmp_path / "features").ids) == list(pool.ids)
    assert len(pool) == 19


def test_features_that_are_there_are_not_computed_again(backbone, pixels, tmp_path, small_shards, monkeypatch):
    small = album(list(pixels[:8]))
    build(small, tmp_path / "old pool", recipe(channels=3))
    compute(small, small.index["id"], backbone, tmp_path / "old", HARDWARE)
    collection = album(list(pixels))
    with Beside(collection, backbone, tmp_path / "new", HARDWARE, tmp_path / "old") as beside:
        build(collection, tmp_path / "pool", recipe(channels=3), tmp_path / "old pool", watch=beside)
    expected = whole(pixels, backbone, tmp_path / "whole")
    monkeypatch.setattr(store, "_decode", None)  # nothing is left to decode
    compute(collection, collection.index["id"], backbone, tmp_path / "new", HARDWARE, tmp_path / "old")
    old, new = ({file.name for file in (tmp_path / name).glob("*.npy")} for name in ("old", "new"))
    assert old <= new
    np.testing.assert_allclose(open_features(tmp_path / "new").gather(np.arange(20)), expected, rtol=1e-2, atol=1e-2)


def test_pool_that_is_interrupted_leaves_features_to_go_on_with(backbone, pixels, tmp_path, small_shards, monkeypatch):
    collection = album(list(pixels))
    monkeypatch.setattr(building, "TOGETHER", 2)

    def pictures(rows):
        for row in rows:
            if row == 18:
                raise KeyboardInterrupt
            yield pixels[row]

    object.__setattr__(collection, "pictures", pictures)
    with (
        pytest.raises(KeyboardInterrupt),
        Beside(collection, backbone, tmp_path / "features", HARDWARE) as beside,
    ):
        build(collection, tmp_path / "pool", recipe(size=8, channels=3), watch=beside)
    kept = {file.name for file in (tmp_path / "features").glob("*.npy")}
    assert len(kept) >= 2
    collection = album(list(pixels))
    compute(collection, collection.index["id"], backbone, tmp_path / "features", HARDWARE)
    assert kept <= {file.name for file in (tmp_path / "features").glob("*.npy")}
