"""A comparison on Ray: the same as on one machine, whatever happens to its workers."""

import threading
import time
from pathlib import Path

import psutil
import pytest
from mlflow import MlflowClient

from support.comparisons import SMALL
from support.projects import make_project, run, tables

CELLS = ["c-random-s0", "c-margin-s0", "c-random-s1", "c-margin-s1"]
WAIT = 120.0  # seconds
pytestmark = pytest.mark.slow


def kill_one(project: Path, killed: list[int]) -> threading.Thread:
    """Kill a worker of Ray that has a cell, once a network is trained."""

    def kill() -> None:
        began = time.monotonic()
        while time.monotonic() - began < WAIT and not killed:
            time.sleep(0.05)
            if not list((project / "data/06_models").glob("c-*/cycle_0/network.safetensors/*/*")):
                continue
            for process in psutil.Process().children(recursive=True):
                if any(word.startswith("ray::_do") for word in process.cmdline()):
                    killed.append(process.pid)
                    process.kill()
                    break

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> tuple[Path, Path]:
    """The same comparison by processes, and on Ray with a worker killed. Tests read them."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install pt4al[ray]")
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        for cluster in ("local", "ray"):
            made[cluster] = make_project(tmp_path_factory.mktemp(cluster), empty_store)
            patch.chdir(made[cluster])
            killed: list[int] = []
            killing = kill_one(made[cluster], killed) if cluster == "ray" else None
            run(made[cluster], "comparison", **SMALL, engine={"cluster": cluster})
            if killing is not None:
                killing.join()
                assert len(killed) == 1
    ray.shutdown()
    return made["local"], made["ray"]


def test_cells_ask_for_the_same_and_learn_the_same(projects: tuple[Path, Path]) -> None:
    local, on_ray = projects
    for name in CELLS:
        assert tables(on_ray, name) == tables(local, name)
        assert len(tables(on_ray, name)) > 0
    curves = [project / "data/08_reporting/c/cells.csv" for project in projects]
    assert curves[0].read_bytes() == curves[1].read_bytes()


def test_each_cell_has_its_log_and_one_row_in_mlflow_that_is_closed(projects: tuple[Path, Path]) -> None:
    on_ray = projects[1]
    logs = {path.stem: path.read_text() for path in (on_ray / "data/08_reporting/c/logs").iterdir()}
    assert all("ended after" in logs[name] and "20 labels, accuracy" in logs[name] for name in CELLS)
    client = MlflowClient(f"sqlite:///{on_ray}/mlflow.db")
    experiment = client.get_experiment_by_name("pt4al").experiment_id
    rows = [row for row in client.search_runs([experiment]) if "al.cycle" not in row.data.tags]
    assert sorted((row.info.run_name, row.info.status) for row in rows) == [
        (name, "FINISHED") for name in sorted(CELLS)
    ]


def test_the_command_of_a_cell_is_for_one_machine(projects: tuple[Path, Path]) -> None:
    plan = (projects[1] / "data/08_reporting/c/plan.csv").read_text()
    assert plan.count("engine.cluster=local") == len(CELLS)
