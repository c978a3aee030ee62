"""A run asks its own random labels what choosing has saved, and reads nothing but its labels and features."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from pt4al.pipelines.graph import build
from pt4al.pipelines.options import GraphOptions
from pt4al.pipelines.report.history import RunHistory, gather_history
from pt4al.pipelines.report.nodes import weigh
from pt4al.pipelines.report.savings import estimate_savings
from support.projects import tiny

AT_RANDOM = {"start": "random", "scope": "pool", "strategy": "top", "measure": "random"}
PEOPLE = GraphOptions(3, people=True, waits=True, tested=False, control=True)


def features(images: int, width: int = 80) -> SimpleNamespace:
    rng = np.random.default_rng(0)
    classes = rng.integers(2, size=images)
    values = rng.normal(size=(images, width)) + 2 * np.eye(width)[classes]
    ids = [f"{number}.png" for number in range(images)]
    index = pd.Index(ids)
    return SimpleNamespace(
        ids=ids,
        labels=np.array(["cat", "dog"], object)[classes],
        rows=index.get_indexer,
        gather=lambda rows: torch.from_numpy(values[rows]).float(),
    )


def history(images: SimpleNamespace, why: list[str], cycle: list[int], **changes: Any) -> RunHistory:
    # In another order than the pool's: ids tell which features are whose.
    label_set = pd.DataFrame({"id": images.ids, "label": images.labels, "why": why, "cycle": cycle})[::-1]
    labels = len(label_set)
    return gather_history(
        parameters=tiny(**{"run": {"name": "mine"}, "query": AT_RANDOM | {"measure": "margin"}} | changes),
        pool=None,
        classes=["cat", "dog"],
        start_label_set=pd.DataFrame(),
        label_set=label_set.reset_index(drop=True),
        learning_curve=pd.DataFrame({"labels": [labels], "accuracy": [0.8], "pool": "abc", "images": [20]}),
        pretext_audit=pd.DataFrame(),
    )


def first_query_and_slices(images: SimpleNamespace, **changes: Any) -> RunHistory:
    why = ["random"] * 60 + ["control"] * 40 + ["margin"] * 60
    return history(images, why, [0] * 60 + [1] * 100, **changes)


def test_the_random_labels_of_a_run_are_asked_what_all_of_them_are_worth():
    images = features(160)
    found = estimate_savings(first_query_and_slices(images), images)
    assert (found["labels"], found["random"]) == (160, 100)
    assert found["says"] in ("about", "nothing")
    again = estimate_savings(first_query_and_slices(images), images)
    assert again == found


def test_a_first_query_that_was_drawn_from_a_batch_of_the_ranking_is_no_random_sample():
    images = features(160)
    batch = first_query_and_slices(images, query=AT_RANDOM | {"measure": "margin", "scope": "batch"})
    assert estimate_savings(batch, images)["random"] == 40


def test_a_run_that_chooses_at_random_is_not_asked():
    images = features(160)
    assert estimate_savings(first_query_and_slices(images, query=AT_RANDOM), images) == {}


@pytest.mark.parametrize("baseline", [False, True])
def test_the_page_gives_the_estimate_only_where_no_random_run_says_it_better(baseline):
    images = features(30)
    own = history(images, ["margin"] * 20 + ["control"] * 10, [0] * 30)
    estimated = estimate_savings(own, images)
    assert estimated["says"] == "nothing"
    curves = {"mine-random": own.learning_curve} if baseline else {}
    control = {"labels": 30, "accuracy": 0.8, "low": 0.5, "high": 0.95, "images": 10}
    worth = weigh(own, curves, estimated, **{"cycle_0.control": control})
    assert ("10 labels drawn at random, and it takes 50" in worth["savings"]) != baseline
    assert ("the random run needed" in worth["savings"]) == baseline


def test_the_estimate_reads_no_label_but_those_of_the_label_set():
    node = next(node for node in build(PEOPLE)["report"].nodes if node.short_name == "estimate_savings")
    assert set(node.inputs) == {"run_history", "features"}
