"""DropQuery, weighted k-means, and no near duplicates in what spreads."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from pt4al.errors import InputError
from pt4al.selection.strategies import STRATEGIES
from pt4al.selection.strategies.clusters import kmeans
from pt4al.selection.strategies.distances import Part, median_squared
from pt4al.selection.strategies.dropquery import DropQuery
from pt4al.selection.strategies.near_duplicates import NEAR, leave_out
from pt4al.selection.strategies.weighted_kmeans import WeightedKMeans
from support.situations import CLASSES, situation


def unit(features: np.ndarray) -> np.ndarray:
    return features.astype(np.float64) / np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)


@pytest.mark.parametrize("name", ["herding", "uncertainty_herding", "dropquery", "weighted_kmeans"])
@pytest.mark.parametrize("seed", range(5))
def test_no_two_of_a_query_are_near_duplicates(name, seed):
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(30, 40))
    shown = np.repeat(np.arange(30), 8)
    features = (middles[shown] + 0.001 * rng.normal(size=(240, 40))).astype(np.float32)
    head = (rng.normal(size=(CLASSES, 40)).astype(np.float32), np.zeros(CLASSES, np.float32))
    scores = rng.random(30)[shown] + 0.001 * rng.random(240)  # near duplicates are as uncertain as each other
    evidence = situation(seed, images=240, budget=20, features=features, head=head, scores=scores)
    evidence = replace(evidence, labelled=features[:0])
    assert len(set(shown[STRATEGIES[name]().choose(evidence)].tolist())) == 20


@given(seed=st.integers(0, 10_000), images=st.integers(1, 60), data=st.data())
def test_near_duplicates_are_left_out_as_long_as_there_are_others(seed, images, data):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(images, 3)).astype(np.float32)
    budget, order = data.draw(st.integers(1, images)), rng.permutation(images)
    on_grid = unit(features) * 63 / 64  # the length that features have on the grid
    gaps = ((on_grid[:, None] - on_grid) ** 2).sum(2)
    limit = NEAR * median_squared(features, features[:0], rng)
    kept = []
    for row in order:
        if not kept or gaps[row, kept].min() > limit:
            kept.append(row)
    expected = [*kept, *(row for row in order if row not in kept)]
    clear = abs(gaps / limit - 1)[~np.eye(images, dtype=bool)].min(initial=1)
    if clear > 0.02:  # else the grid of features decides
        assert list(leave_out(features, order, budget, rng)) == expected[:budget]


def test_classes_that_no_feature_decides_alone_do_not_change():
    evidence = situation()
    sure = (np.zeros((CLASSES, 6), np.float32), np.arange(CLASSES, dtype=np.float32))
    assert not DropQuery()._changes(replace(evidence, head=sure)).any()
    assert not DropQuery(dropout=0)._changes(evidence).any()


def test_changes_are_those_of_passes_with_dropout():
    evidence = situation(images=5000, budget=1)
    weight, bias = evidence.head
    changes = DropQuery()._changes(evidence)
    rng, predicted = np.random.default_rng(5), (evidence.features @ weight.T + bias).argmax(1)
    shares = [
        (((evidence.features * (rng.random((5000, 6)) < 0.25) * 4) @ weight.T + bias).argmax(1) != predicted).mean()
        for _ in range(3)
    ]
    assert changes.max() == 3
    assert changes.mean() / 3 == pytest.approx(np.mean(shares), abs=0.02)


def test_dropquery_asks_for_what_changes_and_then_for_the_most_uncertain():
    evidence = situation(seed=3, budget=5)
    changed = np.flatnonzero(DropQuery()._changes(situation(seed=3)) >= 2)
    assert 5 < len(changed) < 50
    assert set(DropQuery().choose(evidence)) <= set(changed)
    order = list(np.argsort(-evidence.scores))
    changed_first = [row for row in order if row in changed] + [row for row in order if row not in changed]
    wide = replace(situation(seed=3), features=evidence.features, budget=len(changed) + 3)
    expected = leave_out(wide.features, np.array(changed_first), wide.budget, wide.rng)
    assert list(DropQuery().choose(situation(seed=3, budget=wide.budget))) == list(expected)


def test_dropquery_says_that_a_head_reads_other_features():
    evidence = situation(features=np.ones((60, 9), np.float32))
    with pytest.raises(InputError, match="the head reads, 6 an image; these are 9: set"):
        DropQuery().choose(evidence)


def test_weighted_kmeans_takes_clusters_of_the_best_scored_alone():
    evidence = situation(budget=4, scores=np.arange(60.0))
    assert min(WeightedKMeans(multiple=5).choose(evidence)) >= 40


def test_weights_move_the_centres():
    features = np.array([[0.0], [1], [10], [11]] * 50, np.float32)
    weights = np.where(features[:, 0] % 10 == 0, 9.0, 1.0)
    centres = kmeans(features, 2, np.random.default_rng(0), weights=weights).numpy()
    model = KMeans(2, n_init=1, random_state=0).fit(features, sample_weight=weights)
    np.testing.assert_allclose(sorted(centres[:, 0]), sorted(model.cluster_centers_[:, 0]), atol=0.05)
    even = kmeans(features, 2, np.random.default_rng(0), weights=np.zeros(200)).numpy()
    np.testing.assert_allclose(sorted(even[:, 0]), [0.5, 10.5], atol=0.1)


def test_part_of_features_is_read_where_it_is():
    features = np.arange(12).reshape(6, 2)
    part = Part(features, np.array([4, 1, 5]))
    assert len(part) == 3
    np.testing.assert_array_equal(part[1:], features[[1, 5]])
    np.testing.assert_array_equal(part[np.array([2, 0])], features[[5, 4]])
