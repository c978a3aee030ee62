"""TypiClust takes the most typical image of the least covered clusters."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skactiveml.pool._typi_clust import _typicality

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies import typiclust
from pt4al.selection.strategies.clusters import kmeans
from pt4al.selection.strategies.typiclust import TypiClust, typicality
from support.situations import situation


def unit(features: np.ndarray) -> np.ndarray:
    return features.astype(np.float64) / np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)


def plain(evidence: Evidence, centres: np.ndarray) -> list[int]:
    """TypiClust as the paper says it, in loops, for the clusters of these centres."""

    def cluster(row: np.ndarray) -> int:
        return int(np.argmin([np.sum((row - centre) ** 2) for centre in centres]))

    features = unit(evidence.features)
    clusters = [cluster(row) for row in features]
    covered = [cluster(row) for row in unit(evidence.labelled)]
    sizes = [(clusters + covered).count(number) for number in range(len(centres))]
    chosen: list[int] = []
    while len(chosen) < evidence.budget:
        left = {number: [] for number in range(len(centres))}
        for row, number in enumerate(clusters):
            if row not in chosen:
                left[number].append(row)
        taken = covered + [clusters[row] for row in chosen]
        order = [number for number in left if left[number]]
        number = min(order, key=lambda at: (sizes[at] < 5, taken.count(at), -sizes[at], at))
        typical = _typicality(features, np.array(left[number]), 20)
        # Two images that are the only ones left are equally typical, rounding aside.
        chosen.append(next(row for row in left[number] if typical[row] >= typical.max() * (1 - 1e-6)))
    return chosen


@given(seed=st.integers(0, 10_000), labelled=st.integers(0, 20), budget=st.integers(1, 20))
def test_choice_is_the_papers(seed, labelled, budget):
    evidence = situation(seed, images=80, budget=budget, labelled=labelled)
    centres = kmeans(
        evidence.features, labelled + budget, np.random.default_rng(seed + 1), unit=True, labelled=evidence.labelled
    )
    assert list(TypiClust().choose(evidence)) == plain(evidence, centres.double().numpy())


@given(seed=st.integers(0, 10_000), images=st.integers(2, 60))
def test_typicality_is_scikit_activemls_up_to_rounding(seed, images):
    features = unit(situation(seed, images=images, budget=1).features)
    expected = _typicality(features, np.arange(images), 20)
    found = typicality(torch.from_numpy(features))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_length_of_features_does_not_matter():
    evidence = situation(labelled=5)
    longer = situation(labelled=5)
    scale = 2.0 ** np.arange(60)[:, None] % 31
    longer = replace(longer, features=(longer.features * (1 + scale)).astype(np.float32))
    assert list(TypiClust().choose(longer)) == list(TypiClust().choose(evidence))


def test_first_labels_go_to_different_clumps():
    clumps = 10 * np.eye(4, 6)[np.arange(80) % 4]
    features = clumps + np.random.default_rng(0).normal(scale=0.1, size=clumps.shape)
    evidence = situation(images=80, budget=4, features=features.astype(np.float32))
    assert sorted(TypiClust().choose(evidence) % 4) == [0, 1, 2, 3]


def test_clump_with_labels_comes_after_those_without():
    clumps = 10 * np.eye(4, 6)[np.arange(80) % 4].astype(np.float32)
    noise = np.random.default_rng(0).normal(scale=0.1, size=clumps.shape).astype(np.float32)
    evidence = replace(situation(images=80, budget=3), features=clumps + noise, labelled=clumps[:1])
    assert sorted(TypiClust().choose(evidence) % 4) == [1, 2, 3]


def test_large_clusters_are_judged_by_a_sample(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(typiclust, "MEMBERS", 5)
    sizes = []
    monkeypatch.setattr(typiclust, "typicality", lambda some: sizes.append(len(some)) or typicality(some))
    assert len(set(TypiClust().choose(situation(images=200, budget=4)))) == 4
    assert max(sizes) == 5
