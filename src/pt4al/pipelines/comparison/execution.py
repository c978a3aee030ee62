"""Run cells side by side, each in a process of its own: sharing what they share, going on where they stopped."""

import logging
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from pt4al.pipelines.comparison.plan import Cell
from pt4al.reporting.style import duration

logger = logging.getLogger(__name__)

Run = Callable[[Cell, list[str]], str | None]  # of some pipelines of a cell; returns why it failed


def run_all(
    cells: list[Cell], workers: int, run: Run, shared_made: Callable[[], None] = lambda: None
) -> Iterator[tuple[Cell, str | None]]:
    """Run cells, and yield each with the reason why it failed, or None, as they end.

    What several cells share is made first, each by the first cell that needs it: the pool, then the pretext
    networks; `shared_made` is called when that is done. A cell whose share failed is not tried.
    """
    for pipelines, share in ((["pool"], "pool"), (["pool", "pretext"], "pretext")):
        shared: dict[str, list[Cell]] = {}
        for cell in cells:
            shared.setdefault(getattr(cell, share), []).append(cell)
        first = {members[0].run: members for members in shared.values() if len(members) > 1}
        if first:
            logger.info("%s: %d to make for several cells, or to find made", share, len(first))
        for cell, reason in _side_by_side([members[0] for members in first.values()], workers, run, pipelines):
            if reason is not None:
                failed = first[cell.run]
                cells = [cell for cell in cells if cell not in failed]
                yield from ((member, f"{share} of {cell.run}: {reason}") for member in failed)
    shared_made()
    yield from _side_by_side(cells, workers, run, ["active_learning"])


def run_apart(cell: Cell, pipelines: list[str], *, project: dict[str, Any], logs: Path) -> str | None:
    """Run pipelines of a cell in a new process, which writes what it says to a file of `logs`.

    A process of its own for each: one that dies takes no other with it.
    """
    log = logs / f"{cell.run}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"\n# {time.ctime()}, {', '.join(pipelines)}: {cell.command(project['env'])}\n")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        try:
            reason = process.submit(_run_session, cell.settings, pipelines, project["path"], project["env"], log)
            reason = reason.result()
        except BrokenProcessPool:
            reason = "its process was killed, or ran out of memory"
    return None if reason is None else f"{reason} ({log})"


class Progress:
    """One line for each cell that has ended, with the time left."""

    def __init__(self, total: int):
        self._total, self._ended = total, 0
        self.restart()

    def restart(self) -> None:
        """Count the time from now on: making what cells share says nothing of how long a cell takes."""
        self._start = time.monotonic()

    def line(self, cell: Cell, what: str) -> str:
        """Return the line for a cell that has ended."""
        self._ended += 1
        left = (time.monotonic() - self._start) / self._ended * (self._total - self._ended)
        return f"{self._ended}/{self._total} {cell.run}: {what}; {duration(left)} left"


def _side_by_side(cells: list[Cell], workers: int, run: Run, pipelines: list[str]) -> Iterator[tuple[Cell, str | None]]:
    with ThreadPoolExecutor(workers) as threads:
        started = {threads.submit(run, cell, pipelines): cell for cell in cells}
        yield from ((started[ended], ended.result()) for ended in as_completed(started))


def _run_session(settings: dict, pipelines: list[str], project: Path, env: str | None, log: Path) -> str | None:
    """What the new process does."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    with log.open("a", encoding="utf-8") as file:  # for good: libraries write to the descriptors, not to sys.stderr
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    from kedro.framework.project import settings as project_settings
    from kedro.framework.startup import bootstrap_project

    try:
        bootstrap_project(project)
        create = partial(project_settings.SESSION_CLASS.create, project_path=project, env=env, save_on_close=False)
        with create(runtime_params=settings) as session:
            session.run(pipeline_names=pipelines)
    except Exception as error:
        traceback.print_exc()
        return str(error) or type(error).__name__
    return None


def _leave_with_parent() -> None:
    """End this process as soon as its parent has, however that ended."""
    parent_process().join()
    os._exit(1)
