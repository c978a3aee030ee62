"""What the labels bought, as facts and as a section of the page."""

import json
import re
from html import unescape

import numpy as np
import pandas as pd
import pytest
from jinja2 import UndefinedError

from pt4al.pages.render import environment
from pt4al.statistics.label_value import LabellingPlan, cost, label_value, labels_saved, unsaid

FREE = {"label": None, "hour": None, "currency": "EUR"}
STOP = {"target": 0.9, "gain": 0.5, "flat": 1.0}
METRIC = {"key": "accuracy", "name": "accuracy"}


def curve(cycles: int = 4, images: int | None = 200, value: float = 0.8) -> pd.DataFrame:
    labels = 100 * np.arange(1, cycles + 1)
    values = value - 0.2 * (labels / 100.0) ** -0.7 + 0.2 * (cycles**-0.7)
    half = 0.02 if images is None else 2 * np.sqrt(0.16 / images)
    points = {"labels": labels, "value": values, "low": values - half, "high": values + half, "images": images}
    return pd.DataFrame(points)


def facts(cycles: int = 4, images: int | None = 200, reference: pd.DataFrame | None = None, **more: bool) -> dict:
    ahead = 100.0 * np.arange(cycles + 1, 7)
    plan = LabellingPlan(ahead, STOP, FREE)
    return label_value(curve(cycles, images), reference, plan, None, np.random.default_rng(0), **more)


def text(found: dict, figures: dict[str, bytes] | None = None) -> str:
    source = '{% from "worth.html" import section %}{{ section(worth, metric, figures) }}'
    page = environment().from_string(source).render(worth=found, metric=METRIC, figures=figures or {})
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_pointssurvive_being_written_as_json():
    assert json.loads(json.dumps(facts())) == facts()


def test_the_answer_is_the_sections_first_sentence():
    told = text(facts())
    assert told.startswith("What the labels bought 400 labels: accuracy 80.0 % , between 74.3 % and 85.7 % (95 %)")
    assert "200 control images" in told
    assert "Go on (rule target )" in told


def test_a_section_says_what_it_can_not_say():
    told = text(facts(cycles=1, images=20))
    assert "No forecast" in told
    assert told.count("Can't say") == 2
    assert "Whether choosing saved labels can't be said" in told
    assert "Whether a cycle helped" in told
    assert "there are 1" in told


def test_a_run_with_a_test_split_has_no_control_images():
    found = facts(images=None)
    assert found["together"] is None
    assert "on the test split" in text(found)


def test_a_missing_fact_is_an_error():
    found = facts()
    del found["savings"]
    with pytest.raises(UndefinedError, match="savings"):
        text(found)


def test_earlier_slices_narrow_the_newest_interval_unless_they_are_part_of_it():
    points, found = curve(), facts()
    assert found["together"]["high"] - found["together"]["low"] < 0.8 * (points["high"] - points["low"]).iloc[-1]
    assert facts(nested=True)["together"] is None


def answers(*seconds: float | None, skipped: int = 0) -> pd.DataFrame:
    labels = ["cat"] * (len(seconds) - skipped) + [None] * skipped
    return pd.DataFrame({"label": labels, "seconds": seconds}).astype({"seconds": float})


def test_hours_are_by_the_median_so_that_a_pause_does_not_count():
    told = cost(900, FREE, answers(*[4.0] * 898, 3600, None))
    assert len(told) == 1
    assert told[0].startswith("About 1.0 hours of labelling: 900 answers, 4.0 seconds each, the median of 899")


def test_money_is_by_label_and_by_hour_where_there_is_a_price():
    price = {"label": 0.05, "hour": 30.0, "currency": "EUR"}
    given = answers(*[4.0] * 900)
    assert cost(900, price, given)[1:] == ["45.00 EUR for 900 labels, 0.05 each.", "30.00 EUR at 30 an hour."]
    assert cost(900, price, None) == ["45.00 EUR for 900 labels, 0.05 each."]
    assert cost(900, FREE, None) == []


def test_each_answer_of_several_people_is_paid_for_and_a_skip_takes_time_alone():
    price = {"label": 1.0, "hour": 1.0, "currency": "EUR"}
    hours, labels, money = cost(2, price, answers(*[1200.0] * 6, skipped=1))
    assert hours.startswith("About 2.0 hours of labelling: 6 answers")
    assert (labels, money) == ("5.00 EUR for 5 labels, 1 each.", "2.00 EUR at 1 an hour.")


def test_labels_saved_are_read_off_the_random_runs_curve():
    reference = pd.DataFrame({"labels": [100, 500, 1000], "value": [0.5, 0.75, 0.85]})
    told = labels_saved(curve(), reference)
    assert "the random run needed about 750 labels (about" in told
    assert "this one 400" in told
    assert "One run each" in told


@pytest.mark.parametrize(
    ("values", "said"),
    [([0.3, 0.4], "more than its 500 labels (the same"), ([0.95, 0.96], "100 labels or fewer (the same")],
)
def test_what_the_random_run_does_not_span_is_not_extrapolated(values, said):
    assert said in labels_saved(curve(), pd.DataFrame({"labels": [100, 500], "value": values}))


def test_narrow_intervals_leave_less_unsaid():
    assert len(unsaid(curve(images=2000), pd.DataFrame())) == 1
    assert len(unsaid(curve(images=20), None)) == 3
