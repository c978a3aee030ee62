"""Features are computed once: what is there is kept, what is new costs no more than itself."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from pt4al.errors import InputError
from pt4al.features import scoring, writing
from pt4al.features.store import compute, compute_from_pool
from pt4al.features.vectors import open_features
from pt4al.images.building import build
from pt4al.images.decode import decode
from pt4al.images.pool import ImagePool, open_pool
from pt4al.training.engine import predict
from support.hardware import HARDWARE
from support.pictures import encoded, recipe


def turned(images: torch.Tensor) -> torch.Tensor:
    """Two views of each image (B, C, H, W)."""
    return torch.stack([images, images.rot90(1, (2, 3))], 1)


def written(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in folder.glob("*.npy")}


def expected(network, images: np.ndarray) -> np.ndarray:
    """What the network says of pictures (N, height, width, 3), in a plain pass."""
    with torch.inference_mode(), HARDWARE.autocast():
        return network.features(torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))).numpy()


def assert_close(features: np.ndarray, other: np.ndarray) -> None:
    """Equal but for half precision, or for bf16 where the tests compute in it."""
    tolerance = 2e-3 if HARDWARE.precision == "fp32" else 5e-2
    np.testing.assert_allclose(features, other, rtol=tolerance, atol=tolerance * np.abs(other).max())


def test_features_are_the_networks_for_each_picture(make_features, backbone, pixels):
    features = make_features([encoded(picture) for picture in pixels])
    assert (len(features), features.shape) == (20, (64,))
    assert_close(features.gather(np.arange(20)).numpy(), expected(backbone.network, pixels))
    features.verify()


def test_network_is_left_as_it_was(make_features, make_backbone, pixels):
    network = make_backbone()
    before = {name: tensor.clone() for name, tensor in network.network.state_dict().items()}
    make_features(list(pixels), network=network)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.network.state_dict().items())


def test_pictures_are_fitted_to_the_networks_size_not_the_pools(make_features, backbone, pixels):
    large = np.repeat(np.repeat(pixels, 3, axis=1), 3, axis=2)
    features = make_features(list(large))
    fitted = np.stack([decode(picture, backbone.frame) for picture in large])
    assert_close(features.gather(np.arange(20)).numpy(), expected(backbone.network, fitted.transpose(0, 2, 3, 1)))


def test_some_pictures_in_an_order_of_their_own(collect, backbone, pixels, tmp_path, small_shards):
    ids = pd.Series(["picture 7", "picture 0", "picture 19", "picture 3", "picture 4", "picture 5"])
    compute(collect(list(pixels)), ids, backbone, tmp_path / "features", HARDWARE)
    features = open_features(tmp_path / "features")
    assert list(features.ids) == list(ids)
    assert_close(features.gather(np.arange(6)).numpy(), expected(backbone.network, pixels[[7, 0, 19, 3, 4, 5]]))
    assert list(features.rows(pd.Series(["picture 19", "picture 7"]))) == [2, 0]


def test_views_make_several_rows_of_numbers_a_picture(make_features, backbone, pixels):
    features = make_features(list(pixels), views=turned)
    assert features.shape == (2, 64)
    found = features.gather(np.arange(20)).numpy()
    assert_close(found[:, 0], expected(backbone.network, pixels))
    assert_close(found[:, 1], expected(backbone.network, np.rot90(pixels, 1, (1, 2))))


@pytest.mark.parametrize("pixels_at_once", [256, 16 * 16 * 7, 2**20])
def test_features_are_the_same_however_many_are_computed_at_once(
    make_features, backbone, pixels, monkeypatch, small_shards, pixels_at_once
):
    monkeypatch.setattr(scoring, "PIXELS", {"cpu": pixels_at_once})
    features = make_features(list(pixels))
    assert_close(features.gather(np.arange(20)).numpy(), expected(backbone.network, pixels))


def test_new_pictures_cost_no_more_than_themselves(make_features, collect, pixels, tmp_path, small_shards, backbone):
    old = make_features(list(pixels[:16]), folder="old")
    seen: list[int] = []
    collection = collect(list(pixels))
    object.__setattr__(collection, "pictures", lambda rows: (seen.append(row) or pixels[row] for row in rows))
    compute(collection, collection.index["id"], backbone, tmp_path / "new", HARDWARE, tmp_path / "old")
    grown = open_features(tmp_path / "new")
    assert seen == [16, 17, 18, 19]
    assert written(tmp_path / "old").items() <= written(tmp_path / "new").items()  # the same files, linked
    np.testing.assert_array_equal(grown.gather(np.arange(16)), old.gather(np.arange(16)))
    assert_close(grown.gather(np.arange(20)).numpy(), expected(backbone.network, pixels))


def test_new_pictures_keep_their_place_among_the_old_ones(make_features, backbone, pixels, small_shards):
    order = [9, *range(9), *range(10, 12)]
    make_features(list(pixels[:8]), [f"picture {row}" for row in range(8)], folder="old")
    ids = [f"picture {row}" for row in order]
    grown = make_features([pixels[row] for row in order], ids, folder="new", previous="old")
    assert list(grown.ids) == ids
    assert_close(grown.gather(np.arange(12)).numpy(), expected(backbone.network, pixels[order]))
    assert_close(grown.view()[3:5], expected(backbone.network, pixels[order[3:5]]))


def test_changed_picture_is_computed_again(collect, backbone, pixels, tmp_path, small_shards):
    old = collect(list(pixels[:8]))
    compute(old, old.index["id"], backbone, tmp_path / "old", HARDWARE)
    changed = [*pixels[:5], 255 - pixels[5], *pixels[6:8]]
    new = collect(changed, stamps=["1"] * 5 + ["2"] + ["1"] * 2)
    compute(new, new.index["id"], backbone, tmp_path / "new", HARDWARE, tmp_path / "old")
    assert len(written(tmp_path / "old").items() & written(tmp_path / "new").items()) == 1
    features = open_features(tmp_path / "new").gather(np.arange(8)).numpy()
    assert_close(features, expected(backbone.network, np.stack(changed)))


def test_another_network_shares_nothing(make_features, make_backbone, pixels, tmp_path, small_shards):
    first = make_features(list(pixels), folder="first")
    other = make_features(list(pixels), folder="other", previous="first", network=make_backbone(1))
    assert not written(tmp_path / "first").keys() & written(tmp_path / "other").keys()
    assert first.facts["digest"] != other.facts["digest"]
    assert first.sha256 != other.sha256


def test_pictures_that_went_are_left_out(make_features, pixels, small_shards):
    make_features(list(pixels[:8]), folder="old")
    left = [f"picture {row}" for row in (0, 1, 2, 3, 6)]
    assert list(make_features(list(pixels[[0, 1, 2, 3, 6]]), left, folder="new", previous="old").ids) == left


def test_pool_that_is_decoded_is_enough(collect, backbone, pixels, tmp_path, small_shards):
    build(collect(list(pixels)), tmp_path / "pool", recipe())
    compute_from_pool(open_pool(tmp_path / "pool"), backbone.network, tmp_path / "features", HARDWARE)
    features = open_features(tmp_path / "features")
    assert list(features.ids) == [f"picture {row}" for row in range(20)]
    assert_close(features.gather(np.arange(20)).numpy(), expected(backbone.network, pixels))
    build(collect([*pixels, pixels[3]]), tmp_path / "grown", recipe(), tmp_path / "pool")
    grown = open_pool(tmp_path / "grown")
    compute_from_pool(grown, backbone.network, tmp_path / "more", HARDWARE, tmp_path / "features")
    assert written(tmp_path / "features").items() <= written(tmp_path / "more").items()
    np.testing.assert_allclose(*open_features(tmp_path / "more").gather(np.array([3, 20])), rtol=1e-2, atol=1e-2)


def test_pool_in_memory_has_features_of_its_views(backbone, pixels, tmp_path):
    index = pd.DataFrame({"id": [f"image {row}" for row in range(20)]})
    pool = ImagePool(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)), index, [120.0] * 3, [70.0] * 3, "made up")
    compute_from_pool(pool, backbone.network, tmp_path / "features", HARDWARE, views=turned)
    features = open_features(tmp_path / "features").gather(np.arange(20)).numpy()
    assert features.shape == (20, 2, 64)

    def views(network, images):
        return torch.stack([network.features(view) for view in turned(images).unbind(1)], 1)

    assert_close(features, predict(backbone.network, views, pool, HARDWARE))


def test_picture_that_is_gone_is_named(collect, backbone, pixels, tmp_path):
    collection = collect(list(pixels))
    with pytest.raises(InputError, match="picture 'stranger' is not in the source any more"):
        compute(collection, pd.Series(["picture 1", "stranger"]), backbone, tmp_path / "features", HARDWARE)


def test_picture_that_cannot_be_decoded_any_more_is_named(make_features, pixels):
    pictures = [encoded(picture) for picture in pixels]
    pictures[5] = pictures[5][:80]
    with pytest.raises(InputError, match=r"picture 'picture 5' of the pool can't be decoded any more \(cut short"):
        make_features(pictures)


@pytest.mark.parametrize("weight", [float("nan"), 1e9])
def test_features_that_are_not_finite_in_half_precision_are_refused_by_picture(
    make_features, make_backbone, pixels, weight
):
    network = make_backbone(2)
    with torch.no_grad():
        network.network.std.mul_(1 / weight)
    with pytest.raises(InputError, match=r"features of picture 'picture \d+' are not finite in half precision"):
        make_features(list(pixels), network=network)


def test_shards_are_small_parts_of_the_whole():
    rows = writing._rows_of_a_shard
    assert rows(100, [64]) == 256
    assert rows(8000, [1280]) == 256
    assert rows(50_000, [1280]) == 1563
    assert rows(1_000_000, [1280]) == 4096
    assert rows(1_000_000, [4, 4096]) == 2**26 // 2 // 4 // 4096


def test_features_that_the_disk_has_no_room_for_are_told_before_they_are_computed(make_features, pixels, monkeypatch):
    monkeypatch.setattr(writing.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
    with pytest.raises(InputError, match=r"the features of 20 pictures need 0\.0 GB, and the disk of .* has 0\.0"):
        make_features(list(pixels))


def test_nothing_to_look_at_is_a_store_of_nothing(make_features):
    features = make_features([])
    assert (len(features), features.shape, features.view()[:].shape) == (0, (64,), (0, 64))
