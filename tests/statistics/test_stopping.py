"""Advice on when to stop."""

import numpy as np
import pandas as pd
import pytest

from pt4al.statistics.forecast import forecast
from pt4al.statistics.stopping import STOP_RULES, advise


def curve(values: list[float], images: int | None = None) -> pd.DataFrame:
    found = pd.DataFrame({"labels": 100 * np.arange(1, len(values) + 1), "value": values})
    half = 0 if images is None else 2 * np.sqrt(found["value"] * (1 - found["value"]) / images)
    return found.assign(low=found["value"] - half, high=found["value"] + half)


def ahead(gain: list[float], most: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"labels": 500 + 100 * np.arange(len(gain)), "gain": gain, "most": most})


def stop(rule: str, threshold: float, points: pd.DataFrame, coming: pd.DataFrame | None) -> bool | None:
    (found,) = advise(points, coming, {rule: threshold})
    assert found["rule"] == rule
    return found["stop"]


def test_a_target_is_reached_when_the_whole_interval_is_above_it():
    reached = curve([0.7, 0.9], images=100)
    assert reached["low"].iloc[-1] == pytest.approx(0.84)
    assert stop("target", 0.83, reached, None) is True
    assert stop("target", 0.85, reached, None) is False


def test_the_expected_gain_is_compared_with_the_threshold():
    coming = ahead([0.004, 0.01], [0.02, 0.03])
    assert stop("gain", 0.5, curve([0.8]), coming) is True
    assert stop("gain", 0.3, curve([0.8]), coming) is False


def test_flat_means_that_not_even_the_best_of_the_band_is_worth_it():
    coming = ahead([0.004, 0.006], [0.008, 0.019])
    assert stop("flat", 2, curve([0.8]), coming) is True
    assert stop("flat", 1, curve([0.8]), coming) is False


@pytest.mark.parametrize("rule", ["gain", "flat"])
@pytest.mark.parametrize("coming", [None, ahead([], [])])
def test_without_a_forecast_the_data_can_not_say(rule, coming):
    assert stop(rule, 1, curve([0.8]), coming) is None


def test_rules_without_a_threshold_are_left_out_and_sentences_name_the_numbers():
    found = advise(curve([0.5, 0.8]), ahead([0.004], [0.02]), {"target": 0.9, "gain": None, "flat": 1})
    assert [one["rule"] for one in found] == ["target", "flat"]
    assert "90.0 %" in found[0]["sentence"]
    assert "80.0 %" in found[0]["sentence"]
    assert "2.0 points" in found[1]["sentence"]


def test_every_rule_takes_what_forecast_gives():
    points = curve([0.5, 0.6, 0.65, 0.68])
    coming = forecast(
        points["labels"].to_numpy(float), points["value"].to_numpy(), None, np.array([500.0]), np.random.default_rng(0)
    )
    for rule in STOP_RULES.values():
        stopped, sentence = rule(points, coming, 0.5)
        assert isinstance(stopped, bool)
        assert sentence.endswith(".")
