"""Balancing makes the label set's classes as even as the predictions allow."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pt4al.selection.strategies.balance import balanced, quotas
from pt4al.selection.strategies.top import Top
from support.situations import CLASSES, situation


@given(pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=4), data=st.data())
def test_quotas_are_the_most_even_that_there_are(pairs, data):
    counts, available = np.array(pairs).T
    budget = data.draw(st.integers(0, int(available.sum())))
    shares = quotas(counts, available, budget)
    assert shares.sum() == budget
    assert (shares <= available).all()
    possible = [share for share in product(*(range(most + 1) for most in available)) if sum(share) == budget]
    assert np.sum((counts + shares) ** 2) == min(np.sum((counts + share) ** 2) for share in possible)


@given(seed=st.integers(0, 999), budget=st.integers(1, 60), counts=st.lists(st.integers(0, 20), min_size=4, max_size=4))
def test_each_class_gives_its_best_the_rarest_class_first(seed, budget, counts):
    evidence = situation(seed, budget=budget, counts=np.array(counts))
    predicted = evidence.probabilities.argmax(1)
    shares = quotas(evidence.counts, np.bincount(predicted, minlength=CLASSES), budget)
    expected = []
    for label in sorted(range(CLASSES), key=lambda label: (counts[label], label)):
        rows = sorted(np.flatnonzero(predicted == label), key=lambda row: -evidence.scores[row])
        expected += rows[: shares[label]]
    assert list(balanced(Top(), evidence)) == expected
