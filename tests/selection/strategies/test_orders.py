"""Strategies that need no features: what they choose, written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.selection.strategies.coreset import Coreset
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


@pytest.mark.parametrize("first", [TypiClust, Coreset])
@pytest.mark.parametrize("labelled", [0, 2 * CLASSES - 1, 2 * CLASSES])
def test_typical_first_changes_over_when_labels_are_enough(first, labelled):
    strategy = TypicalFirst(per_class=2, first=first.__name__.lower())
    expected = Top() if labelled == 2 * CLASSES else first()
    evidence = lambda: situation(labelled=labelled)  # noqa: E731
    assert list(strategy.choose(evidence())) == list(expected.choose(evidence()))
