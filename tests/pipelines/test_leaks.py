"""What a run asks for and learns does not change with labels that it must not know; if it does, that is seen."""

import hashlib
import logging
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pt4al.files import digests
from pt4al.pipelines.cycle.plan import QueryPlan
from pt4al.pipelines.cycle.state import CycleState
from support.projects import WITHOUT_REPORT, newest, run, tables

LAST = ("tiny", "cycle_2", "label_set.parquet")


def learnt(project: Path) -> dict[str, str]:
    """Hashes of a run's ranking, queries, answers, label sets and networks."""
    networks = sorted((project / "data/06_models/tiny").glob("cycle_*/network.safetensors/*/network.safetensors"))
    assert len(networks) == 3
    return tables(project) | {path.parts[-4]: hashlib.sha256(path.read_bytes()).hexdigest() for path in networks}


def write(table: pd.DataFrame, path: Path) -> None:
    """Put a table in a file's place, with its digest, as a leak that is no damage would."""
    table.to_parquet(path)
    digests.note(path, path)


def run_with_other_labels(project: Path, known: pd.Series) -> None:
    """Run with labels that are other classes' for all images but these, test images included."""
    run(project, pipeline="pool")
    for name in ("recorded_labels.parquet", "test_labels.parquet"):
        path = newest(project, "02_intermediate", "*", name)
        labels = pd.read_parquet(path)
        classes = sorted(labels["label"].unique())
        others = dict(zip(classes, classes[5:] + classes[:5], strict=True))
        kept = labels["id"].isin(known)
        labels["label"] = labels["label"].where(kept, labels["label"].map(others))
        write(labels, path)
    run(project, WITHOUT_REPORT)


def test_labels_not_asked_for_and_test_labels_change_no_query_and_no_network(finished: Path, project: Path) -> None:
    asked = pd.read_parquet(newest(finished, "05_model_input", *LAST))["id"]
    run_with_other_labels(project, asked)
    assert learnt(project) == learnt(finished)
    # They did change what is measured with them, or this test would say nothing.
    metrics = [newest(folder, "08_reporting", "tiny", "cycle_2", "metrics.json") for folder in (project, finished)]
    assert metrics[0].read_text() != metrics[1].read_text()


def test_a_query_that_peeks_at_the_labels_behind_the_catalogs_back_is_caught_by_that(
    project: Path, tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from support.projects import make_project

    honest = QueryPlan.make

    def peeking(state: CycleState, *arguments: object) -> QueryPlan:
        labels = pd.read_parquet(newest(Path.cwd(), "02_intermediate", "*", "recorded_labels.parquet"))
        liked = labels["id"][labels["label"].isin(sorted(labels["label"].unique())[:5])]
        plan = honest(state, *arguments)
        rows = plan.candidates["id"].isin(state.pool.rows(liked))
        return replace(plan, candidates=plan.candidates[rows])

    monkeypatch.setattr(QueryPlan, "make", peeking)
    run(project, WITHOUT_REPORT)
    asked = pd.read_parquet(newest(project, "05_model_input", *LAST))["id"]
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    other = make_project(tmp_path / "other", empty_store)
    run_with_other_labels(other, asked)
    assert learnt(other) != learnt(project)


def test_a_label_that_was_never_asked_for_is_shouted_about(copied: Path, caplog: pytest.LogCaptureFixture) -> None:
    page = newest(copied, "08_reporting", "tiny", "report.html").read_text()
    assert "No query and no training read a test label or a label that was not asked for" in page
    assert "BROKEN" not in page

    path = newest(copied, "05_model_input", *LAST)
    label_set = pd.read_parquet(path)
    ranking = pd.read_parquet(newest(copied, "04_feature", "tiny", "ranking.parquet"))
    stranger = ranking["id"][~ranking["id"].isin(label_set["id"])].iloc[0]
    write(pd.concat([label_set, label_set.tail(1).assign(id=stranger)]), path)
    caplog.clear()
    with caplog.at_level(logging.ERROR):
        run(copied, pipeline="report")
    (shout,) = (record.getMessage() for record in caplog.records if record.name == "pt4al.project.runs.messages")
    assert f"the first is {stranger!r} of cycle 2" in shout
    check = pd.read_parquet(newest(copied, "08_reporting", "tiny", "leak_check.parquet"))
    assert list(check["ok"]) == [False, True, True, True, True, True]
    page = newest(copied, "08_reporting", "tiny", "report.html").read_text()
    assert "Labels leaked: believe no number of this page" in page
    assert "No query and no training read" not in page


def test_every_reading_of_a_label_is_noted(finished: Path) -> None:
    reads = pd.read_json(finished / "data/08_reporting/tiny/reads.jsonl", lines=True)
    noted = reads.groupby("dataset")["node"].agg(set)
    assert noted["recorded_labels"] == {"pool.report_intake", *(f"cycle_{cycle}.ask_oracle" for cycle in range(3))}
    assert noted["test_labels"] == {"pool.report_intake", *(f"cycle_{cycle}.evaluate" for cycle in range(3))}
