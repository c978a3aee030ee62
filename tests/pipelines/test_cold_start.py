"""Pipeline `cold_start`, whole: many first queries, each what a run would choose, measured and summed up."""

from pathlib import Path

import click
import pandas as pd
import pytest

from pt4al.cluster.processes import Processes
from support.projects import copy_project, newest, run

STARTS = {"starts": ["random", "even_intervals", "typiclust"], "budgets": [10, 20], "seeds": 3}


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A project in which `cold_start` has run. Tests read it, and write nothing into it."""
    from support.projects import make_project

    folder = make_project(tmp_path_factory.mktemp("compared"), empty_store)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run(folder, "cold_start", cold_start=STARTS)
    return folder


def table(project: Path, name: str, layer: str = "08_reporting") -> pd.DataFrame:
    path = newest(project, layer, "tiny", name)
    return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)


def test_two_workers_choose_and_measure_the_same(
    compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_project(compared, tmp_path / "copied")
    monkeypatch.chdir(folder)
    handed_out = []
    start = Processes.start
    monkeypatch.setattr(Processes, "start", lambda *arguments: (handed_out.append(arguments), start(*arguments)))
    run(folder, "cold_start", cold_start=STARTS, engine={"workers": 2})
    assert len(handed_out) > 4
    for layer, name in (("07_model_output", "start_queries.parquet"), ("08_reporting", "cold_start.csv")):
        alone, together = (newest(root, layer, "tiny", name) for root in (compared, folder))
        assert alone.parent.name != together.parent.name
        assert alone.read_bytes() == together.read_bytes()


def test_every_start_budget_and_seed_is_measured(compared: Path) -> None:
    measured = table(compared, "cold_start.csv")
    assert list(measured.columns) == ["start", "budget", "seed", "accuracy", "balanced_accuracy", "query"]
    assert len(measured) == len(measured[["start", "budget", "seed"]].drop_duplicates()) == 3 * 2 * 3
    assert measured["accuracy"].between(0, 1).all()
    # More than by chance: the features say something of the classes.
    assert measured.groupby("budget")["accuracy"].mean().min() > 0.2


def test_queries_hold_their_budget_of_different_images(compared: Path) -> None:
    queries = table(compared, "start_queries.parquet", "07_model_output")
    for (_, budget, _), query in queries.groupby(["start", "budget", "seed"]):
        assert query["id"].nunique() == len(query) == budget


def test_seed_chooses_what_a_run_with_it_would_ask_first(compared: Path, finished: Path) -> None:
    queries = table(compared, "start_queries.parquet", "07_model_output")
    asked = pd.read_parquet(newest(finished, "05_model_input", "tiny", "cycle_0", "query.parquet"))
    assert queries.query("start == 'random' and budget == 20 and seed == 0")["id"].tolist() == asked["id"].tolist()


def test_start_without_chance_is_one_query_and_has_no_interval(compared: Path) -> None:
    summary = table(compared, "cold_start_summary.csv").set_index("start")
    assert summary.loc["even_intervals", "queries"].tolist() == [1, 1]
    assert summary.loc["even_intervals", "low"].isna().all()
    assert summary.loc["random", "queries"].tolist() == [3, 3]
    assert summary.loc["random", "low"].notna().all()


def test_page_names_every_start(compared: Path) -> None:
    page = newest(compared, "08_reporting", "tiny", "cold_start.html").read_text()
    assert all(start in page for start in STARTS["starts"])


def test_budget_above_the_pool_is_named(project: Path) -> None:
    with pytest.raises(click.ClickException, match=r"cold_start.budgets` asks for 5000 labels; 300 images may"):
        run(project, "cold_start", cold_start={**STARTS, "budgets": [5000]})
