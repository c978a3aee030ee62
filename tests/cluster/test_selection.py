"""What is ranked, chosen and compared in shards is the same, whoever does it."""

import cloudpickle
import numpy as np
import pytest

from pt4al.cluster.packing import pack
from pt4al.cluster.seam import ALONE
from pt4al.features import neighbours
from pt4al.selection.external import sorting
from pt4al.selection.strategies import coverage, parts
from pt4al.selection.strategies.uncertainty_herding import UncertaintyHerding
from support.situations import situation


def test_a_ranking_in_files(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "PIECE", 100)
    monkeypatch.setattr(sorting, "STEP", 10)
    np.save(tmp_path / "losses.npy", np.random.default_rng(0).integers(50, size=1000).astype(np.float32))
    for name, where in (("here", ALONE), ("there", cluster)):
        sorting.sort_file(tmp_path / "losses.npy", tmp_path / f"{name}.npy", where, "hardest_first")
    assert (tmp_path / "here.npy").read_bytes() == (tmp_path / "there.npy").read_bytes()


def test_herding_in_parts(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(coverage, "MOST", 100)
    monkeypatch.setattr(parts, "PART", 60)
    np.save(tmp_path / "features.npy", situation(images=700).features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    chosen = [
        UncertaintyHerding(parts=True).choose(
            situation(images=700, labelled=9, budget=30, features=mapped, cluster=where)
        )
        for where in (ALONE, cluster)
    ]
    assert chosen[0].tobytes() == chosen[1].tobytes()


def test_nearest_neighbours(cluster, monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", 16)
    features = np.random.default_rng(0).normal(size=(70, 6)).astype(np.float32)
    here, there = (neighbours.nearest(features, 5, where) for where in (ALONE, cluster))
    assert here.tobytes() == there.tobytes()


@pytest.mark.parametrize("order", ["C", "F"])
def test_mapped_arrays_are_sent_by_the_names_of_their_files(tmp_path, order):
    array = np.asarray(np.random.default_rng(0).random((1000, 3)), order=order)
    np.save(tmp_path / "features.npy", array)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    assert len(pack({"features": mapped})) < 1000
    for some in (mapped, mapped[1:], mapped[:, 1], mapped[[2, 0]], array):
        np.testing.assert_array_equal(cloudpickle.loads(pack([some]))[0], some)
