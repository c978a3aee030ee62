"""How good a model is, by a random sample."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from pt4al.statistics.intervals import accuracy, resampled, share

answers = st.lists(st.booleans(), min_size=1, max_size=60).map(np.array)


@given(answers)
def test_an_interval_holds_the_estimate_and_stays_between_0_and_1(correct):
    found = accuracy(correct)
    assert found["accuracy"] == pytest.approx(correct.mean())
    assert 0 <= found["low"] <= found["accuracy"] + 1e-12
    assert found["accuracy"] - 1e-12 <= found["high"] <= 1


@pytest.mark.parametrize("images", [10, 20, 40, 100, 200])
def test_the_interval_covers_its_truth_as_often_as_it_claims(images):
    bounds = [share(right, images) for right in range(images + 1)]
    low, high = np.array([(found["low"], found["high"]) for found in bounds]).T
    truths = np.arange(0.5, 0.97, 0.01)[:, None]
    covered = (binom.pmf(np.arange(images + 1), images, truths) * ((low <= truths) & (truths <= high))).sum(axis=1)
    assert covered.min() > 0.89
    assert 0.94 < covered.mean() < 0.96


def test_more_images_narrow_the_interval():
    few, many = share(8, 10), share(80, 100)
    assert few["low"] < many["low"] < 0.8 < many["high"] < few["high"]


@given(answers, st.floats(0.01, 1e6))
def test_equal_weights_change_nothing(correct, weight):
    plain, weighted = accuracy(correct), accuracy(correct, np.full(len(correct), weight))
    assert weighted == pytest.approx(plain)


def test_weights_give_the_population_its_share_and_cost_precision():
    # 10 of 900 images, all wrong, and 90 of 100 images, all right: the model is right about a tenth of them.
    correct, weights = np.repeat([False, True], [10, 90]), np.repeat([90.0, 100 / 90], [10, 90])
    found = accuracy(correct, weights)
    assert found["accuracy"] == pytest.approx(0.1)
    assert found["images"] == pytest.approx(1000**2 / (10 * 90**2 + 90 * (100 / 90) ** 2))
    assert found["high"] - found["low"] > accuracy(np.repeat([False, True], [90, 10]))["high"]


@pytest.mark.parametrize(("correct", "weights"), [([], None), ([True], [0.0]), ([True], [1.0, 1.0])])
def test_no_images_and_impossible_weights_are_refused(correct, weights):
    with pytest.raises(ValueError, match=r"at least one|above 0"):
        accuracy(np.array(correct, bool), weights)


def test_the_bootstrap_of_a_mean_agrees_with_the_interval_of_a_share():
    correct = np.repeat([0.0, 1.0], [60, 140])
    found = resampled(200, lambda rows: correct[rows].mean(), np.random.default_rng(0))
    assert found == pytest.approx(share(140, 200), abs=0.02)
