"""Whether arms differ, and by how much equal ones do."""

from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from pt4al.errors import InputError
from pt4al.statistics.paired import holm, interval, noise_floor, paired, penalties, signed_ranks, t_test
from support.arms import cells

VALUES = st.lists(st.floats(0, 1), min_size=2, max_size=6)


def table(values: dict[str, list[float]], repeat: int = 0) -> pd.DataFrame:
    rows = [(arm, seed, repeat, value) for arm, areas in values.items() for seed, value in enumerate(areas)]
    return pd.DataFrame(rows, columns=["arm", "seed", "repeat", "area"])


THREE = table({"a": [0.7, 0.72, 0.75, 0.71], "b": [0.71, 0.74, 0.78, 0.73], "c": [0.69, 0.75, 0.72, 0.7]})


def test_differences_are_those_of_a_paired_t_test_in_points():
    row = paired(THREE, "area", ["a"]).iloc[0]
    plain = stats.ttest_rel([0.71, 0.74, 0.78, 0.73], [0.7, 0.72, 0.75, 0.71])
    low, high = plain.confidence_interval(0.95)
    assert (row["arm"], row["against"], row["seeds"]) == ("b", "a", 4)
    assert row["difference"] == pytest.approx(2)
    assert row["p"] == pytest.approx(plain.pvalue)
    assert (row["low"], row["high"]) == pytest.approx((100 * low, 100 * high))
    assert row["p_wilcoxon"] == pytest.approx(0.125)


def test_holm_multiplies_the_smallest_p_by_the_number_of_tests():
    tests = paired(THREE, "area", ["a", "b"]).sort_values("p")
    assert len(tests) == 3
    smallest, middle, greatest = tests["p"]
    expected = np.minimum(np.maximum.accumulate([3 * smallest, 2 * middle, greatest]), 1)
    assert list(tests["p_holm"]) == pytest.approx(list(expected))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_that_of_statsmodels(values):
    p = np.array(values)
    with mock.patch("gc.collect"):
        expected = multipletests(p, method="holm")[1]
    np.testing.assert_allclose(holm(p), expected)


def test_two_opponents_are_tested_against_each_other_once():
    tests = paired(THREE, "area", ["a", "b"])
    assert sorted(zip(tests["arm"], tests["against"], strict=True)) == [("b", "a"), ("c", "a"), ("c", "b")]


def test_pairs_are_made_by_seed_and_not_by_order():
    shuffled = THREE.sample(frac=1, random_state=np.random.default_rng(0))
    tests, other = (
        paired(rows, "area", ["a"]).set_index("arm").loc[["b", "c"], ["difference", "p"]] for rows in (THREE, shuffled)
    )
    pd.testing.assert_frame_equal(tests, other)


def test_repetitions_are_no_further_seeds():
    repeated = pd.concat([THREE, table({"a": [0.9] * 4}, repeat=1)])
    pd.testing.assert_frame_equal(paired(repeated, "area", ["a"]), paired(THREE, "area", ["a"]))


@settings(max_examples=settings.default.max_examples // 2)
@given(VALUES, st.randoms(use_true_random=False))
def test_swapping_arms_turns_every_sign_and_keeps_every_p(values, random):
    both = table({"a": values, "b": random.sample(values, len(values))})
    one, other = paired(both, "area", ["a"]).iloc[0], paired(both, "area", ["b"]).iloc[0]
    assert one["difference"] == pytest.approx(-other["difference"], abs=1e-9)
    assert one["low"] == pytest.approx(-other["high"], abs=1e-9)
    assert [one["p"], one["p_wilcoxon"]] == pytest.approx([other["p"], other["p_wilcoxon"]])


@settings(max_examples=settings.default.max_examples // 2)
@given(VALUES)
def test_an_arm_has_no_difference_to_its_equal(values):
    row = paired(table({"a": values, "b": values}), "area", ["a"]).iloc[0]
    assert (row["difference"], row["low"], row["high"], row["p"], row["p_wilcoxon"]) == (0, 0, 0, 1, 1)


def test_differences_without_spread_are_judged_by_their_signs():
    # A t of infinity would call two equal differences certain.
    assert t_test(np.array([0.01, 0.01])) == pytest.approx(0.5)
    assert t_test(np.array([0.01] * 6)) == pytest.approx(1 / 32)


@pytest.mark.parametrize("seeds", [3, 10, 20, 60])
def test_ties_and_zeros_have_a_signed_rank_p_that_does_not_depend_on_the_side(seeds):
    # A test split of 100 images: accuracies differ by whole points.
    differences = np.random.default_rng(0).integers(-2, 4, seeds) / 100
    assert 0 < signed_ranks(differences) <= 1
    assert signed_ranks(-differences) == pytest.approx(signed_ranks(differences))


def test_interval_of_one_value_is_unknown():
    mean, low, high = interval(np.array([0.5]))
    assert mean == 0.5 and np.isnan(low) and np.isnan(high)


def test_arms_without_common_seeds_are_refused():
    apart = THREE[((THREE["arm"] == "a") & (THREE["seed"] < 2)) | ((THREE["arm"] == "b") & (THREE["seed"] > 0))]
    with pytest.raises(InputError, match="arms b and a share 1 of their seeds"):
        paired(apart, "area", ["a"])


def test_an_opponent_without_cells_is_named():
    with pytest.raises(InputError, match="arm margin has no cells to compare with: there are a, b, c"):
        paired(THREE, "area", ["margin"])


def test_penalty_is_the_share_of_cycles_that_are_lost():
    curves = cells({"good": 0.05, "bad": 0.0})
    good, bad = (curves[(curves["arm"] == arm) & (curves["cycle"] < 2)].index for arm in ("good", "bad"))
    curves.loc[good, "accuracy"] = curves.loc[bad, "accuracy"].to_numpy()
    matrix = penalties(curves, "accuracy")
    assert matrix.loc["good", "bad"] == 0.5
    assert matrix.loc["bad", "good"] == matrix.loc["good", "good"] == 0


def test_no_two_arms_beat_each_other_at_one_point():
    matrix = penalties(cells({"a": 0.0, "b": 0.004, "c": -0.003, "d": 0.0}, noise=0.004), "accuracy")
    assert ((matrix + matrix.T) <= 1).all(axis=None) and matrix.to_numpy().any()


def test_noise_floor_is_that_of_repetitions_minus_first_runs():
    first = table({"a": [0.7, 0.72, 0.75], "b": [0.8, 0.8, 0.8]})
    again = table({"a": [0.71, 0.72, 0.74]}, repeat=1)
    floor = noise_floor(pd.concat([first, again]), "area")
    assert (floor["arm"], floor["seeds"]) == ("a", 3)
    assert floor["deviation"] == pytest.approx(1)
    # The interval of a mean of three.
    assert floor["floor"] == pytest.approx(stats.t.ppf(0.975, 2) / np.sqrt(3))


def test_two_equal_arms_stay_within_the_noise_floor_in_about_95_of_100_comparisons():
    rng = np.random.default_rng(0)
    within = []
    for _ in range(200):
        first, again, other = rng.normal(0.7, 0.01, (3, 5))
        both = pd.concat([table({"a": first, "b": other}), table({"a": again}, repeat=1)])
        within.append(abs(np.mean(other - first)) < noise_floor(both, "area")["floor"] / 100)
    assert 0.91 <= np.mean(within) <= 0.99


@pytest.mark.parametrize("seeds", [0, 1])
def test_without_repetitions_there_is_no_noise_floor(seeds):
    repeated = table({"a": [0.7] * seeds}, repeat=1)
    assert noise_floor(pd.concat([THREE, repeated]), "area") is None
