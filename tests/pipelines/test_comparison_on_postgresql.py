"""A comparison whose four cells log at once to PostgreSQL and a bucket, and lose nothing though they are killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from mlflow import MlflowClient

from support.postgresql import NEEDED, serving
from support.projects import kedro, make_project, newest

boto3 = pytest.importorskip("boto3")
server = pytest.importorskip("moto.server")
pytestmark = [*NEEDED, pytest.mark.slow]

TYPED = (
    "comparison.name=c,comparison.repeated=null,comparison.workers=4,"
    "cycles.number=2,cycles.budget=10,main.schedule.epochs=1"
)
CELLS = ["c-margin-s0", "c-margin-s1", "c-random-s0", "c-random-s1"]
COMMAND = ["run", "--pipelines=comparison", "--env=tiny", f"--params={TYPED}"]
BUCKET = "artifacts"
WAIT = 300.0  # seconds


@pytest.fixture(scope="module")
def bucket() -> Iterator[dict[str, str]]:
    """What a process has to know of a bucket on this machine."""
    made = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    made.start()
    address = "http://{}:{}".format(*made.get_host_and_port())
    keys = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    boto3.client("s3", endpoint_url=address, region_name="us-east-1", **session(keys)).create_bucket(Bucket=BUCKET)
    yield keys | {"MLFLOW_S3_ENDPOINT_URL": address}
    made.stop()


def session(keys: dict[str, str]) -> dict[str, str]:
    return {name.lower(): keys[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}


def wait_for(condition) -> None:
    end = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module")
def compared(
    tmp_path_factory: pytest.TempPathFactory, empty_store: Path, bucket: dict[str, str]
) -> Iterator[tuple[Path, MlflowClient]]:
    """A project whose comparison is finished: first a cell's process was killed, then the command itself."""
    project = make_project(tmp_path_factory.mktemp("compared"), empty_store)
    settings = project / "conf/base/mlflow.yml"
    settings.write_text(settings.read_text().replace("artifacts: null", f"artifacts: s3://{BUCKET}/mlflow"))
    networks = project / "data/06_models"
    with serving() as database, pytest.MonkeyPatch.context() as patch:
        for name, value in (bucket | {"MLFLOW_TRACKING_URI": database.create("compared")}).items():
            patch.setenv(name, value)
        with subprocess.Popen([sys.executable, "-m", "kedro", *COMMAND], cwd=project, stderr=subprocess.DEVNULL) as run:
            wait_for(lambda: list(networks.glob("c-*/cycle_0/network.safetensors/*/*")))
            cells = [child for child in psutil.Process(run.pid).children() if "spawn_main" in " ".join(child.cmdline())]
            assert len(cells) == 4
            cells[0].kill()
            wait_for(lambda: list(networks.glob("c-*/cycle_1/network.safetensors/*/*")))
            run.kill()
            assert run.wait() == -signal.SIGKILL
        psutil.wait_procs(cells, timeout=60)
        done = kedro(*COMMAND, cwd=project)
        assert done.returncode == 0, done.stderr
        assert "MLflow failed" not in done.stderr
        yield project, MlflowClient(os.environ["MLFLOW_TRACKING_URI"])


def metrics_of(project: Path, cell: str, cycle: int) -> dict[str, float]:
    return json.loads(newest(project, "08_reporting", cell, f"cycle_{cycle}", "metrics.json").read_text())


def test_every_cell_has_one_finished_row_with_all_that_it_measured(compared: tuple[Path, MlflowClient]) -> None:
    project, client = compared
    experiment = client.get_experiment_by_name("pt4al").experiment_id
    rows = client.search_runs([experiment], "tags.`al.role` = 'study'")
    assert sorted(row.info.run_name for row in rows) == CELLS
    assert {row.info.status for row in rows} == {"FINISHED"}
    for row in rows:
        history = client.get_metric_history(row.info.run_id, "accuracy")
        accuracies = [metrics_of(project, row.info.run_name, cycle)["accuracy"] for cycle in range(2)]
        assert [(entry.step, entry.value) for entry in history] == [(10, accuracies[0]), (20, accuracies[1])]


def test_every_cycle_of_every_cell_is_there_once_with_its_metrics(compared: tuple[Path, MlflowClient]) -> None:
    project, client = compared
    experiment = client.get_experiment_by_name("pt4al").experiment_id
    rows = client.search_runs([experiment], "tags.`al.role` = 'cycle'")
    assert sorted(row.info.run_name for row in rows) == [f"{cell}-c{cycle}" for cell in CELLS for cycle in range(2)]
    assert {row.info.status for row in rows} == {"FINISHED"}
    for row in rows:
        cell, _, cycle = row.info.run_name.rpartition("-c")
        measured = {name for name, value in metrics_of(project, cell, int(cycle)).items() if value is not None}
        logged = {name.removeprefix("class/") for name in row.data.metrics}
        assert measured - {"labels"} <= logged


def test_the_files_of_the_cells_are_in_the_bucket(compared: tuple[Path, MlflowClient]) -> None:
    project, client = compared
    experiment = client.get_experiment_by_name("pt4al")
    assert experiment.artifact_location == f"s3://{BUCKET}/mlflow"
    for row in client.search_runs([experiment.experiment_id], "tags.`al.role` = 'cycle'"):
        cell, _, cycle = row.info.run_name.rpartition("-c")
        there = Path(client.download_artifacts(row.info.run_id, "query.parquet"))
        here = newest(project, "05_model_input", cell, f"cycle_{cycle}", "query.parquet")
        assert there.read_bytes() == here.read_bytes()
    assert not (project / "mlruns").exists()
