"""Herding in parts covers more than a sample, leaves what fits as it is, and does not depend on who does it."""

from dataclasses import replace

import numpy as np
import pytest

from pt4al.errors import InputError
from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies import coverage, parts
from pt4al.selection.strategies.coverage import Covered
from pt4al.selection.strategies.distances import median_squared, read_on_grid
from pt4al.selection.strategies.herding import Herding
from pt4al.selection.strategies.kernel import between
from pt4al.selection.strategies.uncertainty_herding import UncertaintyHerding
from support.situations import situation


def pool(seed: int, images: int = 2000, budget: int = 40) -> Evidence:
    """Return evidence about images around forty centres, some of which have few images."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(40, 16))
    often = rng.dirichlet(np.full(40, 0.5))
    features = middles[rng.choice(40, images, p=often)] + 0.5 * rng.normal(size=(images, 16))
    features = np.maximum(features, 0).astype(np.float32)
    evidence = situation(seed, images=images, budget=budget, features=features)
    return replace(evidence, labelled=features[:0])


def covered(evidence: Evidence, chosen: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return how much of the pool is covered."""
    scale = 0.5 * median_squared(evidence.features, evidence.labelled, np.random.default_rng(0))
    every = read_on_grid(evidence.features, slice(None))
    near = between(every, every[chosen], scale).max(1)
    return float(near.sum() if weights is None else near @ weights)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand images are many."""
    monkeypatch.setattr(coverage, "MOST", 200)
    monkeypatch.setattr(parts, "PART", 100)


@pytest.mark.parametrize("strategy", [Herding, UncertaintyHerding])
def test_what_fits_is_chosen_as_without_parts(strategy):
    evidence = situation(images=60, budget=20, labelled=5)
    again = situation(images=60, budget=20, labelled=5)
    assert list(strategy(parts=True).choose(evidence)) == list(strategy().choose(again))


@pytest.mark.parametrize("seed", range(3))
def test_parts_cover_more_than_a_sample_and_nearly_what_all_together_do(seed, monkeypatch):
    exactly = covered(pool(seed), Herding().choose(pool(seed)))
    monkeypatch.setattr(coverage, "MOST", 400)
    monkeypatch.setattr(parts, "PART", 200)
    sampled = covered(pool(seed), Herding().choose(pool(seed)))
    in_parts = covered(pool(seed), Herding(parts=True).choose(pool(seed)))
    assert in_parts > sampled
    assert in_parts > 0.97 * exactly


@pytest.mark.parametrize("budget", [3, 12, 49, 300])
@pytest.mark.parametrize("strategy", [Herding(parts=True), UncertaintyHerding(parts=True)])
def test_any_budget_is_met_with_different_images(small, strategy, budget):
    chosen = strategy.choose(pool(1, images=450, budget=budget))
    assert len(set(chosen.tolist())) == len(chosen) == budget


def test_weights_are_those_of_all_images(small):
    scores = np.zeros(2000)
    scores[1717] = 0.9
    evidence = replace(pool(2, budget=1), scores=scores)
    assert list(UncertaintyHerding(parts=True).choose(evidence)) == [1717]


def test_where_nothing_is_uncertain_the_rest_is_herding(small):
    evidence = replace(pool(3, images=450), scores=np.zeros(450))
    assert list(UncertaintyHerding(parts=True).choose(evidence)) == list(
        Herding(parts=True).choose(pool(3, images=450))
    )


def test_a_part_whose_choice_covers_more_than_the_greedy_one_of_the_union_is_taken():
    # Greedy takes the middle first, which covers most alone; the two ends together cover more.
    angles = np.array([0, 0, 0.5, 0.5, 1, 1])
    features = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    state = Covered(features, features[:0], np.zeros(0, np.int64), 0.5)
    judges = parts.Part(np.array([0, 1, 4, 5]), np.ones(4))
    greedy = parts._best_of(state, parts.Union([np.array([0, 2]), np.array([4])], judges), 2)
    assert 2 in greedy
    ends = parts._best_of(state, parts.Union([np.array([0, 4]), np.array([2])], judges), 2)
    assert sorted(ends) == [0, 4]


def test_parts_is_true_or_false():
    with pytest.raises(InputError, match=r"`query.options.parts` is 3: it must be true or false"):
        Herding(parts=3)
