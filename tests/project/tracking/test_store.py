"""MLflow's store: whole or not at all, at home where the project is, or one sentence why it can't be used."""

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import mlflow
import pytest

from pt4al.errors import InputError
from pt4al.project.tracking import store as mlflow_store
from pt4al.project.tracking.store import Store
from support.projects import copy_project
from support.tracking import SETTINGS, store_of

OPEN = """
import sys
from pathlib import Path
import mlflow, alembic.command  # before the store is made, so that a kill hits the making
from pt4al.project.tracking.store import Settings, find
sys.stdin.readline()
settings = Settings(tracking_uri="sqlite:///mlflow.db", experiment="pt4al", log_models=False)
print(find(Path(sys.argv[1]), settings, {}).connect()[1], flush=True)
"""


def opening(project: Path) -> subprocess.Popen:
    """A process that opens a project's store once a line is written to it."""
    command = [sys.executable, "-c", OPEN, str(project)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def kill_over(project: Path, size: int) -> None:
    """Kill a process once its unfinished store has a size, in bytes; another one if that had finished it before."""
    store = project / "mlflow.db"
    with opening(project) as process:
        process.stdin.write("\n")
        process.stdin.flush()
        unfinished = project / f".mlflow.db.new.{process.pid}"
        while size_of(unfinished) < size and not store.exists():
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
    if store.exists():
        store.unlink()
        kill_over(project, size)


@pytest.fixture
def project(tmp_path: Path, empty_store: Path) -> Path:
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    return tmp_path


def change(project: Path, statement: str) -> None:
    with closing(sqlite3.connect(project / "mlflow.db")) as store, store:
        store.execute(statement)


def test_a_store_killed_while_it_is_made_is_made_by_the_next_ones_even_by_two_at_once(tmp_path: Path) -> None:
    for size in (1, 500_000):
        kill_over(tmp_path, size)
        assert not (tmp_path / "mlflow.db").exists()
    with opening(tmp_path) as one, opening(tmp_path) as other, ThreadPoolExecutor(2) as threads:
        answers = threads.map(lambda process: process.communicate("\n", timeout=200)[0], (one, other))
        assert list(answers) == ["1\n", "1\n"]
    assert {path.name for path in tmp_path.iterdir()} == {"mlflow.db", ".mlflow.db.lock"}


def test_a_store_that_was_never_finished_and_holds_nothing_is_made_anew(project: Path) -> None:
    change(project, "DELETE FROM alembic_version")
    os.utime(project / "mlflow.db", (0, 0))  # else somebody might be making it now
    store_of(project).connect()
    assert (project / "mlflow.db.unfinished").exists()


def test_a_damaged_store_is_one_sentence_with_the_way_out(project: Path) -> None:
    (project / "mlflow.db").write_bytes(b"no database" * 1000)
    with pytest.raises(InputError, match=r"mlflow\.db: file is not a database; move it away"):
        store_of(project).connect()


def test_a_locked_store_is_one_sentence_after_seconds(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_store, "BUSY", 0.05)
    with closing(sqlite3.connect(project / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(InputError, match="database is locked; another process is writing to it"):
            store_of(project).connect()


def test_a_folder_in_the_stores_place_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db" / "x").mkdir(parents=True)
    with pytest.raises(InputError, match="unable to open database file"):
        store_of(tmp_path).connect()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to everything")
def test_a_store_that_may_not_be_written_to_is_one_sentence(project: Path) -> None:
    (project / "mlflow.db").chmod(0o400)
    with pytest.raises(InputError, match="readonly"):
        store_of(project).connect()


def test_an_experiment_deleted_in_mlflow_says_how_to_bring_it_back(project: Path) -> None:
    client, experiment = store_of(project).connect()
    client.delete_experiment(experiment)
    with pytest.raises(InputError, match=f"experiments restore --experiment-id {experiment}"):
        store_of(project).connect()


def test_a_moved_project_keeps_its_artifacts_and_its_models(finished: Path, tmp_path: Path) -> None:
    moved = copy_project(finished, tmp_path / "elsewhere")
    client, experiment = store_of(moved).connect()
    here = (moved / "mlruns").as_uri()
    assert client.get_experiment(experiment).artifact_location == here
    rows = client.search_runs([experiment])
    assert len(rows) == 4
    assert all(row.info.artifact_uri.startswith(f"{here}/") for row in rows)
    row = client.create_run(experiment)
    client.log_artifact(row.info.run_id, str(moved / "pyproject.toml"))
    assert len(list((moved / "mlruns").rglob("pyproject.toml"))) == 1
    assert not list((finished / "mlruns").rglob("pyproject.toml"))
    (model,) = client.search_logged_models([experiment], "name = 'tiny-s0-c2'")
    assert model.artifact_location.startswith(f"{here}/")


@pytest.mark.parametrize("name", ["a%20b", "what?", "100%", "x#1", "a b"])
def test_a_store_lies_in_its_project_whatever_the_projects_name(tmp_path: Path, empty_store: Path, name: str) -> None:
    project = tmp_path / name
    project.mkdir()
    shutil.copy(empty_store, project / "mlflow.db")
    client, number = store_of(project).connect()
    assert client.get_experiment(number).name == "pt4al"
    assert [folder.name for folder in tmp_path.iterdir()] == [name]


def test_an_address_in_mlflows_own_words_is_read_as_mlflow_reads_it(tmp_path: Path) -> None:
    environment = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/a%20b.db?timeout=5"}
    assert mlflow_store.find(tmp_path, mlflow_store.checked(SETTINGS), environment).file == tmp_path / "a b.db"


def test_a_place_for_artifacts_that_somebody_chose_stays(project: Path) -> None:
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{project}/mlflow.db")
    client.create_experiment("pt4al", artifact_location="file:///big/mlruns")
    _, experiment = store_of(project).connect()
    assert client.get_experiment(experiment).artifact_location == "file:///big/mlruns"


def test_a_store_that_projects_have_in_common_is_nobodys_to_move(tmp_path: Path, empty_store: Path) -> None:
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        client, experiment = store_of(tmp_path / name, f"sqlite:///{tmp_path}/mlflow.db").connect()
        assert client.get_experiment(experiment).artifact_location == (tmp_path / "mlruns").as_uri()


def test_mlflows_environment_variables_go_before_the_settings_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    environment = {
        "MLFLOW_TRACKING_URI": "http://me:secret@there:5000",
        "MLFLOW_EXPERIMENT_NAME": "ours",
        "MLFLOW_RUN_ID": "0123",
    }
    found = mlflow_store.find(tmp_path, SETTINGS, environment)
    assert found == Store("http://me:secret@there:5000", "ours", False, None, tmp_path)
    assert mlflow_store.find(tmp_path, SETTINGS, {"MLFLOW_EXPERIMENT_ID": "7"}).by_id
    with caplog.at_level(logging.INFO):
        mlflow_store.tell(environment)
    (line,) = caplog.messages
    assert "MLFLOW_TRACKING_URI goes before mlflow.yml (http://me:***@there:5000)" in line
    assert "MLFLOW_RUN_ID is not obeyed" in line
    caplog.clear()
    mlflow_store.tell({})
    assert not caplog.messages


def test_logging_a_model_leaves_no_address_to_other_processes(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = store_of(project)
    with store.chosen():
        assert mlflow.get_tracking_uri() == store.uri
    assert "MLFLOW_TRACKING_URI" not in os.environ


def test_a_wrong_key_in_mlflow_yml_is_one_sentence() -> None:
    with pytest.raises(InputError, match=r"mlflow\.yml: `experimnt`: .*tracking_uri, experiment, log_models"):
        mlflow_store.checked(
            {"tracking_uri": "sqlite:///a.db", "experimnt": "x", "experiment": "x", "log_models": True}
        )


def test_another_mlflows_store_is_left_alone(finished: Path, tmp_path: Path) -> None:
    shutil.copy(finished / "mlflow.db", tmp_path)
    change(tmp_path, "UPDATE alembic_version SET version_num = '0123456789ab'")
    before = (tmp_path / "mlflow.db").read_bytes()
    with pytest.raises(Exception, match="schema"):
        store_of(tmp_path).connect()
    assert (tmp_path / "mlflow.db").read_bytes() == before
