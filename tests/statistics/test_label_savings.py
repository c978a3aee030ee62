"""How many labels the reference needs."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.statistics.label_savings import savings
from support.arms import cells


def curves(values: dict[str, list[float]], labels: list[int], seeds: int = 2) -> pd.DataFrame:
    rows = [
        {"arm": arm, "seed": seed, "repeat": 0, "labels": number, "accuracy": value}
        for arm, curve in values.items()
        for seed in range(seeds)
        for number, value in zip(labels, curve, strict=True)
    ]
    return pd.DataFrame(rows)


def needed(values: dict[str, list[float]], labels: list[int], arm: str) -> list[float]:
    table = savings(curves(values, labels), "accuracy", "random", np.random.default_rng(0), resamples=5)
    return list(table.loc[table["arm"] == arm, "needed"])


def test_labels_needed_lie_between_the_references_points():
    both = {"random": [0.5, 0.6, 0.8], "ours": [0.55, 0.7, 0.75]}
    assert needed(both, [100, 200, 400], "ours") == pytest.approx([150, 300, 350])


def test_what_the_reference_never_reaches_is_infinite_and_what_it_starts_above_is_its_start():
    both = {"random": [0.5, 0.6, 0.7], "ours": [0.3, 0.7, 0.71]}
    assert needed(both, [100, 200, 300], "ours") == [100, 300, np.inf]


def test_a_dip_of_the_reference_does_not_count_as_being_overtaken():
    # Made monotone, the reference stands at 0.55 from 200 to 300.
    both = {"random": [0.5, 0.6, 0.5, 0.7], "ours": [0.5, 0.54, 0.56, 0.7]}
    assert needed(both, [100, 200, 300, 400], "ours") == pytest.approx([100, 180, 306.67, 400], abs=0.01)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_the_reference_needs_its_own_labels(steps):
    rising = list(np.cumsum(steps) / 1000)
    labels = [10 * (place + 1) for place in range(len(steps))]
    table = savings(
        curves({"random": rising}, labels, seeds=1), "accuracy", "random", np.random.default_rng(0), resamples=5
    )
    for name in ("needed", "low", "high"):
        assert list(table[name]) == pytest.approx(labels)


@given(st.integers(0, 40))
def test_a_better_curve_never_needs_fewer_labels(gain):
    rising = np.array([0.5, 0.6, 0.65, 0.8])
    both = {"random": list(rising), "ours": list(rising + gain / 100), "better": list(rising + gain / 100 + 0.01)}
    labels = [100, 200, 300, 400]
    assert all(np.array(needed(both, labels, "better")) >= needed(both, labels, "ours"))


def test_interval_holds_the_number_and_is_wider_with_more_noise():
    widths = []
    for noise in (0.001, 0.01):
        table = savings(
            cells({"random": 0.0, "ours": 0.03}, noise=noise), "accuracy", "random", np.random.default_rng(0)
        )
        row = table[(table["arm"] == "ours") & (table["labels"] == 200)].iloc[0]
        assert row["low"] <= row["needed"] <= row["high"]
        widths.append(row["high"] - row["low"])
    assert widths[0] < widths[1]


def test_repetitions_are_left_out():
    rows = cells({"random": 0.0, "ours": 0.03}, repeated="random")
    tables = [
        savings(table, "accuracy", "random", np.random.default_rng(0)) for table in (rows, rows[rows["repeat"] == 0])
    ]
    pd.testing.assert_frame_equal(*tables)
