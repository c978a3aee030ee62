"""Strategies that need no features: what they choose, written out."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import percentileofscore

from pt4al.selection.strategies.audited import Audited
from pt4al.selection.strategies.coreset import Coreset
from pt4al.selection.strategies.loss_weighted import LossWeighted
from pt4al.selection.strategies.shortlist import Shortlist
from pt4al.selection.strategies.strata import Strata
from pt4al.selection.strategies.top import Top
from pt4al.selection.strategies.typical_first import TypicalFirst
from pt4al.selection.strategies.typiclust import TypiClust
from support.situations import CLASSES, situation


def best(scores: np.ndarray, rows: list[int], number: int) -> list[int]:
    """Return the rows of highest scores; ties to the first."""
    return sorted(rows, key=lambda row: (-scores[row], row))[:number]


@given(values=st.lists(st.integers(0, 3), min_size=1, max_size=40), data=st.data())
def test_top_is_the_highest_scores_ties_to_the_first_in_the_ranking(values, data):
    scores, budget = np.array(values, np.float32), data.draw(st.integers(1, len(values)))
    evidence = situation(images=len(values), budget=budget, scores=scores)
    assert list(Top().choose(evidence)) == best(scores, list(range(len(values))), budget)


@given(seed=st.integers(0, 999), number=st.integers(1, 20), each=st.integers(1, 3))
def test_strata_each_give_their_best(seed, number, each):
    evidence = situation(seed, images=number * 5, budget=number * each)
    strata = [list(range(first, first + 5)) for first in range(0, number * 5, 5)]
    expected = [row for rows in strata for row in best(evidence.scores, rows, each)]
    assert set(Strata(number).choose(evidence)) == set(expected)


@given(seed=st.integers(0, 999), images=st.integers(4, 60), budget=st.integers(1, 4))
def test_small_budget_is_spread_over_as_many_strata(seed, images, budget):
    chosen = Strata().choose(situation(seed, images=images, budget=budget))
    assert sorted(chosen * budget // images) == list(range(budget))


@given(seed=st.integers(0, 999), weight=st.floats(0, 1))
def test_loss_weighted_is_the_weighted_mean_of_percentiles(seed, weight):
    rng = np.random.default_rng(seed)
    scores, losses = rng.integers(0, 9, size=(2, 30)).astype(float)
    evidence = situation(images=30, budget=6, scores=scores, losses=losses)
    mixed = [
        (1 - weight) * percentileofscore(scores, score, "mean") + weight * percentileofscore(losses, loss, "mean")
        for score, loss in zip(scores, losses, strict=True)
    ]
    chosen = LossWeighted(weight).choose(evidence)
    # Sums that are equal but for rounding may change places.
    np.testing.assert_allclose([mixed[row] for row in chosen], sorted(mixed, reverse=True)[:6])


@pytest.mark.parametrize(
    ("correlation", "budget", "rows"),
    [
        (0.31, 12, range(20, 40)),  # batch 1 of three
        (0.3, 12, range(60)),
        (None, 12, range(60)),
        (float("nan"), 12, range(60)),
        (0.31, 21, range(60)),  # the batch holds 20
    ],
)
def test_audited_follows_the_batch_only_while_the_audit_says_so(correlation, budget, rows):
    evidence = situation(budget=budget, correlation=correlation)
    assert list(Audited().choose(evidence)) == best(evidence.scores, list(rows), budget)


@pytest.mark.parametrize("first", [TypiClust, Coreset])
@pytest.mark.parametrize("labelled", [0, 2 * CLASSES - 1, 2 * CLASSES])
def test_typical_first_changes_over_when_labels_are_enough(first, labelled):
    strategy = TypicalFirst(per_class=2, first=first.__name__.lower())
    expected = Top() if labelled == 2 * CLASSES else first()
    evidence = lambda: situation(labelled=labelled)  # noqa: E731
    assert list(strategy.choose(evidence())) == list(expected.choose(evidence()))


@given(seed=st.integers(0, 99), multiple=st.integers(1, 8))
def test_shortlist_is_some_of_the_best_best_first(seed, multiple):
    evidence = situation(seed)
    wanted = best(evidence.scores, list(range(60)), 12 * multiple)
    chosen = list(Shortlist(multiple).choose(evidence))
    assert set(chosen) <= set(wanted)
    assert chosen == best(evidence.scores, chosen, 12)


def test_shortlist_gives_each_of_the_best_the_same_chance():
    evidence, times = situation(), np.zeros(60)
    for seed in range(600):
        times[Shortlist().choose(replace(evidence, rng=np.random.default_rng(seed)))] += 1
    among = times[best(evidence.scores, list(range(60)), 36)]
    assert among.sum() == times.sum()
    assert (abs(among - 200) < 5 * np.sqrt(600 / 3 * 2 / 3)).all()
