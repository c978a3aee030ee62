"""BADGE is k-means++ over gradients; they are made here, and only here."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skactiveml.pool._badge import _d_2

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies import badge
from pt4al.selection.strategies.badge import Badge
from support.situations import CLASSES, situation


def gradients(evidence: Evidence) -> np.ndarray:
    """Return the gradients of the last layer's weights, (N, classes x D)."""
    likely = evidence.probabilities.astype(np.float64)
    factors = likely - np.eye(CLASSES)[likely.argmax(1)]
    return (factors[:, :, None] * evidence.features[:, None, :]).reshape(len(likely), -1)


@given(seed=st.integers(0, 10_000), budget=st.integers(1, 30))
def test_choice_is_kmeans_plus_plus_by_scikit_activemls_distances(seed, budget):
    evidence = situation(seed, budget=budget)
    made, rng = gradients(evidence), np.random.default_rng(seed + 1)
    distances = _d_2(made, [])
    expected = [int(distances.argmax())]
    distances = None
    while len(expected) < budget:
        distances = _d_2(made, expected[-1:], np.inf if distances is None else distances)
        distances[expected] = 0
        expected.append(int(rng.choice(len(made), p=distances / distances.sum())))
        rng.random()  # what rejection sampling draws
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(badge, "REFRESH", 1)
        assert list(Badge().choose(evidence)) == expected


def test_old_distances_give_the_same_odds_as_new_ones():
    runs, evidence = 1000, situation(images=5, budget=4)
    made = gradients(evidence)
    first = int(np.sum(made**2, axis=1).argmax())

    def odds(chosen: tuple[int, ...], likely: float) -> dict[tuple[int, ...], float]:
        if len(chosen) == evidence.budget:
            return {chosen: likely}
        gaps = np.array([min(np.sum((row - made[centre]) ** 2) for centre in chosen) for row in made])
        return {
            path: share
            for row in set(range(len(made))) - set(chosen)
            for path, share in odds((*chosen, row), likely * gaps[row] / gaps.sum()).items()
        }

    drawn = Counter(
        tuple(Badge().choose(replace(evidence, rng=np.random.default_rng(seed))).tolist()) for seed in range(runs)
    )
    expected = odds((first,), 1.0)
    assert set(drawn) <= set(expected)
    for path, share in expected.items():  # five standard deviations
        assert abs(drawn[path] - runs * share) <= 5 * np.sqrt(runs * share * (1 - share)) + 1
