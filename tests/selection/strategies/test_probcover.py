"""ProbCover covers most candidates with each ball; its radius is the largest that keeps balls pure."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skactiveml.pool import ProbCover as Reference

from pt4al.selection.strategies import probcover
from pt4al.selection.strategies.clusters import kmeans
from pt4al.selection.strategies.probcover import ProbCover, pure_radius
from support.situations import CLASSES, situation


def unit(features: np.ndarray) -> np.ndarray:
    return features.astype(np.float64) / np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)


@pytest.mark.filterwarnings("ignore:The maximum purity")  # the reference doesn't judge a single radius
@given(seed=st.integers(0, 10_000), labelled=st.integers(0, 10), radius=st.sampled_from([0.1, 0.4, 0.8, 2.1]))
@settings(max_examples=settings.default.max_examples // 2)
def test_each_choice_is_one_of_scikit_activemls_best(seed, labelled, radius):
    evidence = situation(seed, images=40, budget=8, labelled=labelled)
    images = unit(np.concatenate([evidence.labelled, evidence.features]))
    labels = np.array([0.0] * labelled + [np.nan] * len(evidence))
    reference = Reference(deltas=[radius], n_classes=CLASSES, missing_label=np.nan)
    for position in ProbCover(radius).choose(evidence):
        _, gains = reference.query(images, labels, return_utilities=True)
        assert gains[0][labelled + position] == np.nanmax(gains[0])
        labels[labelled + position] = 0


@given(seed=st.integers(0, 10_000))
def test_radius_is_the_largest_that_leaves_19_of_20_balls_pure(seed):
    features = unit(situation(seed, images=60, budget=1).features)
    clusters = kmeans(features, CLASSES, np.random.default_rng(seed))
    names = [int(np.argmin([np.sum((row - centre) ** 2) for centre in clusters.numpy()])) for row in features]
    radius = pure_radius(torch.from_numpy(features).float(), CLASSES, np.random.default_rng(seed))

    def purity(limit: float) -> float:
        near = np.linalg.norm(features[:, None] - features, axis=2) < limit
        return np.mean([all(names[other] == names[row] for other in np.flatnonzero(near[row])) for row in range(60)])

    assert purity(radius) >= 0.95 > purity(radius * 1.002)


def test_automatic_radius_finds_the_clumps():
    clumps = 10 * np.eye(4, 6)[np.arange(80) % 4]
    features = (clumps + np.random.default_rng(0).normal(scale=0.1, size=clumps.shape)).astype(np.float32)
    evidence = situation(images=80, budget=4, features=features)
    assert sorted(ProbCover().choose(evidence) % 4) == [0, 1, 2, 3]
    labelled = replace(situation(images=80, budget=3, features=features), labelled=features[:1])
    assert sorted(ProbCover().choose(labelled) % 4) == [1, 2, 3]


@pytest.mark.parametrize(("budget", "looked_at"), [(5, 20), (15, 30)])
def test_large_pools_are_looked_at_in_part(budget, looked_at, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(probcover, "CANDIDATES", 20)
    seen = []
    monkeypatch.setattr(
        probcover, "pure_radius", lambda features, *others: seen.append(len(features)) or pure_radius(features, *others)
    )
    assert len(set(ProbCover().choose(situation(budget=budget)))) == budget
    assert seen == [looked_at]
