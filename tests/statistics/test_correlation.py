"""What the audit says about the ranking."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from pt4al.statistics.correlation import audit, audit_sentence, rank_correlation

PAIRS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=4, max_size=40)


def correlated(images: int, slope: float, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    pretext = rng.normal(size=images)
    main = slope * pretext + rng.normal(size=images)
    return pd.DataFrame({"id": np.arange(images).astype(str), "pretext_loss": np.exp(pretext), "main_loss": main})


@pytest.mark.parametrize("slope", [0.0, 0.5, -3.0])
def test_correlation_is_spearmans(slope):
    table = correlated(100, slope)
    found = rank_correlation(table["pretext_loss"], table["main_loss"])
    assert found["correlation"] == pytest.approx(spearmanr(table["pretext_loss"], table["main_loss"]).statistic)
    assert found["images"] == 100


def test_interval_covers_the_truth_in_about_95_of_100_samples():
    # Bivariate normal of Pearson's correlation 0.7 has this rank correlation.
    truth = 6 / math.pi * math.asin(0.35)
    slope = 0.7 / math.sqrt(1 - 0.7**2)
    found = [
        rank_correlation(table["pretext_loss"], table["main_loss"])
        for table in (correlated(50, slope, seed) for seed in range(400))
    ]
    assert 0.92 <= np.mean([row["low"] <= truth <= row["high"] for row in found]) <= 0.99


@given(PAIRS)
def test_interval_holds_its_correlation_and_turns_with_the_sign(pairs):
    first, second = np.array(pairs).T
    found, turned = rank_correlation(first, second), rank_correlation(first, -second)
    if found["correlation"] is None:
        assert turned["correlation"] is None
        return
    assert rank_correlation(second, first) == pytest.approx(found)
    assert -1 <= found["low"] <= found["correlation"] + 1e-12
    assert found["correlation"] - 1e-12 <= found["high"] <= 1
    assert turned["correlation"] == pytest.approx(-found["correlation"])
    assert turned["low"] == pytest.approx(-found["high"])


@pytest.mark.parametrize(
    ("first", "second"),
    [([], []), ([1, 2, 3], [1, 2, 3]), ([1, 1, 1, 1, 1], [1, 2, 3, 4, 5]), ([1, 2, 3, math.nan], [1, 2, 3, 4])],
)
def test_too_few_or_constant_losses_have_no_correlation(first, second):
    found = rank_correlation(first, second)
    assert found["correlation"] is found["low"] is found["high"] is None
    json.dumps(found, allow_nan=False)


def test_perfect_agreement_has_an_interval_without_width():
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 40]) == {"correlation": 1, "low": 1, "high": 1, "images": 4}


def test_unequal_numbers_of_losses_are_refused():
    with pytest.raises(ValueError, match="3 numbers can't be paired with 1"):
        rank_correlation([1, 2, 3], [1])


@pytest.mark.parametrize(
    ("low", "correlation", "high", "meaning"),
    [
        (0.31, 0.5, 0.65, "The ranking carries information"),
        (0.04, 0.18, 0.31, "somewhat hard"),
        (-0.10, 0.02, 0.14, "No evidence"),
        (-0.56, 0.02, 0.59, "too few to tell"),
        (-0.55, -0.44, -0.32, "Easy images of the pretext task are the hard ones"),
    ],
)
def test_sentence_says_what_the_interval_means_and_names_the_numbers(low, correlation, high, meaning):
    sentence = audit_sentence({"correlation": correlation, "low": low, "high": high, "images": 1200})
    assert meaning in sentence
    for number in (f"{low:.2f}", f"{correlation:.2f}", f"{high:.2f}", "1,200"):
        assert number in sentence


@pytest.mark.parametrize("missing", [None, math.nan])
def test_sentence_admits_that_nothing_can_be_said(missing):
    assert "Nothing can be said from 2 images" in audit_sentence(
        {"correlation": missing, "low": missing, "high": missing, "images": 2}
    )


def test_audit_has_a_row_a_cycle_in_order():
    audits = audit({10: correlated(2, 1.0), 2: correlated(200, 2.0)})
    assert list(audits["cycle"]) == [2, 10]
    assert list(audits["images"]) == [200, 2]
    assert audits["correlation"].isna().tolist() == [False, True]
    assert "carries information" in audits["sentence"][0]


def test_audit_of_nothing_has_the_columns_and_no_rows():
    audits = audit({})
    assert list(audits.columns) == ["cycle", "images", "correlation", "low", "high", "sentence"]
    assert audits["correlation"].dtype == np.float64 and audits.empty
