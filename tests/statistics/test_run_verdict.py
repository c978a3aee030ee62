"""What a run has reached is said with its interval, and with a verdict where there is a baseline."""

import numpy as np
import pandas as pd
import pytest

from pt4al.statistics import intervals
from pt4al.statistics.run_verdict import MeasuredRun, in_words, judge, too_early


def measured(*values: float, right: list[bool] | None = None, images: int | None = 200) -> MeasuredRun:
    curve = pd.DataFrame({"labels": 20 * np.arange(1, len(values) + 1), "value": values})
    by_id = None if right is None else pd.Series(right, index=[f"{n}.png" for n in range(len(right))])
    return MeasuredRun("mine", curve, by_id, images)


def test_a_run_below_random_says_so_first() -> None:
    verdict = judge(measured(0.33, 0.24), measured(0.33, 0.45), "accuracy")
    assert f"{verdict['lead']} {verdict['rest']}" == "21 points below random with 40 labels"
    assert verdict["outcome"] == "below"
    assert verdict["interval"] == "95 % interval -29.8 to -11.7 points; one run each"
    assert "not in pairs" in verdict["note"]


def test_a_difference_that_chance_explains_is_no_win() -> None:
    verdict = judge(measured(0.46), measured(0.45), "accuracy")
    assert verdict["outcome"] == "level"
    assert f"{verdict['lead']} {verdict['rest']}" == "1 point above random with 20 labels, which may be chance"


def test_equal_runs_are_level() -> None:
    verdict = judge(measured(0.45), measured(0.45), "accuracy")
    assert verdict["outcome"] == "level"
    assert verdict["lead"] == "No better and no worse than"


def test_without_a_baseline_the_interval_is_that_of_the_test_images_alone() -> None:
    verdict = judge(measured(0.24), None, "accuracy")
    assert in_words(verdict) == (
        "24.0 % accuracy with 20 labels (95 % interval 18.6 to 30.4 %, of 200 test images alone: "
        "another seed differs too). No baseline yet: can't say whether choosing helped."
    )


def test_images_that_both_runs_know_narrow_the_interval() -> None:
    right = [True] * 60 + [False] * 140
    other = [True] * 50 + [False] * 150
    paired = judge(measured(0.3, right=right), measured(0.25, right=other), "accuracy")
    unpaired = judge(measured(0.3), measured(0.25), "accuracy")
    assert paired["outcome"] == "above"
    assert unpaired["outcome"] == "level"
    assert "in pairs" in paired["note"]


def test_other_test_images_are_not_paired() -> None:
    right = [True] * 60 + [False] * 140
    verdict = judge(measured(0.3, right=right), measured(0.25, right=right[:100]), "accuracy")
    assert "not in pairs" in verdict["note"]


def test_a_mean_iou_has_a_verdict_without_an_interval() -> None:
    verdict = judge(measured(0.3, images=None), measured(0.25, images=None), "mean IoU")
    assert verdict["interval"] == "one run each"
    assert verdict["lead"] == "5 points above"
    assert "The difference has no interval" in verdict["note"]


def test_rows_say_what_random_had_with_as_many_labels() -> None:
    random = MeasuredRun("random", pd.DataFrame({"labels": [20, 60], "value": [0.2, 0.9]}))
    first, second = judge(measured(0.3, 0.4), random, "accuracy")["rows"]
    assert (first["random"], round(first["difference"], 3)) == (0.2, 0.1)
    assert (second["random"], second["difference"]) == (None, None)


def test_a_value_that_is_missing_is_told_as_unknown() -> None:
    assert judge(measured(float("nan"), images=None), None, "accuracy")["lead"] == "Unknown"


def test_control_images_are_told_by_their_interval_first() -> None:
    curve = pd.DataFrame({"labels": [50], "value": [0.8], "low": [0.66], "high": [0.9], "images": [40]})
    assert in_words(judge(MeasuredRun("mine", curve), None, "accuracy")) == (
        "66.0 to 90.0 % accuracy with 50 labels (95 % interval of 40 control images, on which it is 80.0 %)"
    )


def control(*rounds: tuple[float, float, int]) -> pd.DataFrame:
    return pd.DataFrame(rounds, columns=["low", "high", "images"])


def test_three_control_images_need_more_rounds() -> None:
    early = too_early(control((0.06, 0.79, 3)), None, nested=True, rounds_left=20)
    assert early["rest"] == "3 control images"
    assert early["note"] == "A useful number needs about 12 more rounds."


def test_a_run_that_ends_too_early_says_what_would_help() -> None:
    note = too_early(control((0.06, 0.79, 3)), None, nested=True, rounds_left=4)["note"]
    assert "this run has 4 to come" in note
    assert "control.share" in note


def test_slices_that_are_trained_on_count_together_from_the_third_round() -> None:
    early = too_early(control((0.3, 0.7, 20)), None, nested=False, rounds_left=5)
    assert "about 2 more rounds" in early["note"]
    two = control((0.3, 0.7, 20), (0.3, 0.7, 20), (0.3, 0.7, 20))
    assert too_early(two, {"low": 0.45, "high": 0.62}, nested=False, rounds_left=5) is None


def test_a_narrow_interval_of_enough_images_is_a_result() -> None:
    assert too_early(control((0.7, 0.9, 40)), None, nested=True, rounds_left=0) is None


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_paired_intervals_cover_the_truth(share: float) -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(500):
        both = rng.random(150) < share
        right = both ^ (rng.random(150) < 0.1)
        other = both ^ (rng.random(150) < 0.05)
        ends = intervals.paired_difference(right, other)
        truth = share * 0.9 + (1 - share) * 0.1 - (share * 0.95 + (1 - share) * 0.05)
        covered += ends["low"] <= truth <= ends["high"]
    assert 0.92 < covered / 500 <= 1


def test_an_unpaired_interval_is_made_of_two_wilson_intervals() -> None:
    one, other = intervals.share(48, 200), intervals.share(90, 200)
    low = -0.21 - np.hypot(0.24 - one["low"], other["high"] - 0.45)
    high = -0.21 + np.hypot(one["high"] - 0.24, 0.45 - other["low"])
    assert intervals.difference(48, 90, 200) == pytest.approx({"low": low, "high": high})


def test_an_interval_that_was_measured_is_told_where_the_value_is_no_share() -> None:
    curve = pd.DataFrame({"labels": [20], "value": [0.3], "low": [0.25], "high": [0.36]})
    verdict = judge(MeasuredRun("mine", curve), None, "mean IoU")
    assert verdict["lead"] == "30.0 %"
    assert verdict["interval"] == "95 % interval 25.0 to 36.0 %, of the test images alone: another seed differs too"
    against = judge(MeasuredRun("mine", curve), MeasuredRun("random", curve.assign(value=0.2)), "mean IoU")
    assert against["note"].startswith("The difference has no interval")
