"""Processes that run a comparison's cells: each serves many, and is replaced if it dies.

Starting one takes as long as many a cell: Python, torch, Kedro and MLflow are imported.
"""

import logging
import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pt4al.pipelines.comparison.plan import Cell
from pt4al.pipelines.remembered import remembering

logger = logging.getLogger(__name__)

KILLED = "its process was killed, or ran out of memory"
# Of a cell whose process dies: what it has done stays done, and other cells may have taken the
# memory.
TRIES = 2
GRACE = 60.0  # seconds for a worker to end by itself: MLflow may have to be told of the last cell


class Workers:
    """Runs pipelines of cells, each in a process that no other thread of this one uses at the time.

    Parameters
    ----------
    project
        `path`, `env`: where the project is; `checked`: what need not be checked again (see
        `remembered`).
    logs
        Folder for what each cell says, a file for each.
    """

    def __init__(self, project: dict[str, Any], logs: Path):
        self._project = project
        self._logs = logs
        self._idle: list[_Worker] = []
        self._interrupted = False

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *error: object) -> None:
        while self._idle:
            self._idle.pop().end()

    def run(self, cell: Cell, pipelines: list[str]) -> str | None:
        """Run pipelines of a cell; return why that failed, and where more is said, or None."""
        log = self._logs / f"{cell.run}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(
                f"\n# {time.ctime()}, {', '.join(pipelines)}: "
                f"{cell.command(self._project['env'])}\n"
            )
        reason = self._tried(cell, pipelines, log)
        return None if reason is None else f"{reason} ({log})"

    def _tried(self, cell: Cell, pipelines: list[str], log: Path) -> str | None:
        for _ in range(TRIES):
            if self._interrupted:  # this process is about to end, too
                break
            worker = self._free()
            try:
                reason = worker.run(cell.settings, pipelines, log)
            except (EOFError, OSError):  # it has died
                worker.end()
                self._interrupted |= worker.ended_by == signal.SIGINT
                if worker.ended_by == signal.SIGTERM:  # by somebody, who does not want it
                    break
            else:
                self._idle.append(worker)
                return reason
        return KILLED

    def _free(self) -> "_Worker":
        with suppress(IndexError):
            return self._idle.pop()
        return _Worker(self._project)


class _Worker:
    """One process, which does one thing after another."""

    def __init__(self, project: dict[str, Any]):
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, project))
        self._process.start()
        theirs.close()  # so that its end is seen as the end of the pipe

    @property
    def ended_by(self) -> int:
        """The signal that ended it; 0 if none has."""
        return -min(self._process.exitcode or 0, 0)

    def run(self, *task: Any) -> str | None:
        """Return why a task failed, or None; EOFError or OSError if the process dies over it."""
        self._pipe.send(task)
        return self._pipe.recv()

    def end(self) -> None:
        """End the process, and wait for that."""
        self._pipe.close()
        self._process.join(GRACE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _work(pipe: Connection, project: dict[str, Any]) -> None:
    """Run tasks from the pipe until it is closed."""
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:  # as for a command in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    with suppress(EOFError), remembering(project["checked"]):
        while True:
            settings, pipelines, log = pipe.recv()
            pipe.send(_run_session(settings, pipelines, log, project))


def _run_session(
    settings: dict, pipelines: list[str], log: Path, project: dict[str, Any]
) -> str | None:
    """Run pipelines of a cell as if they had been typed; what is said goes to a file."""
    _say_in(log)
    began = time.perf_counter()
    worked = time.process_time()
    from kedro.framework.project import settings as project_settings
    from kedro.framework.startup import bootstrap_project

    try:
        bootstrap_project(project["path"])  # each time: Kedro keeps the graph of the cell before
        create = partial(
            project_settings.SESSION_CLASS.create, project_path=project["path"], env=project["env"]
        )
        with create(runtime_params=settings, save_on_close=False) as session:
            session.run(pipeline_names=pipelines)
    except Exception as error:
        traceback.print_exc()
        return str(error) or type(error).__name__
    seconds = time.perf_counter() - began
    worked = time.process_time() - worked
    logger.info("ended after %.2f s, of which the processor worked %.2f s", seconds, worked)
    return None


def _say_in(log: Path) -> None:
    """Send what this process prints to a file.

    Libraries write to the descriptors, not to sys.stderr.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with log.open("a", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def _leave_with_parent() -> None:
    """End this process as soon as its parent has, however that ended."""
    parent_process().join()
    os._exit(1)
