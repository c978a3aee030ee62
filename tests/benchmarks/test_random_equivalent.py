"""How many random labels a run's labels are worth: known cases, the rule, and what must hold for every run."""

import importlib.util
import json
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.projects import ROOT

PLACE = importlib.util.spec_from_file_location("random_equivalent", ROOT / "benchmarks/random_equivalent.py")
random_equivalent = importlib.util.module_from_spec(PLACE)
sys.modules[PLACE.name] = random_equivalent  # its dataclasses look there
PLACE.loader.exec_module(random_equivalent)
FEWEST, WIDEST, Probe = random_equivalent.FEWEST, random_equivalent.WIDEST, random_equivalent.Probe
cross_fit, describe = random_equivalent.cross_fit, random_equivalent.describe
estimate, interval = random_equivalent.estimate, random_equivalent.interval


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def learner(labels: int, at_random: np.ndarray, worth: float) -> Probe:
    """A probe whose accuracy is 0.9 - 4 / sqrt(n) of n random labels; each other label is as good as `worth`."""
    hard = np.random.default_rng(1).permutation(labels) / labels
    value = np.full(labels, worth)
    value[at_random] = 1

    def right(learnt: np.ndarray, asked: np.ndarray) -> np.ndarray:
        return hard[asked] < 0.9 - 4 / np.sqrt(value[learnt].sum())

    return right


def estimated(labels: int, random: int, worth: float, how: Callable[..., dict] = estimate) -> dict:
    at_random = np.arange(labels - random, labels)
    return how(labels, at_random, learner(labels, at_random, worth), rng())


@pytest.mark.parametrize("worth", [1, 3])
def test_the_interval_of_many_random_labels_holds_what_is_true(worth):
    found = estimated(1500, 1000, worth, interval)
    true = 1000 + 500 * worth
    assert found["low"] < true < found["high"]
    assert true / 3 < found["needed"] < 3 * true


def test_a_run_of_random_labels_alone_is_worth_its_own_number():
    found = estimated(4000, 4000, 1)
    assert found["says"] == "about"
    assert 3000 < found["needed"] < 5300
    assert found["sentence"].startswith("These 4,000 labels are about as good as ")


def test_labels_that_teach_nothing_are_found_out():
    assert estimated(4500, 1500, 0, interval)["high"] < 4500


def test_few_random_labels_say_nothing_and_cost_no_probe():
    def unused(learnt: np.ndarray, asked: np.ndarray) -> np.ndarray:
        raise AssertionError("a probe was trained")

    found = estimate(500, np.arange(25), unused, rng())
    assert found["says"] == "nothing"
    assert (found["needed"], found["low"], found["high"]) == (None, None, None)
    assert "25 labels drawn at random, and it takes 50" in found["sentence"]
    assert "at most 5,000 labels" in estimate(6000, np.arange(500), unused, rng())["sentence"]


def test_no_probe_is_measured_on_what_it_has_learnt_and_every_random_image_is_asked_alike():
    at_random = np.arange(40, 100)
    asked_after = []

    def right(learnt: np.ndarray, asked: np.ndarray) -> np.ndarray:
        assert not set(learnt) & set(asked)
        assert set(asked) <= set(at_random)
        assert len(set(learnt)) == len(learnt)
        asked_after.append((len(learnt), asked))
        return np.ones(len(asked), bool)

    found = cross_fit(100, at_random, right, rng())
    assert list(found.sizes) == [6, 12, 24, 48]
    assert found.by_random.min() == found.by_all.min() == 1
    by_all = np.concatenate([asked for learnt, asked in asked_after if learnt == 88])
    assert sorted(by_all) == list(at_random)


def test_smaller_numbers_of_random_labels_are_part_of_larger_ones():
    learnt_by = {}

    def right(learnt: np.ndarray, asked: np.ndarray) -> np.ndarray:
        before = learnt_by.setdefault(tuple(asked), set())
        assert before <= set(learnt)
        learnt_by[tuple(asked)] = set(learnt)
        return np.ones(len(asked), bool)

    cross_fit(100, np.arange(100), right, rng())


@pytest.mark.parametrize(
    ("needed", "low", "high", "says"),
    [
        (500, 300, 1200, "about"),
        (500, 300, 1201, "nothing"),
        (500, 300, np.inf, "nothing"),
        (np.inf, np.inf, np.inf, "nothing"),
        (649, 600, 700, "nothing"),  # further than the curve of 320 random labels is continued
    ],
)
def test_the_rule_says_only_what_the_interval_is_narrow_and_near_enough_for(needed, low, high, says):
    said = describe(1000, 400, {"needed": needed, "low": low, "high": high})
    assert said["says"] == says
    assert ("can't say it" in said["sentence"]) == (says != "about")
    assert "inf" not in said["sentence"]


def test_numbers_have_the_digits_that_count():
    said = describe(1000, 400, {"needed": 634.5, "low": 876.5, "high": 2345.6})
    assert "about as good as 630 random labels (between 880 and 2,300, 95 %)" in said["sentence"]


@given(
    st.integers(FEWEST, 120),
    st.integers(0, 200),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
)
def test_whatever_probes_answer_the_numbers_are_in_order_and_the_rule_is_kept(random, chosen, few, all_, seed):
    labels = random + chosen
    at_random = np.arange(chosen, labels)
    answers = np.random.default_rng(seed)

    def right(learnt: np.ndarray, asked: np.ndarray) -> np.ndarray:
        return answers.random(len(asked)) < (all_ if len(learnt) > random else few)

    found = estimate(labels, at_random, right, np.random.default_rng(seed))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    if found["says"] == "nothing":
        assert (found["needed"], found["low"], found["high"]) == (None, None, None)
    else:
        assert 0 < found["low"] <= found["needed"] <= found["high"] <= WIDEST * found["low"]
    numbers = interval(labels, at_random, right, np.random.default_rng(seed))
    assert 0 < numbers["low"] <= numbers["needed"] <= numbers["high"]


def test_the_same_seed_says_the_same():
    assert estimated(300, 100, 2) == estimated(300, 100, 2)


def test_luck_of_a_training_sample_is_in_the_interval(monkeypatch):
    wide = estimated(600, 400, 1, interval)
    monkeypatch.setattr(random_equivalent, "LUCK", 0.001)
    narrow = estimated(600, 400, 1, interval)
    assert narrow["low"] > wide["low"]
