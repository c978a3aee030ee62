"""Herding covers the pool greedily; lazy greedy is plain greedy, and what lies beyond its bounds is drawn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies import coverage
from pt4al.selection.strategies.coverage import cover, lazy_greedy
from pt4al.selection.strategies.distances import median_squared, read_on_grid
from pt4al.selection.strategies.herding import Herding
from pt4al.selection.strategies.uncertainty_herding import UncertaintyHerding
from support.situations import situation


def photos(seed: int, images: int, dimensions: int = 64) -> np.ndarray:
    """Return features as a trained network gives them: clusters, none below 0, many at 0, of different lengths."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(12, dimensions))
    features = middles[rng.integers(12, size=images)] + 0.7 * rng.normal(size=(images, dimensions))
    return (np.maximum(features, 0) * rng.uniform(0.5, 2, size=(images, 1))).astype(np.float32)


def shown(seed: int, images: int, budget: int, labelled: int = 0, **known: object) -> Evidence:
    """Return evidence about `photos`."""
    features = photos(seed, images + labelled)
    evidence = situation(seed, images=images, budget=budget, features=features[:images], **known)
    return replace(evidence, labelled=features[images:])


def kernel(features: np.ndarray, others: np.ndarray, scale: float) -> np.ndarray:
    return np.exp(-((features[:, None] - others) ** 2).sum(2) / scale)


def on_grid(features: np.ndarray) -> np.ndarray:
    return read_on_grid(features, slice(None)).double().numpy()


def unit(features: np.ndarray) -> np.ndarray:
    return features.astype(np.float64) / np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)


def plain(evidence: Evidence, weights: np.ndarray, width: float = 0.5, scaled: object = on_grid) -> list[int]:
    """Herding as the paper says it: every gain anew for every choice."""
    scale = width * median_squared(evidence.features, evidence.labelled, np.random.default_rng(0))
    features = scaled(evidence.features)
    near = kernel(features, features, scale)
    covered = np.zeros(len(features))
    if len(evidence.labelled):
        covered = kernel(features, scaled(evidence.labelled), scale).max(1)
    near, covered = np.round(near * 2**20) / 2**20, np.round(covered * 2**20) / 2**20  # or ties are decided by rounding
    chosen: list[int] = []
    for _ in range(evidence.budget):
        gains = np.maximum(near - covered, 0) @ weights
        gains[chosen] = -1
        chosen.append(int(gains.argmax()))
        covered = np.maximum(covered, near[chosen[-1]])
    return chosen


@pytest.mark.parametrize("labelled", [0, 20])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_lazy_greedy_is_plain_greedy_on_300_images(seed, weighted, labelled):
    evidence = shown(seed, 300, 100, labelled)
    if weighted:
        assert list(UncertaintyHerding().choose(evidence)) == plain(evidence, evidence.scores)
    else:
        assert list(Herding().choose(evidence)) == plain(evidence, np.ones(300))


@pytest.mark.parametrize("seed", range(4))
def test_grid_of_features_costs_next_to_nothing_of_what_is_covered(seed):
    evidence = shown(seed, 300, 30)
    features = unit(evidence.features)
    near = kernel(features, features, 0.5 * median_squared(evidence.features, evidence.labelled, evidence.rng))
    exactly = near[plain(evidence, np.ones(300), scaled=unit)].max(0).sum()
    assert near[Herding().choose(evidence)].max(0).sum() == pytest.approx(exactly, rel=1e-3)


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 30), columns=st.integers(1, 30), levels=st.integers(1, 4))
@settings(max_examples=settings.default.max_examples // 2)
@example(seed=3, rows=5, columns=28, levels=3)  # thirds are no round numbers
def test_equal_gains_go_to_the_first(seed, rows, columns, levels):
    rng = np.random.default_rng(seed)
    near = (rng.integers(levels + 1, size=(rows, columns)) / levels).astype(np.float32)
    weights = rng.integers(3, size=columns).astype(float)
    covered = (rng.integers(levels + 1, size=columns) / levels).astype(np.float32)
    expected, now = [], covered.astype(np.float64)
    while True:
        # In float64 these sums are exact: what is equal is so in whatever order it is added up.
        gains = np.maximum(near - now.astype(np.float32), 0) @ weights
        if not gains.any():
            break
        expected.append(int(gains.argmax()))
        now = np.maximum(now, near[expected[-1]])
    assert lazy_greedy(near, covered, weights, rows + 1) == expected


def test_weights_decide_what_is_covered():
    scores = np.zeros(60)
    scores[17] = 0.9
    evidence = shown(1, 60, 1, scores=scores)
    assert list(UncertaintyHerding().choose(evidence)) == [17]


@pytest.mark.parametrize("strategy", [UncertaintyHerding(), UncertaintyHerding(weight="loss")])
def test_without_uncertainty_it_is_herding(strategy):
    evidence = situation(labelled=5, scores=-np.ones(60))  # a measure may be below 0
    assert list(strategy.choose(evidence)) == list(Herding().choose(situation(labelled=5)))


def test_losses_weigh_by_their_ranks():
    evidence = situation(images=40, budget=10)
    ranks = np.arange(40, 0, -1) / 40  # losses fall along the ranking
    again = replace(evidence, scores=evidence.scores * ranks)
    assert list(UncertaintyHerding(weight="loss").choose(evidence)) == list(UncertaintyHerding().choose(again))


@pytest.mark.parametrize("scores", [np.ones(60), np.linspace(0, 1, 60)])
def test_copies_come_last(scores):
    features = np.repeat(photos(2, 20), 3, axis=0)
    evidence = replace(shown(2, 60, 60, scores=scores), features=features)
    chosen = UncertaintyHerding().choose(evidence)
    assert sorted(chosen[:20] // 3) == list(range(20))
    assert list(chosen[:20] % 3) == [0] * 20  # the first of each
    assert sorted(chosen) == list(range(60))


def test_what_is_labelled_already_gains_nothing():
    features = photos(3, 40)
    evidence = replace(situation(images=40, budget=40, features=features), labelled=features[:10])
    assert sorted(Herding().choose(evidence)[30:]) == list(range(10))


def test_rest_after_everything_uncertain_is_covered_is_herding():
    scores = np.where(np.arange(60) < 3, 1.0, 0.0)
    evidence = shown(4, 60, 20, scores=scores)
    features, chosen = evidence.features, UncertaintyHerding().choose(evidence)
    first = next(at for at in range(21) if set(range(3)) <= set(chosen[:at].tolist()))
    rest = replace(evidence, labelled=features[chosen[:first]], budget=20 - first)
    assert list(chosen[first:]) == list(Herding().choose(rest))


def test_one_image_can_be_chosen():
    for features in (np.ones((1, 6), np.float32), np.zeros((1, 6), np.float32)):
        for labelled in (features, features[:0]):
            evidence = replace(situation(images=1, budget=1, features=features), labelled=labelled)
            assert list(Herding().choose(evidence)) == [0]


def test_length_and_half_precision_of_features_do_not_matter():
    evidence = shown(5, 60, 12)
    half = evidence.features.astype(np.float16)
    single = half.astype(np.float32)
    longer = (single * 2.0 ** (np.arange(60)[:, None] % 31)).astype(np.float32)
    choices = [list(Herding().choose(replace(evidence, features=some))) for some in (single, half, longer)]
    assert choices[0] == choices[1] == choices[2]


def test_products_of_features_on_the_grid_are_exact():
    features = photos(6, 200, dimensions=1280)
    rows = read_on_grid(features, slice(None))
    exact = rows.double() @ rows.double().T
    assert ((rows @ rows.T).double() == exact).all()
    assert (rows[:, :7] @ rows[:, :7].T + rows[:, 7:] @ rows[:, 7:].T == rows @ rows.T).all()
    np.testing.assert_allclose(rows.norm(dim=1), 63 / 64, atol=1e-3)


@pytest.mark.parametrize("budget", [3, 12, 60])
def test_large_pools_are_covered_in_parts(budget, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(coverage, "MOST", 20)
    sizes = []
    made = coverage.gaussian
    monkeypatch.setattr(coverage, "gaussian", lambda *some: sizes.append(len(some[0])) or made(*some))
    chosen = Herding().choose(situation(budget=budget))
    assert len(set(chosen.tolist())) == budget
    assert max(sizes) == 20
    assert len(sizes) == {3: 1, 12: 3, 60: 9}[budget]  # 5 of 20 each, until 20 are left


def test_sample_is_of_what_weighs_and_stands_for_the_rest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(coverage, "MOST", 50)
    rng = np.random.default_rng(0)
    weights = rng.random(500) ** 4
    weights[:400] = 0
    sums = []
    for _ in range(400):
        drawn, stands_for = coverage.sample(np.arange(500), weights, rng)
        assert len(drawn) == 50
        assert drawn.min() >= 400
        sums.append(stands_for.sum())
    assert np.mean(sums) == pytest.approx(weights.sum(), rel=0.01)
    drawn, stands_for = coverage.sample(np.arange(500), np.where(weights > 0.5, weights, 0), rng)
    assert sorted(stands_for[stands_for > 0]) == sorted(weights[weights > 0.5])  # fewer than 50: none stands for others


def test_sampled_cover_is_nearly_as_good(monkeypatch: pytest.MonkeyPatch):
    features, labelled = photos(7, 2000), np.zeros((0, 64), np.float32)
    near = kernel(unit(features), unit(features), 0.5)
    exactly, by_chance = (
        near[rows].max(0).sum()
        for rows in (
            cover(features, labelled, np.ones(2000), 0.5, 50, np.random.default_rng(0)),
            np.random.default_rng(0).choice(2000, 50, replace=False),
        )
    )
    monkeypatch.setattr(coverage, "MOST", 1000)
    sampled = near[cover(features, labelled, np.ones(2000), 0.5, 50, np.random.default_rng(0))].max(0).sum()
    assert exactly - sampled < (exactly - by_chance) / 3
