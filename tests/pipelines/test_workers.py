"""A comparison's workers: they stay warm, are replaced when they die, and leave nothing behind."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pt4al.cluster.processes import KILLED, end_idle
from pt4al.cluster.seam import Cluster
from pt4al.errors import InputError
from pt4al.pipelines.comparison.execution import Errand
from pt4al.pipelines.comparison.plan import Cell, cells
from pt4al.pipelines.comparison.workers import Workers
from support.comparisons import SMALL, parameters
from support.projects import newest

WAIT = 300.0  # seconds


@pytest.fixture(autouse=True)
def alone() -> None:
    """End processes that other tests have left warm."""
    end_idle()


@pytest.fixture
def cell(project: Path) -> Cell:
    return cells(parameters(project), SMALL)[0]


@pytest.fixture
def workers(project: Path) -> Workers:
    told = {"path": project, "env": "tiny", "checked": set()}
    return Workers(told, project / "logs", Cluster(workers=1, warm=False))


def run(workers: Workers, cell: Cell) -> str | None:
    """Make a cell's pool; return why that failed."""
    ((_, reason),) = workers.run([[Errand(cell, ["pool"])]])
    return reason


def processes() -> set[psutil.Process]:
    """The workers that there are now; multiprocessing has other processes, too."""
    children = psutil.Process().children()
    return {child for child in children if any("spawn_main" in word for word in child.cmdline())}


def end_first(number: signal.Signals) -> threading.Thread:
    """Send a signal to the first worker that there is."""

    def end() -> None:
        began = time.monotonic()
        while not (found := processes()) and time.monotonic() - began < WAIT:
            time.sleep(0.05)
        found.pop().send_signal(number)

    thread = threading.Thread(target=end)
    thread.start()
    return thread


def test_a_worker_stays_warm_is_replaced_when_it_dies_and_ends_with_the_comparison(
    project: Path, cell: Cell, workers: Workers
) -> None:
    def errands() -> Iterator[list[Errand]]:
        yield [Errand(cell, ["pool"])]  # done by the second one
        assert newest(project, "02_intermediate", "pool_*", "pool").exists()
        (second,) = processes()
        yield [Errand(cell, ["pool"])]
        assert processes() == {second}
        second.kill()
        while second.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        yield [Errand(cell, ["pool"])]
        assert processes() not in ({second}, set())

    dying = end_first(signal.SIGKILL)
    assert [reason for _, reason in workers.run(errands())] == [None] * 3
    dying.join()
    assert not processes()
    assert (project / "logs/c-random-s0.log").read_text().count("# ") == 3


def test_a_worker_that_somebody_ends_is_not_replaced(cell: Cell, workers: Workers) -> None:
    ending = end_first(signal.SIGTERM)
    assert run(workers, cell).startswith(KILLED)
    ending.join()
    assert not processes()


def test_a_cell_that_fails_says_why_and_the_worker_goes_on(cell: Cell, workers: Workers) -> None:
    def errands() -> Iterator[list[Errand]]:
        settings = {**cell.settings, "pool": {"source": {"path": "nowhere"}}}
        yield [Errand(Cell(cell.arm, settings, cell.parameters), ["pool"])]
        (worker,) = processes()
        yield [Errand(cell, ["pool"])]
        assert processes() == {worker}

    failing, going_on = [reason for _, reason in workers.run(errands())]
    assert "nowhere" in failing
    assert "c-random-s0.log" in failing
    assert going_on is None


def test_a_machine_without_the_projects_folder_is_named(workers: Workers) -> None:
    with pytest.raises(InputError, match=r"has no folder .*: on a cluster the project must be on a disk"):
        workers._prepare()
