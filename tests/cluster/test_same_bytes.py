"""Pools, features and scores are the same bytes, whoever makes them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pt4al.cluster.seam import ALONE, Cluster
from pt4al.features import computing, scoring
from pt4al.features.backbones import Backbone
from pt4al.features.store import compute, compute_from_pool
from pt4al.images import building
from pt4al.images.decode import Frame
from pt4al.images.pool import open_pool
from pt4al.training import engine
from pt4al.training.networks import build
from pt4al.training.precision import Hardware
from support.features import album
from support.hardware import PRECISION
from support.pictures import encoded, recipe


@pytest.fixture
def hardware(cluster: Cluster) -> Hardware:
    return Hardware("cpu", PRECISION, cluster)


@pytest.fixture
def pictures() -> list[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (150, 24, 24, 3), np.uint8)
    return [encoded(picture) for picture in pixels]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def network(outputs: int = 4):
    return build("resnet8_w16", outputs, ([120.0] * 3, [60.0] * 3), torch.Generator().manual_seed(0))


def test_a_pool(cluster, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(building, "SHARD", 64)
    pictures[70] = b"no picture"
    collection = album(pictures)
    building.build(collection, tmp_path / "here", recipe(size=16, bad_share=0.1))
    building.build(collection, tmp_path / "there", recipe(size=16, bad_share=0.1), cluster=cluster)
    assert content(tmp_path / "here") == content(tmp_path / "there")
    assert len(open_pool(tmp_path / "there").problems) == 1


def test_features_of_pictures(hardware, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(computing, "SHARD", 40)
    monkeypatch.setitem(scoring.MOST, "cpu", 20)  # no multiple of what is read together
    collection = album(pictures)
    backbone = Backbone("made up", network(), 64, Frame(3, 24, 24, "crop", 255), "bilinear", "0" * 16)
    for name, where in (("here", hardware.alone), ("there", hardware)):
        compute(collection, collection.index["id"], backbone, tmp_path / name, where)
    assert content(tmp_path / "here") == content(tmp_path / "there")


def test_images_of_a_shard_that_is_halved_are_computed_beside_the_same_others(pictures, tmp_path, monkeypatch):
    def halved(work, shards, cluster, prepare, *rest):
        prepared = prepare()
        for shard in shards:
            middle = len(shard) // 2
            yield from ((part, work(prepared, part)) for part in (shard[:middle], shard[middle:]) if part)

    monkeypatch.setattr(computing, "in_shards", halved)
    monkeypatch.setitem(scoring.MOST, "cpu", 96)
    together: dict[str, list[int]] = {"here": [], "there": []}
    backbone = Backbone("made up", network(), 64, Frame(3, 24, 24, "crop", 255), "bilinear", "0" * 16)
    collection = album(pictures)
    for name, where in (("here", ALONE), ("there", Cluster(workers=2))):
        call = scoring.Scorer.__call__

        def noted(scorer, images, call=call, sizes=together[name]):
            sizes.append(len(images))
            return call(scorer, images)

        with monkeypatch.context() as patched:
            patched.setattr(scoring.Scorer, "__call__", noted)
            hardware = Hardware("cpu", PRECISION, where)
            compute(collection, collection.index["id"], backbone, tmp_path / name, hardware)
    assert together["here"] == together["there"] == [96, 54]
    assert content(tmp_path / "here") == content(tmp_path / "there")


def test_features_of_a_pools_images_and_scores(hardware, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(computing, "SHARD", 40)
    monkeypatch.setattr(engine, "SHARD", 1)
    building.build(album(pictures), tmp_path / "pool", recipe(size=24))
    pool = open_pool(tmp_path / "pool")
    for name, where in (("here", hardware.alone), ("there", hardware)):
        compute_from_pool(pool, network(), tmp_path / name, where)
    assert content(tmp_path / "here") == content(tmp_path / "there")
    targets = torch.arange(150) % 4

    def loss(asked, images, answers):
        return torch.nn.functional.cross_entropy(asked(images).float(), answers, reduction="none")

    rows = np.arange(150)[::-1].copy()
    here, there = (engine.predict(network(), loss, pool, where, rows, targets) for where in (hardware.alone, hardware))
    assert here.tobytes() == there.tobytes()
