"""Clusters: centres in the clumps, exact assignments, fair turns; and the two strategies that are little else."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage

from pt4al.selection.strategies import cluster_margin, clusters
from pt4al.selection.strategies.centres import Centres
from pt4al.selection.strategies.cluster_margin import ClusterMargin
from pt4al.selection.strategies.clusters import assign, in_turn, kmeans
from support.situations import situation


@given(names=st.lists(st.integers(0, 4), min_size=1, max_size=40), seed=st.integers(0, 99))
def test_turns_take_one_of_each_cluster_that_has_any_left(names, seed):
    names, key = np.array(names), np.random.default_rng(seed).integers(0, 5, len(names))
    left = {name: sorted(np.flatnonzero(names == name), key=lambda row: key[row]) for name in sorted(set(names))}
    expected = []
    while any(left.values()):
        expected += [rows.pop(0) for rows in left.values() if rows]
    assert list(in_turn(names, key)) == expected


def test_images_are_assigned_to_the_nearest_centre():
    features, centres = situation().features, situation(1).features[:5]
    gaps = ((features[:, None] - centres) ** 2).sum(2)
    names, distances = assign(features, torch.from_numpy(centres))
    assert list(names) == list(gaps.argmin(1))
    np.testing.assert_allclose(distances, gaps.min(1), rtol=1e-4)


def test_centres_learnt_from_a_sample_are_in_the_clumps(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(clusters, "SAMPLE", 1)  # hence 20 a cluster
    clumps = 10 * np.eye(4, 6)[np.arange(400) % 4]
    features = (clumps + np.random.default_rng(0).normal(scale=0.1, size=clumps.shape)).astype(np.float32)
    found = kmeans(features, 4, np.random.default_rng(0))
    assert found.shape == (4, 6)
    assert sorted(found.argmax(1).tolist()) == [0, 1, 2, 3]
    assert (found.max(1).values > 9.5).all()


def test_strategy_centres_takes_the_nearest_image_of_each_cluster():
    evidence = situation(budget=8)
    middles = kmeans(evidence.features, 8, np.random.default_rng(1)).numpy()
    gaps = ((evidence.features[:, None] - middles) ** 2).sum(2)
    expected = {
        min(np.flatnonzero(gaps.argmin(1) == name), key=lambda row: gaps[row, name]) for name in set(gaps.argmin(1))
    }
    assert len(expected) == 8
    assert set(Centres().choose(evidence)) == expected


@given(seed=st.integers(0, 10_000), number=st.sampled_from([0, 3]))
def test_cluster_margin_takes_turns_from_the_smallest_average_linkage_cluster_up(seed, number):
    evidence = situation(seed, budget=9)
    wanted = sorted(range(60), key=lambda row: -evidence.scores[row])[:36]
    tree = linkage(evidence.features[wanted].astype(np.float64), "average")
    names = dict(zip(wanted, fcluster(tree, number or 9, "maxclust").tolist(), strict=True))
    chosen = ClusterMargin(multiple=4, clusters=number).choose(evidence)
    sizes = Counter(names.values())
    # Clusters of one size may change places, and within a cluster chance decides.
    turns = sorted((turn, size) for size in sizes.values() for turn in range(size))
    assert [sizes[names[row]] for row in chosen] == [size for _, size in turns[:9]]
    times = Counter(names[row] for row in chosen)
    assert max(times.values()) == turns[8][0] + 1


def test_cluster_margin_beyond_a_few_thousand_takes_kmeans_clusters(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cluster_margin, "MOST_LINKED", 10)
    clumps = np.repeat([0, 1, 2], [4, 16, 40])
    features = (10 * np.eye(3, 6)[clumps] + np.random.default_rng(0).normal(scale=0.1, size=(60, 6))).astype(np.float32)
    chosen = ClusterMargin(multiple=6, clusters=3).choose(situation(budget=10, features=features))
    assert list(clumps[chosen]) == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
