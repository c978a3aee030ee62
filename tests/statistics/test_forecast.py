"""How learning curves are continued."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from pt4al.statistics.forecast import FEWEST, forecast, power_law, together
from pt4al.statistics.intervals import share

LABELS = 200.0 * np.arange(1, 6)
AHEAD = np.array([1200.0, 1400, 2000])


def true_curve(labels: np.ndarray) -> np.ndarray:
    return 0.9 - 0.25 * (labels / 200) ** -0.6


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_two_points_are_no_curve():
    assert forecast(LABELS[:2], np.array([0.5, 0.6]), None, AHEAD, rng()) is None


def test_a_power_law_is_continued():
    found = forecast(LABELS, true_curve(LABELS), None, AHEAD, rng())
    assert found["value"].to_numpy() == pytest.approx(true_curve(AHEAD), abs=0.02)
    assert ((found["low"] < true_curve(AHEAD)) & (true_curve(AHEAD) < found["high"])).all()
    assert found["gain"].to_numpy() == pytest.approx(true_curve(AHEAD) - true_curve(LABELS[-1]), abs=0.02)


def test_the_fit_is_the_least_squares_of_scipy():
    values, noise = true_curve(LABELS) + np.array([0.02, -0.01, 0, 0.015, -0.01]), np.array([3, 2, 2, 1, 1]) / 100.0
    law = lambda labels, ceiling, drop, rate: ceiling - drop * (labels / 1000) ** -rate  # noqa: E731
    fitted, _ = curve_fit(law, LABELS, values, (0.9, 0.2, 0.5), noise, bounds=([0, 0, 0.05], [1, 9, 2]))
    ours = power_law(LABELS, values[None], noise, AHEAD)[0]
    assert ours == pytest.approx(law(AHEAD, *fitted), abs=0.002)


@given(st.lists(st.floats(0, 1), min_size=FEWEST, max_size=8), st.integers(5, 500))
def test_a_forecast_never_falls_and_stays_a_share(values, images):
    labels = 100.0 * np.arange(1, len(values) + 1)
    found = forecast(labels, np.array(values), np.full(len(values), images), labels[-1] + AHEAD, rng())
    assert (found["value"].diff().dropna() >= -1e-9).all()
    assert (found["gain"] >= -1e-9).all()
    assert (found["low"] >= 0).all()
    assert (found["value"].between(0, 1)).all()
    assert (found["high"] <= 1).all()
    assert (found["low"] <= found["high"]).all()


def test_fewer_images_and_more_cycles_ahead_widen_the_band():
    def width(images: int) -> np.ndarray:
        found = forecast(LABELS, true_curve(LABELS), np.full(5, images), AHEAD, rng())
        return (found["high"] - found["low"]).to_numpy()

    assert (width(20) > width(200)).all()
    assert width(200)[0] < width(200)[-1]


def test_what_the_points_do_not_weigh_does_not_bend_the_curve():
    # The second point was measured on two images.
    values = true_curve(LABELS)
    values[1] = 0.2
    found = forecast(LABELS, values, np.array([2000, 2, 2000, 2000, 2000]), AHEAD, rng())
    assert found["value"].iloc[0] == pytest.approx(true_curve(AHEAD)[0], abs=0.02)


def test_nothing_to_come_is_an_empty_forecast_and_the_same_seed_gives_the_same():
    assert forecast(LABELS, true_curve(LABELS), None, np.array([]), rng()).empty
    twice = [forecast(LABELS, true_curve(LABELS), None, AHEAD, rng()) for _ in range(2)]
    pd.testing.assert_frame_equal(*twice)


def test_all_slices_together_say_more_of_the_newest_cycle_than_its_own():
    found = together(LABELS, true_curve(LABELS), np.full(5, 20), rng())
    own = share(20 * true_curve(LABELS)[-1], 20)
    assert own["low"] < found["low"] < found["value"] < found["high"] < own["high"]
    assert found["value"] == pytest.approx(true_curve(LABELS)[-1], abs=0.05)
    assert together(LABELS[:2], np.array([0.5, 0.6]), np.array([9, 9]), rng()) is None


def test_points_that_were_wrong_together_leave_the_forecast_as_wrong():
    images = 20.0 * np.arange(1, 6)

    def width(nested: bool) -> float:
        found = forecast(LABELS, true_curve(LABELS), images, AHEAD, rng(), nested)
        return (found["high"] - found["low"]).iloc[0]

    assert width(nested=True) > 1.1 * width(nested=False)
