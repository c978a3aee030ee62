"""A project of one's own for every test that runs pipelines: real Kedro, real MLflow, tiny runs."""

import os

# Each process that tests start would compile this package anew: a third of a second.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Before torch is imported; processes that tests start inherit both.
os.environ.setdefault("GOMP_SPINCOUNT", "5000")
os.environ.setdefault("OMP_NUM_THREADS", os.environ.get("PT4AL_TEST_THREADS", "1"))

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings

from pt4al.cluster.seam import Cluster
from support.projects import copy_project, make_project, run

# The same examples every day, so that a commit fails for what it changes; others each time in the thorough suite.
settings.register_profile("daily", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=200, deadline=None)
settings.load_profile("daily")

for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID"):
    os.environ.pop(name, None)  # which would go before the tests' own stores

FOLDER = Path(__file__).parent
# Files that take longest, from a minute to ten seconds: they come first, so that processes end together.
LONGEST = (
    "pipelines/test_features",
    "pipelines/test_changes",
    "test_dvc",
    "pipelines/test_layouts",
    "pipelines/test_pretext",
    "pipelines/test_comparison",
    "benchmarks/test_scripts",
    "project/runs/test_stored",
    "pipelines/test_people",
    "training/test_together",
    "pipelines/test_active_learning",
    "pipelines/test_folders",
    "pipelines/test_predict",
    "project/tracking/test_tracker",
    "pipelines/test_workers",
    "project/cli/test_label_loop",
    "pipelines/test_leaks",
    "pipelines/test_suspects",
    "pipelines/test_cold_start",
    "pipelines/test_resume",
    "training/test_ranks",
    "project/tracking/test_database",
    "project/tracking/test_store",
    "cluster/test_seam",
    "cluster/test_whole_runs",
    "benchmarks/test_gpu",
    "project/configuration/test_instructions",
    "project/runs/test_error_messages",
    "pipelines/test_known_pool",
    "annotation/web/test_browser",
    "annotation/web/test_restarts",
    "training/networks/test_networks",
    "training/networks/test_sizes",
    "training/test_engine",
    "test_setup",
)
PLACES = {FOLDER / f"{name}.py": number for number, name in enumerate(LONGEST)}
assert all(path.is_file() for path in PLACES), "LONGEST names a file that is not there"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: PLACES.get(item.path, len(PLACES)))


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that `make` fills once for all processes of a session."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / name
    made = base / f"{name}.made"
    with FileLock(base / f"{name}.lock"):
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            made.touch()
    return folder


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow store with its tables: making them takes seconds."""

    def make(folder: Path) -> None:
        code = f"import mlflow; mlflow.set_tracking_uri('sqlite:///{folder}/mlflow.db'); mlflow.search_experiments()"
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

    return once(tmp_path_factory, "store", make) / "mlflow.db"


@pytest.fixture
def project(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    return make_project(tmp_path, empty_store)


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A project in which the run `tiny` was finished, once for all tests: each process has a copy."""

    def make(folder: Path) -> None:
        make_project(folder, empty_store, models=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            run(folder)

    made = once(tmp_path_factory, "finished", make)
    return copy_project(made, tmp_path_factory.mktemp("finished") / "project")


@pytest.fixture
def finished(finished_once: Path) -> Iterator[Path]:
    """A project in which the run `tiny` is finished. Tests read it; one that writes tables into it fails."""
    before = _tables(finished_once)
    yield finished_once
    assert _tables(finished_once) == before, "this test writes: let it take `copied`"


@pytest.fixture
def copied(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project with a finished run, which is the current folder: for tests that write into it."""
    copy = copy_project(finished, tmp_path / "copied")
    monkeypatch.chdir(copy)
    return copy


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if anything is trained; what rehearses a step of it, with two images, is let go."""

    def fail(*arguments: Any, **kwargs: Any) -> None:
        raise AssertionError("training has started")

    monkeypatch.setattr("pt4al.pipelines.pretext.nodes.fit", fail)
    monkeypatch.setattr("pt4al.project.runs.rehearsal.rehearse", lambda *arguments: None)
    monkeypatch.setattr("pt4al.training.engine.fit", fail)


def _tables(project: Path) -> set[Path]:
    return {path for kind in ("parquet", "csv", "html", "png") for path in project.glob(f"data/0*_*/**/*.{kind}")}


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real S3 server with a bucket, for all tests of a process that kill no server."""
    pytest.importorskip("s3fs")
    pytest.importorskip("moto.server", reason="needs moto[server]")
    from support.s3_server import S3Server

    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def s3(s3_server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The server, which this process finds by the usual variables."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture(scope="session")
def ray_once() -> Iterator[None]:
    """End the Ray of this process, which the first test that connects to it has started, after all tests."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install pt4al[ray]")
    yield
    ray.shutdown()


@pytest.fixture
def on_ray(ray_once: None, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Two workers of a Ray on this machine, which has what tests import."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    return Cluster("ray", workers=2)
