"""How good a model is, by a random sample."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom

from pt4al.statistics.intervals import resampled, share


@given(st.integers(0, 60), st.integers(0, 60))
def test_an_interval_holds_the_estimate_and_stays_between_0_and_1(right, wrong):
    assume(right + wrong)
    interval = share(right, right + wrong)
    assert 0 <= interval["low"] <= right / (right + wrong) + 1e-12
    assert right / (right + wrong) - 1e-12 <= interval["high"] <= 1


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


def test_the_bootstrap_of_a_mean_agrees_with_the_interval_of_a_share():
    correct = np.repeat([0.0, 1.0], [60, 140])
    found = resampled(200, lambda rows: correct[rows].mean(), np.random.default_rng(0))
    assert found == pytest.approx(share(140, 200), abs=0.02)
