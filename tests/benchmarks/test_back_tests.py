"""Forecasts and rules to stop are judged on recorded curves."""

from types import ModuleType

import numpy as np
import pandas as pd
import pytest

LABELS = 200.0 * np.arange(1, 6)


@pytest.fixture
def back_tests(beside_benchmarks: None) -> ModuleType:
    import back_tests

    return back_tests


def true_curve(labels: np.ndarray) -> np.ndarray:
    return 0.9 - 0.25 * (labels / 200) ** -0.6


def curve(values: list[float], images: int | None = None) -> pd.DataFrame:
    table = pd.DataFrame({"labels": 100 * np.arange(1, len(values) + 1), "value": values})
    half = 0 if images is None else 2 * np.sqrt(table["value"] * (1 - table["value"]) / images)
    return table.assign(low=table["value"] - half, high=table["value"] + half)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_back_tests_see_only_the_points_before(back_tests):
    curve = pd.DataFrame({"run": "a", "labels": LABELS, "value": true_curve(LABELS)})
    found = back_tests.back_test(curve, rng())
    assert list(zip(found["known"], found["ahead"], strict=True)) == [(3, 1), (3, 2), (4, 1)]
    assert found["truth"].to_numpy() == pytest.approx(true_curve(LABELS)[[3, 4, 4]])
    assert found["last"].to_numpy() == pytest.approx(true_curve(LABELS)[[2, 2, 3]])
    other = back_tests.back_test(curve.assign(value=[*curve["value"][:4], 0.1]), rng())
    pd.testing.assert_frame_equal(other.drop(columns=["truth", "inside"]), found.drop(columns=["truth", "inside"]))
    steps = true_curve(LABELS)
    assert found["slope"].iloc[1] == pytest.approx(steps[2] + 2 * (steps[2] - steps[1]))


def test_back_tests_of_noisy_points_are_judged_by_the_truth(back_tests):
    facts = {"run": "a", "labels": LABELS, "images": 20, "truth": true_curve(LABELS)}
    found = back_tests.back_test(pd.DataFrame({**facts, "value": [0.6, 0.9, 0.7, 0.8, 0.9]}), rng())
    assert found["truth"].iloc[0] == pytest.approx(true_curve(LABELS)[3])
    assert found["inside"].all()


def test_curves_of_three_points_leave_nothing_to_test(back_tests):
    curve = pd.DataFrame({"run": "a", "labels": LABELS[:3], "value": true_curve(LABELS[:3])})
    assert back_tests.back_test(curve, rng()).empty


def test_a_curve_that_ends_its_rise_is_left_and_one_that_rises_is_not(back_tests):
    rises, ends = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8], [0.5, 0.8, 0.8, 0.8, 0.8, 0.8]
    curves = pd.concat([curve(rises).assign(run="rises"), curve(ends).assign(run="ends")])
    found = back_tests.judge(curves[["run", "labels", "value"]], {"gain": 0.5, "target": 0.75}, rng())
    found = found.set_index(["run", "rule"])
    assert found.loc[("rises", "gain"), "saved"] == 0
    assert found.loc[("rises", "gain"), "lost"] == 0
    assert found.loc[("rises", "target"), "lost"] == 0
    assert found.loc[("ends", "gain"), "saved"] > 0
    assert found.loc[("ends", "target"), "stopped_at"] == 200
    assert found.loc[("ends", "target"), "saved"] == 400


def test_what_is_lost_is_counted_by_the_truth_and_not_by_the_noise(back_tests):
    points = curve([0.6, 0.95, 0.7], images=100).assign(run="a", images=100, truth=[0.6, 0.7, 0.75])
    found = back_tests.judge(points, {"target": 0.9}, rng()).iloc[0]
    assert (found["stopped_at"], found["truth"], found["saved"]) == (200, 0.7, 100)
    assert found["lost"] == pytest.approx(5)
