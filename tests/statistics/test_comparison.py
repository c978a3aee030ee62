"""How cells are summed up."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pt4al.errors import InputError
from pt4al.statistics.comparison import ComparisonSettings, by_arm, compare, summary
from support.arms import RULE, cells


def curve(values: list[float], labels: list[int], arm: str = "a", seed: int = 0) -> pd.DataFrame:
    names = {"arm": arm, "seed": seed, "repeat": 0, "run": f"c-{arm}-s{seed}"}
    return pd.DataFrame(names | {"cycle": range(len(labels)), "labels": labels, "accuracy": values})


def test_area_is_the_mean_height_over_the_labels_and_not_over_the_cycles():
    (row,) = summary(curve([0.5, 0.7, 0.8], [100, 200, 500]), "accuracy", 2).to_dict("records")
    assert row["area"] == pytest.approx((0.6 * 100 + 0.75 * 300) / 400)
    assert row["final"] == 0.8
    assert row["low_budget"] == pytest.approx(0.6)
    assert row["run"] == "c-a-s0"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.integers(1, 9))
def test_each_number_lies_between_the_lowest_and_the_highest_point(values, low_budget):
    (row,) = summary(curve(values, list(range(10, 10 + len(values)))), "accuracy", low_budget).to_dict("records")
    for name in ("area", "final", "low_budget"):
        assert min(values) - 1e-9 <= row[name] <= max(values) + 1e-9


def test_cycles_may_come_in_any_order():
    one = cells({"a": 0.0, "b": 0.1})
    other = one.sample(frac=1, random_state=np.random.default_rng(0))
    both = [summary(rows, "accuracy", 2).sort_values("run", ignore_index=True) for rows in (one, other)]
    pd.testing.assert_frame_equal(*both)


def test_cells_with_other_numbers_of_labels_are_refused_by_name():
    apart = pd.concat([curve([0.5, 0.6], [100, 200]), curve([0.5], [100], seed=1)])
    with pytest.raises(InputError, match="c-a-s0 at 100, 200; c-a-s1 at 100"):
        summary(apart, "accuracy", 1)


def test_arms_have_the_mean_and_t_interval_of_their_seeds_in_the_order_of_the_cells():
    table = summary(cells({"b": 0.1, "a": 0.0}, repeated="a"), "accuracy", 2)
    arms = by_arm(table)
    assert list(arms["arm"]) == ["b", "a"] and list(arms["seeds"]) == [5, 5]
    areas = table.loc[(table["arm"] == "a") & (table["repeat"] == 0), "area"]
    low, high = stats.ttest_1samp(areas, 0).confidence_interval(0.95)
    row = arms.set_index("arm").loc["a"]
    assert [row["area"], row["area_low"], row["area_high"]] == pytest.approx([areas.mean(), low, high])


def test_a_comparison_is_the_same_whenever_it_is_made():
    curves = cells({"random": 0.0, "margin": 0.01, "ours": 0.02}, repeated="random")
    others = {"elsewhere": cells({"random": 0.0, "margin": 0.01, "ours": 0.02}, seed=1)}
    settings = ComparisonSettings("accuracy", "random", RULE, 2, others)
    first, second = (compare(curves, settings, np.random.default_rng(0)) for _ in range(2))
    pd.testing.assert_frame_equal(first.savings, second.savings)
    assert first.verdict.won and first.verdict == second.verdict
    assert list(first.ranks["ranks"]) == [3, 2, 1]
    assert set(first.paired["against"]) == {"random", "margin"}
