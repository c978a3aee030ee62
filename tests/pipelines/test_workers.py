"""A comparison's workers: they stay warm, are replaced when they die, and leave nothing behind."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pt4al.pipelines.comparison.plan import Cell, cells
from pt4al.pipelines.comparison.workers import KILLED, Workers
from support.comparisons import SMALL, parameters
from support.projects import newest

WAIT = 60.0  # seconds


@pytest.fixture
def cell(project: Path) -> Cell:
    return cells(parameters(project), SMALL)[0]


@pytest.fixture
def workers(project: Path) -> Iterator[Workers]:
    with Workers({"path": project, "env": "tiny", "checked": set()}, project / "logs") as made:
        yield made


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
    dying = end_first(signal.SIGKILL)
    assert workers.run(cell, ["pool"]) is None  # by a second one
    dying.join()
    assert newest(project, "02_intermediate", "pool_*", "pool").exists()
    (second,) = processes()
    assert workers.run(cell, ["pool"]) is None
    assert processes() == {second}
    second.kill()
    second.wait(WAIT)
    assert workers.run(cell, ["pool"]) is None
    assert processes() not in ({second}, set())
    workers.__exit__()
    assert not processes()
    assert (project / "logs/c-random-s0.log").read_text().count("# ") == 3


def test_a_worker_that_somebody_ends_is_not_replaced(cell: Cell, workers: Workers) -> None:
    ending = end_first(signal.SIGTERM)
    assert workers.run(cell, ["pool"]).startswith(KILLED)
    ending.join()
    assert not processes()


def test_a_cell_that_fails_says_why_and_the_worker_goes_on(project: Path, cell: Cell, workers: Workers) -> None:
    settings = {**cell.settings, "pool": {"source": {"path": "nowhere"}}}
    failing = Cell(cell.arm, settings, cell.parameters)
    assert "nowhere" in workers.run(failing, ["pool"])
    (worker,) = processes()
    assert workers.run(cell, ["pool"]) is None
    assert processes() == {worker}
