"""Any finished run on the same pool with the same numbers of labels is compared, whatever its name."""

from pathlib import Path
from typing import Any

import pandas as pd

from pt4al.files import records
from pt4al.pipelines.report.baselines import MOST, find_others, judge_run
from pt4al.pipelines.report.history import RunHistory, gather_history
from pt4al.project.configuration.identity import identity
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.folder import Runs
from support.projects import tiny

CURVE = pd.DataFrame({"labels": [10, 20], "accuracy": [0.5, 0.6], "pool": "abc"})
AT_RANDOM = {"start": "random", "scope": "pool", "strategy": "top", "measure": "random"}


def history(curve: pd.DataFrame = CURVE, **changes: Any) -> RunHistory:
    return gather_history(
        parameters=tiny(run={"name": "mine"}, **changes),
        pool=None,
        classes=["cat", "dog"],
        start_label_set=pd.DataFrame(),
        label_set=pd.DataFrame({"id": [], "label": [], "cycle": []}),
        learning_curve=curve,
        pretext_audit=pd.DataFrame(),
    )


def runs_with(folder: Path, **runs: dict[str, Any]) -> Runs:
    """Runs whose settings are those of the tiny environment, with changes."""
    runs_here = Runs(folder)
    for name, changes in runs.items():
        records.write(runs_here[name].configuration_file, identity(parse(tiny(**changes))))
    return runs_here


def judged(own: RunHistory, curves: dict[str, pd.DataFrame], runs: Runs) -> tuple[list[str], dict]:
    shown, verdict = judge_run(own, range(100), pd.DataFrame(), curves, runs)
    own_name, *others = shown
    assert own_name == own.name
    return others, verdict


def test_a_run_at_random_is_the_baseline_whatever_its_name(tmp_path: Path) -> None:
    runs = runs_with(tmp_path, tuesday={"query": AT_RANDOM}, badge={"query": {"strategy": "badge"}})
    curves = {"badge": CURVE, "tuesday": CURVE.assign(accuracy=0.8)}
    shown, verdict = judged(history(), curves, runs)
    assert shown == ["tuesday", "badge"]
    assert verdict["random"] == "tuesday"
    assert verdict["lead"] == "20 points below"


def test_a_run_at_random_whose_models_were_trained_otherwise_is_no_baseline(tmp_path: Path) -> None:
    other = {"query": AT_RANDOM, "main": {"dropout": 0.5}}
    shown, verdict = judged(history(), {"dropped": CURVE}, runs_with(tmp_path, dropped=other))
    assert shown == ["dropped"]
    assert verdict["random"] is None


def test_another_seed_is_a_baseline_too_but_the_same_one_goes_before_it(tmp_path: Path) -> None:
    seeds = {"a": {"query": AT_RANDOM, "run": {"seed": 5}}, "b": {"query": AT_RANDOM}}
    runs = runs_with(tmp_path, **seeds)
    assert judged(history(), {"a": CURVE}, runs)[1]["random"] == "a"
    assert judged(history(), {"a": CURVE, "b": CURVE}, runs)[1]["random"] == "b"


def test_a_run_with_other_numbers_of_labels_is_shown_only_if_it_is_named(tmp_path: Path) -> None:
    others = {"random": CURVE.assign(labels=[10, 30]), "unnamed": CURVE.assign(labels=[10, 30])}
    runs = runs_with(tmp_path)
    assert [other.name for other in find_others(history(), others, runs)] == ["random"]
    longer = pd.concat([CURVE, CURVE.tail(1).assign(labels=30)])
    assert [other.name for other in find_others(history(), {"longer": longer}, runs)] == ["longer"]
    assert find_others(history(), {"shorter": CURVE.head(1)}, runs) == []
    assert judged(history(), others, runs)[1]["random"] is None


def test_of_very_many_runs_a_few_are_shown_and_the_others_counted(tmp_path: Path) -> None:
    curves = {f"cell-{number:02}": CURVE for number in range(20)}
    shown, verdict = judged(history(), curves, runs_with(tmp_path))
    assert shown == [f"cell-{number:02}" for number in range(MOST)]
    assert verdict["more"] == 20 - MOST


def test_a_run_that_chooses_at_random_asks_for_no_baseline(tmp_path: Path) -> None:
    verdict = judged(history(query=AT_RANDOM), {}, runs_with(tmp_path))[1]
    assert "No baseline yet" not in verdict["note"]
    assert "No baseline yet" in judged(history(), {}, runs_with(tmp_path))[1]["note"]


def test_control_images_of_which_there_are_few_are_no_result(tmp_path: Path) -> None:
    curve = CURVE.assign(low=0.1, high=0.9, images=4)
    verdict = judged(history(curve), {}, runs_with(tmp_path))[1]
    assert verdict["early"]
    assert verdict["lead"] == "Too early to say:"
    assert not judged(history(curve.assign(low=0.5, high=0.7, images=100)), {}, runs_with(tmp_path))[1]["early"]


def test_a_tested_run_s_own_curve_has_the_interval_of_its_test_images(tmp_path: Path) -> None:
    curves, verdict = judge_run(history(), range(100), pd.DataFrame(), {"other": CURVE}, runs_with(tmp_path))
    assert list(curves) == ["mine", "other"]
    assert list(curves["mine"]["low"]) == [row["low"] for row in verdict["rows"]]
    assert (curves["mine"]["low"] < curves["mine"]["accuracy"]).all()
    assert "low" not in curves["other"]
