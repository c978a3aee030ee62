"""Whole tiny runs: what they leave, and that one seed gives one result."""

import json
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
import yaml

from support.projects import WITHOUT_REPORT, kedro, newest, run, tables

CYCLES, BUDGET = 3, 20  # conf/tiny


def table(project: Path, layer: str, *names: str) -> pd.DataFrame:
    return pd.read_parquet(newest(project, layer, *names))


def test_every_cycle_labels_its_budget_and_the_label_set_only_grows(finished: Path) -> None:
    sets = [table(finished, "05_model_input", "tiny", f"cycle_{k}", "label_set.parquet") for k in range(CYCLES)]
    for cycle, label_set in enumerate(sets):
        assert len(label_set) == (cycle + 1) * BUDGET
        assert label_set["id"].is_unique
        assert (label_set["cycle"].value_counts() == BUDGET).all()
    for smaller, larger in pairwise(sets):
        pd.testing.assert_frame_equal(smaller, larger.head(len(smaller)))


def test_a_budget_that_grows_is_each_cycles_own_and_so_is_its_control_slice(project: Path) -> None:
    name = {"name": "growing"}
    run(project, run=name, cycles={"budget": [5, 10, 20]}, control={"share": 0.2}, report={"reasons": False})
    queries = [table(project, "05_model_input", "growing", f"cycle_{k}", "query.parquet") for k in range(CYCLES)]
    assert [query["role"].value_counts().to_dict() for query in queries] == [
        {"query": 4, "control": 1},
        {"query": 8, "control": 2},
        {"query": 16, "control": 4},
    ]
    curve = pd.read_csv(project / "data/08_reporting/growing/learning_curve.csv")
    assert list(curve["labels"]) == [5, 15, 35]
    last = table(project, "05_model_input", "growing", "cycle_2", "label_set.parquet")
    assert (last["why"] == "control").sum() == 7  # measured on, and not called the strategy's choice
    measured = json.loads((project / "data/08_reporting/growing/cycle_2/control.json").read_text())
    assert measured["images"] == 4
    leaks = table(project, "08_reporting", "growing", "leak_check.parquet")
    assert leaks["ok"].all()
    assert "No query holds more than the 5/10/20 ids of the budget." in set(leaks["check"])


def test_label_sets_hold_the_labels_that_the_source_records(finished: Path) -> None:
    source = pd.read_parquet("data/01_raw/fashion_mnist/train.parquet") if Path("data/01_raw").exists() else None
    recorded = pd.read_parquet(finished / "data/01_raw/fashion_mnist/train.parquet") if source is None else source
    classes = json.loads(next((finished / "data/02_intermediate").glob("*/classes.json/*/classes.json")).read_text())
    truth = {image["path"]: classes[label] for image, label in zip(recorded["image"], recorded["label"], strict=True)}
    label_set = table(finished, "05_model_input", "tiny", f"cycle_{CYCLES - 1}", "label_set.parquet")
    assert [truth[id_] for id_ in label_set["id"]] == list(label_set["label"])


def test_the_pool_knows_no_labels(finished: Path) -> None:
    tables = [pd.read_parquet(path) for path in (finished / "data/02_intermediate").glob("*/pool/*/pool/*.parquet")]
    assert len(tables) == 2
    assert not any("label" in table.columns for table in tables)


def test_metrics_count_the_labels(finished: Path) -> None:
    curve = pd.read_csv(finished / "data/08_reporting/tiny/learning_curve.csv")
    assert list(curve["labels"]) == [BUDGET, 2 * BUDGET, 3 * BUDGET]
    assert curve["accuracy"].between(0, 1).all()


def test_the_report_is_one_page_with_every_picture(finished: Path) -> None:
    page = (finished / "data/08_reporting/tiny/report.html").read_text()
    pictures = {path.stem for path in (finished / "data/08_reporting/tiny/pictures").glob("*/pictures/*.*")}
    assert {"learning_curve", "hardest", "easiest", "audit", "class_balance", "losses_by_batch"} <= pictures
    assert {f"query_{cycle}" for cycle in range(CYCLES)} <= pictures
    reasons = set((finished / "data/08_reporting/tiny/reasons").glob("*/reasons/reasons_*.html"))
    assert len(reasons) == CYCLES
    wrong = set((finished / "data/08_reporting/tiny/failures").glob("*/failures/wrong_*.*"))
    preview = list((finished / "data/08_reporting/tiny/map_preview").glob("*/map_preview/map.png"))
    assert page.count('class="card"') == len(pictures) + len(reasons) + len(preview)
    assert len(preview) == 1
    assert page.count('class="id"') >= len(wrong) > 0


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(finished: Path, project: Path) -> None:
    run(project, WITHOUT_REPORT)
    assert tables(project) == tables(finished)
    run(project, WITHOUT_REPORT, run={"name": "other", "seed": 1}, cycles={"number": 1})
    assert tables(project, "other")["cycle_0/query.parquet"] != tables(finished)["cycle_0/query.parquet"]


def test_the_report_shows_a_random_baseline_once_there_is_one(copied: Path) -> None:
    page = copied / "data/08_reporting/tiny/report.html"
    assert "--env=tiny --params=run.name=tiny-random,query.start=random" in page.read_text()
    run(copied, run={"name": "tiny-random"}, query={"measure": "random"}, report={"reasons": False})
    run(copied, pipeline="report")
    assert "Random: tiny-random" in page.read_text()
    assert "Make a baseline" not in page.read_text()


@pytest.mark.parametrize("mode", ["paper", "released"])
def test_modes_of_the_paper_query_each_batch_in_turn(project: Path, mode: str) -> None:
    tiny = yaml.safe_load((project / "conf/tiny/parameters.yml").read_text())
    short = {block: {"schedule": tiny[block]["schedule"]} for block in ("pretext", "main")}
    run(project, WITHOUT_REPORT, env=mode, pool={"limit": tiny["pool"]["limit"]}, cycles=tiny["cycles"], **short)
    for cycle in range(CYCLES):
        query = table(project, "05_model_input", mode, f"cycle_{cycle}", "query.parquet")
        assert set(query["batch"]) == {cycle}
    whys = table(project, "05_model_input", mode, f"cycle_{CYCLES - 1}", "label_set.parquet")["why"]
    assert list(whys.unique()) == ["even_intervals", "least_confidence"]


def test_the_missions_command_works_as_typed_and_params_change_the_number_of_cycles(project: Path) -> None:
    done = kedro(
        "run",
        "--pipeline=active_learning",
        "--env=tiny",
        "--params=cycles.number=2,run.name=two,cycles.budget=5",
        cwd=project,
    )
    assert done.returncode == 0, done.stderr
    assert "report: " in done.stderr
    assert {key.split("/")[0] for key in tables(project, "two") if "query" in key} == {"cycle_0", "cycle_1"}
