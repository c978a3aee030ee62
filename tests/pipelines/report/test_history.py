"""A run's history is gathered by the names of its datasets, and by nothing else."""

import random

import pandas as pd
import pytest

from pt4al.pipelines.report.history import RunHistory, by_cycle, gather_history
from support.projects import tiny


def gathered(curve: pd.DataFrame | None = None, **of_cycles: pd.DataFrame) -> RunHistory:
    report = {"baselines": ["tiny", "random", "margin", "absent"]}
    return gather_history(
        parameters=tiny(run={"name": "tiny"}, report=report),
        pool=None,
        classes=["cat", "dog"],
        start_label_set=pd.DataFrame(),
        label_set=pd.DataFrame({"id": ["b", "a"], "label": ["dog", "cat"], "cycle": [0, 1]}),
        learning_curve=pd.DataFrame() if curve is None else curve,
        pretext_audit=pd.DataFrame(),
        **of_cycles,
    )


def test_cycles_are_told_apart_by_name_in_whatever_order_they_come() -> None:
    names = [f"cycle_{cycle}.{name}" for cycle in range(12) for name in ("query", "answers")]
    random.Random(0).shuffle(names)
    history = gathered(**{name: pd.DataFrame({"id": [name]}) for name in names})
    assert list(history.queries) == list(history.answers) == list(range(12))
    assert history.queries[10]["id"].item() == "cycle_10.query"
    assert history.answers[3]["id"].item() == "cycle_3.answers"


def test_a_cycle_that_has_no_such_dataset_is_left_out() -> None:
    assert by_cycle({"cycle_1.maps": "maps of 1", "cycle_0.query": "query of 0"}, "maps") == {1: "maps of 1"}


def test_a_dataset_that_is_missing_is_named() -> None:
    with pytest.raises(TypeError, match="learning_curve"):
        gather_history(parameters={}, pool=None, classes=[], start_label_set=None, label_set=None, pretext_audit=None)


def test_labels_are_looked_up_by_id() -> None:
    assert gathered().labels["a"] == "cat"


def test_a_baseline_is_another_run_on_the_same_pool_measured_alike() -> None:
    curve = pd.DataFrame({"labels": [10, 20], "accuracy": [0.5, 0.6], "pool": "abc"})
    others = {"tiny": curve, "random": curve.assign(accuracy=0.4), "unnamed": curve}
    assert list(gathered(curve).baselines(others)) == ["random"]
    others |= {"margin": curve.assign(accuracy=0.7)}
    assert list(gathered(curve).baselines(others)) == ["random", "margin"]
    apart = {"random": curve.assign(pool="def"), "margin": curve.rename(columns={"accuracy": "miou"})}
    assert gathered(curve).baselines(apart) == {}
    assert gathered(curve).baselines({"random": curve.assign(images=5)}) == {}  # measured on control images


def test_a_metric_that_was_added_since_does_not_hide_a_baseline() -> None:
    curve = pd.DataFrame({"labels": [10, 20], "accuracy": [0.5, 0.6], "pool": "abc"})
    assert list(gathered(curve.assign(loss=1.0)).baselines({"random": curve})) == ["random"]
