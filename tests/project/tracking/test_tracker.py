"""MLflow is bookkeeping: it may fail, it may be late, and a run has one row in it."""

import json
import logging
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import mlflow
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kedro.io import CatalogProtocol, DataCatalog, MemoryDataset

from pt4al.project.configuration.parsing import parse
from pt4al.project.tracking import store as mlflow_store
from pt4al.project.tracking.comparison import ComparisonTracker
from pt4al.project.tracking.run import RunTracker, metric_name, model_name, writable
from pt4al.project.tracking.store import NOTE
from pt4al.project.tracking.tracker import PatientTracker
from support.ports import free_port
from support.projects import copy_project, newest, run
from support.tracking import catalog_of, store_of, tracking_of

LONG = "x" * 250
TIMEOUT = 120  # seconds


@pytest.fixture(scope="module")
def catalog(finished_once: Path) -> CatalogProtocol:
    """What the finished run has left, whichever project it is logged from."""
    return catalog_of(finished_once)


@pytest.fixture
def project(tmp_path: Path, empty_store: Path) -> Path:
    """A project with a store, to which nothing is logged."""
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    (tmp_path / "data/05_model_input/tiny").mkdir(parents=True)
    return tmp_path


def rows(project: Path, role: str, store: Any = None) -> list:
    client, experiment = (store or store_of(project)).connect()
    return client.search_runs([experiment], f"tags.`al.role` = '{role}'")


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


class Odd:
    """A catalog with one odd table in it."""

    def __init__(self, catalog: CatalogProtocol, **odd: Any):
        self._catalog, self._odd = catalog, odd

    def load(self, name: str) -> Any:
        return self._odd[name] if name in self._odd else self._catalog.load(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._catalog, name)

    def __getitem__(self, name: str) -> Any:
        return self._catalog[name]


class Young(Odd):
    """A catalog of a run that has finished fewer cycles."""

    def __init__(self, catalog: CatalogProtocol, cycles: int):
        super().__init__(catalog)
        self._lacks = {f"cycle_{cycle}.metrics" for cycle in range(cycles, 3)}

    def exists(self, name: str) -> bool:
        return name not in self._lacks and self._catalog.exists(name)


def test_a_store_that_fails_is_told_once_and_logged_to_as_soon_as_it_works(
    project: Path, catalog: CatalogProtocol, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow_store, "BUSY", 0.05)
    books = PatientTracker(tracking_of(project, catalog))
    with closing(sqlite3.connect(project / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        books.start(catch_up=False)
        books.log_cycle(0)
        assert books.chart is None
        other.rollback()
    books.log_cycle(1)
    books.stop("FINISHED")
    (told,) = warnings(caplog)
    assert "database is locked" in told
    assert {row.data.tags["al.cycle"] for row in rows(project, "cycle")} == {"0", "1"}
    assert [row.info.status for row in rows(project, "run")] == ["FINISHED"]


def test_what_an_earlier_command_could_not_log_is_logged_by_the_next(
    project: Path, catalog: CatalogProtocol, caplog: pytest.LogCaptureFixture
) -> None:
    whole = (project / "mlflow.db").read_bytes()
    (project / "mlflow.db").write_bytes(b"no database" * 100)
    books = PatientTracker(tracking_of(project, catalog))
    books.start(catch_up=True)
    for cycle in range(3):
        books.log_cycle(cycle)
    books.log_report()
    books.stop("FINISHED")
    assert len(warnings(caplog)) == 1
    (project / "mlflow.db").write_bytes(whole)
    books = PatientTracker(tracking_of(project, catalog))
    books.start(catch_up=True)
    books.stop("FINISHED")
    assert {row.data.tags["al.cycle"] for row in rows(project, "cycle")} == {"0", "1", "2"}


def test_one_entry_that_fails_keeps_no_other_from_being_logged(
    project: Path, catalog: CatalogProtocol, caplog: pytest.LogCaptureFixture
) -> None:
    broken = pd.DataFrame({"epoch": [0], "steps": [1], "loss": ["no number"]})
    books = PatientTracker(tracking_of(project, Odd(catalog, **{"cycle_0.training_curve": broken})))
    books.start(catch_up=True)
    books.stop("FINISHED")
    assert "no number" in warnings(caplog)[0]
    finished = [row.data.tags["al.cycle"] for row in rows(project, "cycle") if row.info.status == "FINISHED"]
    assert sorted(finished) == ["1", "2"]
    assert [row.info.status for row in rows(project, "run")] == ["FINISHED"]


def test_a_run_that_was_killed_takes_its_row_up_again(project: Path, catalog: CatalogProtocol) -> None:
    tracking_of(project, catalog).start()  # and nothing more: SIGKILL
    assert [row.info.status for row in rows(project, "run")] == ["RUNNING"]
    again = tracking_of(project, catalog)
    again.start()
    again.stop("FINISHED")
    assert [row.info.status for row in rows(project, "run")] == ["FINISHED"]


def test_a_kill_between_the_row_and_the_note_of_it_leaves_one_row(
    project: Path, catalog: CatalogProtocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = RunTracker._create_run

    def killed(*arguments: Any) -> None:
        create(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(RunTracker, "_create_run", killed)
        tracking_of(project, catalog).start()
    tracking_of(project, catalog).start()
    assert len(rows(project, "run")) == 1


def test_a_row_that_somebody_deleted_is_made_anew(project: Path, catalog: CatalogProtocol) -> None:
    tracking_of(project, catalog).start()
    (row,) = rows(project, "run")
    store_of(project).connect()[0].delete_run(row.info.run_id)
    again = tracking_of(project, catalog)
    again.start()
    assert again.missing() == [0, 1, 2]
    assert len(rows(project, "run")) == 1


def test_a_run_logged_to_another_store_for_a_while_has_one_row_in_each(
    project: Path, catalog: CatalogProtocol, empty_store: Path
) -> None:
    shutil.copy(empty_store, project / "other.db")
    other = store_of(project, "sqlite:///other.db")
    for store in (store_of(project), other, store_of(project), other):
        tracking_of(project, catalog, store).start()
    assert len(rows(project, "run")) == len(rows(project, "run", other)) == 1


def test_a_run_whose_name_begins_like_this_ones_is_left_alone(project: Path, catalog: CatalogProtocol) -> None:
    tracking_of(project, catalog).start()
    record = project / "data/05_model_input/tiny"
    shutil.copytree(record, record.with_name("tiny.other"))
    (record / "mlflow_run.json").unlink()
    tracking_of(project, catalog).start()
    assert [row.info.status for row in rows(project, "run")] == ["RUNNING", "RUNNING"]


def test_a_note_of_the_row_that_is_cut_short_ends_nothing(project: Path, catalog: CatalogProtocol) -> None:
    (project / "data/05_model_input/tiny/mlflow_run.json").write_text('{"run_id": "12')
    tracking_of(project, catalog).start()
    assert len(rows(project, "run")) == 1


def test_a_run_that_was_killed_and_set_aside_does_not_run_for_ever(project: Path, catalog: CatalogProtocol) -> None:
    tracking_of(project, catalog).start()
    record = project / "data/05_model_input/tiny"
    record.rename(record.with_name("tiny.20260101T000000"))
    record.mkdir()
    tracking_of(project, catalog).start()
    found = {row.info.run_name: row.info.status for row in rows(project, "run")}
    assert found == {"tiny": "RUNNING", "tiny.20260101T000000": "KILLED"}


def test_a_cycle_logged_again_after_a_kill_is_there_once_with_one_model(
    project: Path, catalog: CatalogProtocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking = tracking_of(project, catalog, log_models=True)
    tracking.start()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(mlflow.MlflowClient, "set_terminated", _interrupt)
        tracking.log_cycles([0])
    assert tracking.missing() == [0, 1, 2]
    tracking.log_cycles([0])
    client, experiment = store_of(project).connect()
    (child,) = rows(project, "cycle")
    (model,) = client.search_logged_models([experiment])
    assert model.source_run_id == child.info.run_id
    (row,) = rows(project, "run")
    assert [metric.step for metric in client.get_metric_history(row.info.run_id, "accuracy")] == [20]
    assert "MLFLOW_TRACKING_URI" not in os.environ


def _interrupt(*arguments: Any) -> None:
    raise KeyboardInterrupt


def test_an_interrupted_cycle_is_not_left_running(project: Path, catalog: CatalogProtocol) -> None:
    tracking = tracking_of(project, catalog)
    tracking.start()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(RunTracker, "_path", _interrupt)
        tracking.log_cycles([0])
    tracking.stop("KILLED")
    assert {row.info.status for role in ("run", "cycle") for row in rows(project, role)} == {"KILLED"}


def test_classes_of_any_name_are_logged_each_under_its_own(project: Path, catalog: CatalogProtocol) -> None:
    odd = ["c+", "c#", "a//b", "a/./b", "..", "/", LONG, LONG + "x", "zwei\nZeilen", "é", "\udce9", "cat"]
    metrics = {f"accuracy_{name}": number / 20 for number, name in enumerate(odd)}
    metrics |= {"accuracy": None, "labels": 20, "loss": 1.0}
    tracking = tracking_of(project, Odd(catalog, **{"cycle_0.metrics": metrics}))
    tracking.start()
    tracking.log_cycles([0])
    (child,) = rows(project, "cycle")
    logged = {name: value for name, value in child.data.metrics.items() if name.startswith("class")}
    assert sorted(logged.values()) == [number / 20 for number in range(len(odd))]
    assert logged["class/accuracy_cat"] == 11 / 20
    assert child.data.metrics["loss"] == 1
    (row,) = rows(project, "run")
    assert row.data.metrics == {"loss": 1}  # else its page begins with a chart a class


def test_more_epochs_than_mlflow_takes_at_once_are_all_logged(project: Path, catalog: CatalogProtocol) -> None:
    curve = pd.DataFrame({"epoch": range(700), "steps": range(700), "loss": 0.5, "learning_rate": 0.1})
    tracking = tracking_of(project, Odd(catalog, **{"cycle_0.training_curve": curve}))
    tracking.start()
    tracking.log_cycles([0])
    (child,) = rows(project, "cycle")
    history = store_of(project).connect()[0].get_metric_history(child.info.run_id, "training_loss")
    assert len(history) == 700


@given(st.lists(st.text(min_size=1), min_size=2, max_size=2, unique=True))
def test_metric_names_are_valid_and_never_one_for_two(names: list[str]) -> None:
    from mlflow.utils.validation import _validate_metric_name

    made = [metric_name(f"iou_{name}") for name in names]
    for name in made:
        _validate_metric_name(name)
        assert len(name) <= 250
    assert made[0] != made[1]


def test_a_model_of_a_run_with_dots_in_its_name_has_a_name_that_mlflow_takes() -> None:
    from mlflow.utils.validation import _validate_logged_model_name

    _validate_logged_model_name(model_name("a.b", 0, 2))
    assert model_name("a.b", 0, 2) != model_name("a_b", 0, 2)
    assert model_name("tiny", 0, 2) == "tiny-s0-c2"


def test_a_path_that_is_no_text_is_written_all_the_same() -> None:
    assert writable("caf\udce9") == "caf?"


def test_without_git_on_the_path_and_with_a_broken_dvc_lock_a_row_is_made(
    project: Path, catalog: CatalogProtocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(project))
    (project / "dvc.lock").write_text("stages: [")
    tracking_of(project, catalog).start()
    (row,) = rows(project, "run")
    assert row.data.tags["mlflow.source.git.commit"] == "git can't be asked"
    assert row.data.tags["dvc.pool"] == "not in dvc.lock"


def test_the_cells_of_an_interrupted_comparison_are_closed_and_lost_ones_stop_nothing(
    project: Path, catalog: CatalogProtocol
) -> None:
    tracking_of(project, catalog).start()
    plan = pd.DataFrame({"run": ["tiny", "never-started"], "arm": ["margin", "random"], "repeat": 0, "seed": 0})
    parameters = parse(catalog.load("parameters"))
    study = ComparisonTracker(
        parameters, DataCatalog({"comparison_plan": MemoryDataset(plan)}), project / "data", store_of(project)
    )
    study.start()
    study.stop("KILLED")
    assert [row.info.status for row in rows(project, "run")] == ["KILLED"]
    books = PatientTracker(study)
    books.stop("FINISHED")
    assert len(rows(project, "study")) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_command_that_is_told_to_end_ends_at_once_and_closes_its_row(
    finished: Path, tmp_path: Path, number: signal.Signals
) -> None:
    project = copy_project(finished, tmp_path / "project")
    # Nothing is missing but the last cycle's training, which would take hours.
    typed = "--params=run.name=long,main.schedule.epochs=10000"
    command = [sys.executable, "-m", "kedro", "run", "-v", "--pipelines=active_learning", "--env=tiny", typed]
    with subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "extend_label_set" in line:
                break
        time.sleep(0.5)
        process.send_signal(number)
        assert process.wait(TIMEOUT) == -number
        assert "the same command goes on" in process.stderr.read()
    found = {row.info.run_name: row.info.status for row in rows(project, "run")}
    assert found == {"tiny": "FINISHED", "long": "KILLED"}


def test_a_run_whose_store_is_damaged_is_trained_to_its_end(
    finished: Path, tmp_path: Path, empty_store: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = copy_project(finished, tmp_path / "project")
    monkeypatch.chdir(project)
    (project / "mlflow.db").write_bytes(b"no database" * 100)
    for cycle in range(3):
        shutil.rmtree(project / f"data/06_models/tiny/cycle_{cycle}")
    run(project)
    assert newest(project, "06_models", "tiny", "cycle_2", "network.safetensors").exists()
    (told,) = [message for message in warnings(caplog) if "MLflow" in message]
    assert "move it away" in told
    shutil.copy(empty_store, project / "mlflow.db")
    run(project)
    assert {row.data.tags["al.cycle"] for row in rows(project, "cycle")} == {"0", "1", "2"}


@contextmanager
def serving(project: Path, port: int) -> Iterator[None]:
    """MLflow's own server, for as long as the block runs."""
    uri = f"sqlite:///{project}/mlflow.db"
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, "--port", str(port)]
    command += ["--artifacts-destination", str(project / "artifacts"), "--workers", "1"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as server:
        try:
            for _ in range(TIMEOUT):
                with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    break
                time.sleep(1)
            yield
        finally:
            os.killpg(server.pid, signal.SIGKILL)


@pytest.mark.slow
def test_a_server_that_goes_away_and_comes_back_has_everything_in_the_end(
    project: Path, catalog: CatalogProtocol, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("MAX_RETRIES", "1"), ("BACKOFF_FACTOR", "0")):
        monkeypatch.setenv(f"MLFLOW_HTTP_REQUEST_{name}", value)
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    store = store_of(project, uri)
    books = PatientTracker(tracking_of(project, catalog, store))
    books.start(catch_up=True)  # not there yet
    with serving(project, port):
        books.log_cycle(0)
        assert len(rows(project, "cycle", store)) == 3
    books.log_cycle(1)
    books.stop("FINISHED")
    assert len(warnings(caplog)) == 1
    with serving(project, port):
        again = PatientTracker(tracking_of(project, catalog, store))
        again.start(catch_up=True)
        again.stop("FINISHED")
        assert [row.info.status for row in rows(project, "run", store)] == ["FINISHED"]
        assert sorted(row.data.tags["al.cycle"] for row in rows(project, "cycle", store)) == ["0", "1", "2"]


def test_a_finished_run_says_what_it_is_where_mlflow_lists_runs(project: Path, catalog: CatalogProtocol) -> None:
    tracking = tracking_of(project, catalog)
    tracking.start()
    tracking.log_cycles(tracking.missing())
    tracking.stop("FINISHED")
    (row,) = rows(project, "run")
    strategy = row.data.tags["al.measure"] if row.data.tags["al.strategy"] == "top" else row.data.tags["al.strategy"]
    assert re.match(rf"{strategy}: accuracy [\d.]+ % with 60 labels\n\nfile://.*/report.html", row.data.tags[NOTE])
    (used,) = row.inputs.dataset_inputs
    assert (used.dataset.name, json.loads(used.dataset.profile)) == ("fashion_mnist", {"num_rows": 300})


def test_a_run_that_waits_is_described_by_its_last_finished_cycle(project: Path, catalog: CatalogProtocol) -> None:
    tracking = tracking_of(project, Young(catalog, 2))
    tracking.start()
    tracking.log_cycles(tracking.missing())
    tracking.stop("FINISHED")
    (row,) = rows(project, "run")
    assert "with 40 labels" in row.data.tags[NOTE]


def test_a_run_without_a_finished_cycle_is_closed_without_a_word(project: Path, catalog: CatalogProtocol) -> None:
    tracking = tracking_of(project, Young(catalog, 0))
    tracking.start()
    tracking.stop("FINISHED")
    (row,) = rows(project, "run")
    assert row.info.status == "FINISHED"
    assert NOTE not in row.data.tags
