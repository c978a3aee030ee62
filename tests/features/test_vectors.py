"""Features stand where a pool of images stands, are read where they are indexed, and notice damage."""

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from pt4al.errors import InputError
from pt4al.features.vectors import Features, open_features
from pt4al.files.digests import Damaged
from pt4al.images import mapped
from pt4al.training import engine
from pt4al.training.schedule import Schedule
from support.hardware import HARDWARE


class Probe(nn.Module):
    """The least that the engine needs of a network: one layer on features."""

    dense = False
    dropout = 0.0

    def __init__(self, width: int, outputs: int):
        super().__init__()
        self.trunk, self.head = nn.Identity(), nn.Linear(width, outputs)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.head(features)


def in_memory(array: np.ndarray) -> Features:
    index = pd.DataFrame({"id": [f"picture {row}" for row in range(len(array))]})
    return Features(array.astype(np.float16), index, "made up")


def test_view_is_indexed_like_the_array(make_features, pixels, small_shards):
    features = make_features(list(pixels))
    whole = features.gather(np.arange(20)).numpy()
    view = features.view(np.arange(20)[::-1])
    assert (len(view), view.shape, view.ndim, view.dtype) == (20, (20, 64), 2, np.float32)
    for which in (slice(None), slice(3, 9), slice(None, None, 4), np.array([5, 2, 5]), [1, 0], 7, -1):
        np.testing.assert_array_equal(view[which], whole[::-1][which])
    assert view[3:3].shape == (0, 64)
    assert len(features.view()) == 20


def test_pages_that_were_read_are_given_back(make_features, pixels, small_shards, monkeypatch):
    features = make_features(list(pixels))
    monkeypatch.setattr(mapped, "RESIDENT", 1)
    before = features.view()[:]
    np.testing.assert_array_equal(features.view()[:], before)


def test_unknown_id_is_named(make_features, pixels):
    with pytest.raises(InputError, match="'stranger' is not in the feature store of 20 pictures"):
        make_features(list(pixels)).rows(pd.Series(["stranger"]))


def test_engine_trains_and_scores_on_features_as_on_images():
    rng = np.random.default_rng(0)
    targets = torch.from_numpy(rng.integers(0, 2, 200))
    features = in_memory(rng.normal(size=(200, 8)) + 3 * targets.numpy()[:, None])
    probe = Probe(8, 2)

    def loss(network, vectors, classes):
        return nn.functional.cross_entropy(network(vectors), classes, reduction="none")

    schedule = Schedule(
        epochs=20, minimum_steps=0, minibatch=16, learning_rate=0.05, shape="constant", momentum=0.9, weight_decay=0
    )
    curve = engine.fit(probe, loss, features, engine.Training(schedule, rng), HARDWARE, targets=targets)
    assert curve["loss"].iloc[-1] < 0.1 < curve["loss"].iloc[0]
    outputs = engine.predict(probe, lambda network, vectors: network(vectors), features, HARDWARE)
    assert (outputs.argmax(1) == targets.numpy()).mean() > 0.95


def change(name: str, **facts: object):
    def write(folder: Path) -> None:
        told = json.loads((folder / "features.json").read_text())
        (folder / "features.json").write_text(json.dumps(told | facts))

    return write


def first(folder: Path, pattern: str) -> Path:
    return sorted(folder.glob(pattern))[0]


DAMAGES = {
    "cut manifest": lambda folder: (folder / "features.json").write_text("{"),
    "manifest that lacks something": lambda folder: (folder / "features.json").write_text('{"shards": []}'),
    "another shape": change("features.json", shape=[63]),
    "cut shard": lambda folder: first(folder, "*.npy").write_bytes(first(folder, "*.npy").read_bytes()[:200]),
    "shard that is gone": lambda folder: first(folder, "*.npy").unlink(),
    "shard of another type": lambda folder: np.save(first(folder, "*.npy"), np.zeros((20, 64), np.float32)),
    "cut index": lambda folder: (folder / "index.arrow").write_bytes(b"ARROW1"),
    "lookup that is gone": lambda folder: (folder / "lookup.arrow").unlink(),
    "order of other pictures": lambda folder: as_before(folder, [0, 1]),
}


def as_before(folder: Path, places: list[int]) -> None:
    """Make a store what versions wrote that had no index.arrow: shards' tables, and their order in a file."""
    for name in ("index.arrow", "lookup.arrow"):
        (folder / name).unlink()
    pd.DataFrame({"place": places}).to_parquet(folder / "order.parquet")


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_is_told_with_its_way_out(make_features, pixels, tmp_path, damage):
    make_features(list(pixels))
    damage(tmp_path / "features")
    with pytest.raises(Damaged, match=r"is damaged .*: remove .*features and type the command again, which computes"):
        open_features(tmp_path / "features")


def test_store_that_an_older_version_wrote_keeps_its_order(make_features, pixels, tmp_path):
    features = make_features(list(pixels))
    as_before(tmp_path / "features", list(range(20))[::-1])
    older = open_features(tmp_path / "features")
    assert list(older.ids) == list(features.ids)[::-1]
    rows = older.rows(features.ids)
    np.testing.assert_array_equal(older.read(rows), features.read(np.arange(20)))


def test_features_are_sent_to_another_process_as_their_path(make_features, pixels):
    features = make_features(list(pixels))
    sent = pickle.dumps(features)
    assert len(sent) < 400
    np.testing.assert_array_equal(pickle.loads(sent).read(np.arange(20)), features.read(np.arange(20)))
    alone = in_memory(np.eye(3))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(alone)).read(np.arange(3)), alone.read(np.arange(3)))


def test_changed_byte_is_found_by_verifying(make_features, pixels, tmp_path):
    make_features(list(pixels))
    shard = first(tmp_path / "features", "*.npy")
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    with pytest.raises(InputError, match=r"npy: the feature store's bytes have changed"):
        open_features(tmp_path / "features").verify()
