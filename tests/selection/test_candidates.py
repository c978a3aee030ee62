"""A query holds `budget` distinct unlabelled ids of its scope: those of the highest scores."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.errors import InputError
from pt4al.selection.candidates import STARTS, check_budget, check_enough, pick, start
from pt4al.selection.ranking import rank, split

CYCLES = 4


def ranking(images: int = 40) -> pd.DataFrame:
    losses = np.random.default_rng(0).random(images)
    return split(rank([f"image {row}" for row in range(images)], losses), CYCLES)


@st.composite
def candidates(draw):
    """Some images of a ranking, one at least."""
    ranked = ranking(draw(st.integers(CYCLES, 40)))
    places = draw(st.sets(st.integers(0, len(ranked) - 1), min_size=1))
    return ranked.iloc[sorted(places)]


@given(left=candidates(), data=st.data())
def test_query_says_of_each_image_chosen_its_score_and_batch(left, data):
    # Few different scores: many ties.
    scores = data.draw(st.lists(st.integers(0, 3), min_size=len(left), max_size=len(left)))
    budget = data.draw(st.integers(0, len(left)))
    query = pick(left, np.argsort(-np.array(scores), kind="stable")[:budget], np.array(scores, np.float32))
    best = sorted(range(len(left)), key=lambda position: (-scores[position], position))[:budget]
    assert list(query["id"]) == list(left["id"].iloc[best])
    assert list(query["score"]) == [scores[position] for position in best]
    assert list(query["batch"]) == list(left["batch"].iloc[best])
    assert query["id"].is_unique


@pytest.mark.parametrize("rule", STARTS)
@given(left=candidates(), data=st.data())
def test_start_is_a_budget_of_distinct_candidates_without_scores(rule, left, data):
    budget = data.draw(st.integers(0, len(left)))
    query = start(left, rule, budget, np.random.default_rng(0))
    assert len(query) == budget
    assert query["id"].is_unique
    assert set(query["id"]) <= set(left["id"])
    assert query["score"].isna().all()


@given(size=st.integers(1, 500), data=st.data())
def test_even_intervals_are_distinct_in_range_and_differ_by_at_most_one(size, data):
    budget = data.draw(st.integers(1, size))
    positions = STARTS["even_intervals"](size, budget, np.random.default_rng(0))
    steps = np.diff([*positions, size])
    assert positions[0] == 0
    assert steps.min() >= 1
    assert steps.max() - steps.min() <= 1


def test_even_intervals_of_pt4al_are_every_fifth_of_its_first_batch():
    positions = STARTS["even_intervals"](5000, 1000, np.random.default_rng(0))
    assert list(positions) == list(range(0, 5000, 5))


def test_random_start_is_the_generators():
    draw = lambda seed: list(start(ranking(), "random", 10, np.random.default_rng(seed))["id"])  # noqa: E731
    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_budget_larger_than_the_candidates_is_refused_with_both_numbers():
    left = ranking(10)
    message = "`cycles.budget` 11 exceeds the 10 images that may still be chosen"
    with pytest.raises(InputError, match=message):
        check_enough(left, 11)
    with pytest.raises(InputError, match=message):
        start(left, "random", 11, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("images", "cycles", "budget", "scope", "message"),
    [
        (3, 4, 1, "pool", "`cycles.number` 4 exceeds the pool, which holds 3 images"),
        (50, 7, 8, "batch", "`cycles.budget` 8 exceeds the smallest batch, which holds 7 of 50 images"),
        (50, 7, 8, "pool", "`cycles.budget` 8 in 7 cycles asks for 56 labels; the pool holds 50 images"),
    ],
)
def test_run_that_would_run_out_of_images_is_refused_before_it_starts(images, cycles, budget, scope, message):
    with pytest.raises(InputError, match=message):
        check_budget(images, [budget] * cycles, scope)


def test_budgets_that_grow_are_added_up_and_the_largest_must_fit_its_batch():
    check_budget(70, [10, 20, 40], "pool")
    with pytest.raises(InputError, match=r"`cycles.budget` 10/20/40 in 3 cycles asks for 70 labels; the pool holds 69"):
        check_budget(69, [10, 20, 40], "pool")
    with pytest.raises(InputError, match=r"`cycles.budget` 40 exceeds the smallest batch, which holds 33 of 100"):
        check_budget(100, [10, 20, 40], "batch")


@given(images=st.integers(1, 60), cycles=st.integers(1, 60), budget=st.integers(1, 60))
def test_budget_that_passes_the_check_feeds_every_batch(images, cycles, budget):
    try:
        check_budget(images, [budget] * cycles, "batch")
    except InputError:
        return
    ranked = split(rank([str(row) for row in range(images)], np.arange(images, dtype=float)), cycles)
    assert ranked["batch"].value_counts().min() >= budget
