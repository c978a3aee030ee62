"""MLflow's store in a database server: made once, used by many at once, and one sentence when it is not there."""

import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kedro.io import CatalogProtocol

from pt4al.errors import InputError
from pt4al.project.tracking import store as mlflow_store
from pt4al.project.tracking.database import is_database
from pt4al.project.tracking.tracker import PatientTracker
from support.postgresql import NEEDED, Database, serving
from support.tracking import SETTINGS, catalog_of, store_of, tracking_of

NUMBERS = 50  # metrics that a process logs
# Forks a process for each name, so that all begin at once.
LOG = f"""
import os
import sys
from pathlib import Path
import mlflow
from mlflow.entities import Metric
from pt4al.project.tracking.store import Settings, find
names = sys.argv[2:]
for name in names:
    if not os.fork():
        break
else:
    sys.exit(any([os.wait()[1] for _ in names]))
settings = Settings(tracking_uri=sys.argv[1], experiment="pt4al", log_models=False)
client, experiment = find(Path("."), settings, {{}}).connect()
run = client.create_run(experiment, run_name=name).info.run_id
for step in range({NUMBERS}):
    client.log_batch(run, metrics=[Metric("accuracy", step, 0, step)])
client.set_terminated(run)
"""


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with serving() as server:
        yield server


def in_postgresql(test):
    for mark in NEEDED:
        test = mark(test)
    return test


@in_postgresql
def test_four_processes_that_log_to_an_empty_database_at_once_lose_nothing(database: Database, tmp_path: Path) -> None:
    uri = database.create("empty")
    names = ["a", "b", "c", "d"]
    subprocess.run([sys.executable, "-c", LOG, uri, *names], cwd=tmp_path, check=True)
    client, experiment = store_of(tmp_path, uri).connect()
    rows = client.search_runs([experiment])
    assert sorted((row.info.run_name, row.info.status) for row in rows) == [(name, "FINISHED") for name in names]
    for row in rows:
        history = client.get_metric_history(row.info.run_id, "accuracy")
        assert [entry.step for entry in history] == list(range(NUMBERS))


@in_postgresql
def test_a_wrong_password_is_one_sentence_at_once_that_does_not_show_it(database: Database, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'password authentication failed for user "tester"; .*PGPASSWORD') as raised:
        store_of(tmp_path, database.address("postgres", password="mistyped")).connect()
    assert "mistyped" not in str(raised.value)


@in_postgresql
def test_a_database_that_goes_away_and_comes_back_has_everything_in_the_end(
    database: Database, finished_once: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    catalog: CatalogProtocol = catalog_of(finished_once)
    (tmp_path / "data/05_model_input/tiny").mkdir(parents=True)
    store = store_of(tmp_path, database.create("interrupted"))
    database.end()
    books = PatientTracker(tracking_of(tmp_path, catalog, store))
    books.start(catch_up=True)  # not there yet
    database.start()
    books.log_report()
    database.end()
    books.stop("FINISHED")
    database.start()
    again = PatientTracker(tracking_of(tmp_path, catalog, store))
    again.start(catch_up=True)
    again.stop("FINISHED")
    ours = [record for record in caplog.records if record.name.startswith("pt4al") and record.levelno > logging.INFO]
    assert len(ours) == 1
    client, experiment = store.connect()
    rows = client.search_runs([experiment])
    assert sorted(row.data.tags.get("al.cycle", "run") for row in rows) == ["0", "1", "2", "run"]
    assert {row.info.status for row in rows} == {"FINISHED"}
    folder = tmp_path.resolve().as_uri()
    assert client.get_experiment(experiment).artifact_location == f"{folder}/mlruns"


def test_a_database_that_is_down_is_one_sentence_at_once(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(InputError, match="Connection refused; start it, or correct the address"):
        store_of(tmp_path, "postgresql://tester@127.0.0.1:1/mlflow").connect()


@pytest.mark.parametrize("uri", ["postgresql://tester@127.0.0.1:five/mlflow", "postgresql+none://127.0.0.1/mlflow"])
def test_an_address_that_is_none_is_one_sentence(tmp_path: Path, uri: str) -> None:
    with pytest.raises(InputError, match="an address is postgresql://name@host:5432/database"):
        store_of(tmp_path, uri).connect()


def test_a_driver_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(InputError, match=r"psycopg2; .* pip install 'pt4al\[postgres\]'"):
        store_of(tmp_path, "postgresql+psycopg2://127.0.0.1/mlflow").connect()


def test_what_is_a_database_is_seen_from_its_address() -> None:
    assert is_database("postgresql+psycopg://127.0.0.1/mlflow")
    assert not is_database("http://127.0.0.1:5000")
    assert not is_database("sqlite:///mlflow.db")


def test_an_experiment_begun_elsewhere_keeps_its_files_and_it_is_said(
    tmp_path: Path, empty_store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    _, experiment = store_of(tmp_path).connect()
    bucket = SETTINGS.model_copy(update={"artifacts": "s3://bucket/mlflow"})
    client, same = mlflow_store.find(tmp_path, bucket, {}).connect()
    assert same == experiment
    assert client.get_experiment(experiment).artifact_location == (tmp_path.resolve() / "mlruns").as_uri()
    assert "keeps its files in" in caplog.text
    elsewhere = bucket.model_copy(update={"experiment": "elsewhere"})
    client, new = mlflow_store.find(tmp_path, elsewhere, {}).connect()
    assert client.get_experiment(new).artifact_location == "s3://bucket/mlflow"
