"""Run pipelines of cells in workers, each of which serves many cells.

Starting one takes as long as many a cell: Python, torch, Kedro and MLflow are imported.
"""

import logging
import os
import socket
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pt4al.cluster.seam import LOCAL, Cluster, in_shards
from pt4al.errors import InputError
from pt4al.pipelines.comparison.execution import Errand, Shard
from pt4al.pipelines.remembered import remembering

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workers:
    """Runs pipelines of cells, each in a worker that does nothing else at the time.

    Attributes
    ----------
    project
        `path`, `env`: where the project is; `checked`: what need not be checked again (see
        `remembered`).
    logs
        Folder for what each cell says, a file for each.
    cluster
        Who does it; processes of their own, not `warm`.
    """

    project: dict[str, Any]
    logs: Path
    cluster: Cluster

    def run(self, errands: Iterable[Shard | None]) -> Iterator[tuple[Shard, str | None]]:
        """Run errands side by side; yield each as it ends, with the reason why it failed, or None.

        None in place of an errand is one that has to wait for another. A cell whose worker dies is
        tried once more: what it has done stays done, and other cells may have taken the memory.

        Raises
        ------
        InputError
            If a machine of the cluster doesn't have the project's folder.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        return in_shards(
            self._work,
            map(self._noted, errands),
            self.cluster,
            self._prepare,
            title="comparison",
            on_lost=lambda shard, reason: self._said(shard[0], reason),
            ordered=False,
        )

    def _prepare(self) -> ExitStack:
        if not self.logs.is_dir():
            raise InputError(
                f"machine {socket.gethostname()} has no folder {self.logs}: on a cluster the "
                "project must be on a disk that all machines share, at the same path"
            )
        # Open for as long as the worker keeps it. Ray ends a worker before what it does aside.
        remembered = ExitStack()
        remembered.enter_context(
            remembering(self.project["checked"], aside=self.cluster.address == LOCAL)
        )
        return remembered

    def _work(self, remembered: ExitStack, shard: Shard) -> str | None:
        (errand,) = shard
        reason = _run_session(errand, self._log(errand), self.project)
        return None if reason is None else self._said(errand, reason)

    def _noted(self, shard: Shard | None) -> Shard | None:
        """Write the command of an errand to its file."""
        if shard is not None:
            (errand,) = shard
            command = errand.cell.command(self.project["env"])
            pipelines = ", ".join(errand.pipelines)
            with self._log(errand).open("a", encoding="utf-8") as file:
                file.write(f"\n# {time.ctime()}, {pipelines}: {command}\n")
        return shard

    def _said(self, errand: Errand, reason: str) -> str:
        """Return why an errand failed, and where more is said."""
        return f"{reason} ({self._log(errand)})"

    def _log(self, errand: Errand) -> Path:
        return self.logs / f"{errand.cell.run}.log"


def _run_session(errand: Errand, log: Path, project: dict[str, Any]) -> str | None:
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
        with create(runtime_params=errand.cell.settings, save_on_close=False) as session:
            session.run(pipeline_names=errand.pipelines)
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
