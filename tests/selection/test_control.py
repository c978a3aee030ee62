"""Control slices: random, apart, and in places that tell nobody anything."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.errors import InputError
from pt4al.selection.control import mix, reserved, set_apart, size, take

IDS = pd.Series([f"i{number}" for number in range(200)])


@given(st.integers(2, 1000), st.floats(0.001, 0.99))
def test_a_slice_is_neither_nothing_nor_all(budget: int, share: float) -> None:
    assert 1 <= size(budget, share) < budget


def test_no_share_is_no_slice() -> None:
    assert size(100, 0) == 0


@given(st.lists(st.integers(2, 30), min_size=1, max_size=6), st.floats(0.01, 0.5), st.integers(0, 2**32 - 1))
def test_slices_follow_each_other_share_no_image_and_a_seed_gives_the_same(
    budgets: list[int], share: float, seed: int
) -> None:
    apart = set_apart(IDS, budgets, share, np.random.default_rng(seed))
    pd.testing.assert_frame_equal(apart, set_apart(IDS, budgets, share, np.random.default_rng(seed)))
    used = IDS.head(0)
    for budget in budgets:
        taken = take(apart, used, size(budget, share))["id"]
        assert not taken.isin(used).any()
        used = pd.concat([used, taken])
    assert list(used) == list(apart["id"].head(len(used)))


@given(st.lists(st.integers(2, 30), min_size=1, max_size=6), st.floats(0.01, 0.5))
def test_what_is_set_apart_leaves_enough_for_the_planned_queries(budgets: list[int], share: float) -> None:
    apart = reserved(len(IDS), budgets, share)
    sizes = [size(budget, share) for budget in budgets]
    assert sum(sizes) <= apart <= len(IDS) - (sum(budgets) - sum(sizes))


def test_slices_last_until_the_whole_pool_is_labelled_whatever_was_planned() -> None:
    apart = set_apart(IDS, [20], 0.1, np.random.default_rng(0))
    used = IDS.head(0)
    for _ in range(10):  # ten times as many cycles as there were planned
        used = pd.concat([used, take(apart, used, size(20, 0.1))["id"]])
    assert len(used) == 20
    with pytest.raises(InputError, match="needs 2 images, and 0 of the 20 are left that were set apart"):
        take(apart, used, 2)


def test_every_image_is_as_likely_as_any_other_in_each_slice() -> None:
    counts = np.zeros((2, 200))
    for seed in range(500):
        apart = set_apart(IDS, [100, 100], 0.1, np.random.default_rng(seed))
        first = take(apart, IDS.head(0), 10)
        second = take(apart, first["id"], 10)
        for row, taken in zip(counts, (first, second), strict=True):
            row[pd.Index(IDS).get_indexer(taken["id"])] += 1
    assert (counts > 0).all()
    assert (counts.std(axis=1) < 1.3 * (500 * 0.05 * 0.95) ** 0.5).all()


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(InputError, match="asks for 250 images in 5 cycles; 200 have no label"):
        set_apart(IDS, [100] * 5, 0.5, np.random.default_rng(0))


@given(st.integers(1, 30), st.integers(0, 10), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_mixing_loses_nothing_and_keeps_each_ones_order(own: int, control: int, reserve: int, seed: int) -> None:
    query = pd.DataFrame({"id": [f"q{n:02d}" for n in range(own)] + [f"r{n}" for n in range(reserve)]})
    query["role"] = ["query"] * own + ["reserve"] * reserve
    slice_ = pd.DataFrame({"id": [f"c{n}" for n in range(control)], "role": "control"})
    mixed = mix(query, slice_, np.random.default_rng(seed))
    for role in ("query", "control", "reserve"):
        ids = list(mixed["id"][mixed["role"] == role])
        assert ids == sorted(ids)
    assert len(mixed) == own + control + reserve
    assert list(mixed["role"][own + control :]) == ["reserve"] * reserve
