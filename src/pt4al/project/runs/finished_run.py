"""Open a run to look at, in a notebook: its tables by name, its networks by cycle."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from kedro.utils import find_kedro_project

from pt4al.errors import InputError, did_you_mean
from pt4al.project.configuration.loading import loader
from pt4al.project.runs.folder import REPORTS, RunFolder, Runs

if TYPE_CHECKING:  # they import torch
    from pt4al.images.pool import ImagePool
    from pt4al.training.networks import Network


@dataclass(frozen=True)
class FinishedRun:
    """A run with at least one finished cycle. Nothing is read before it is asked for.

    Attributes
    ----------
    folder
        Its files.
    defaults
        The project's settings now, for what the run does not write down.
    """

    folder: RunFolder
    defaults: dict[str, Any]

    def __repr__(self) -> str:
        return f"FinishedRun({self.folder.name!r}, {self.cycles} cycles, {len(self.labels)} labels)"

    @cached_property
    def cycles(self) -> int:
        """How many cycles are finished."""
        cycle = 0
        while self.folder.newest("metrics.json", cycle) is not None:
            cycle += 1
        return cycle

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The run's newest settings, by dotted name."""
        return self.folder.configuration()

    @cached_property
    def changes(self) -> list[str]:
        """What has changed from which cycle on, in words."""
        return self.folder.history().sentences()

    @cached_property
    def ranking(self) -> pd.DataFrame:
        """`id`, `pretext_loss`, `rank`, `batch`, hardest first."""
        return self._table("ranking.parquet")

    @cached_property
    def labels(self) -> pd.DataFrame:
        """The newest label set: `id`, `label`, `cycle`, `why`."""
        return self._table("label_set.parquet", self.cycles - 1)

    @cached_property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of the network's outputs."""
        return self._model().classes

    @cached_property
    def curve(self) -> pd.DataFrame:
        """The metrics of each cycle, one row a cycle; `labels` says with how many labels."""
        metrics = [self.folder.read("metrics.json", cycle) for cycle in range(self.cycles)]
        return pd.DataFrame(metrics)

    @cached_property
    def pool(self) -> "ImagePool":
        """The images that may be asked for."""
        return self._model().pool

    def query(self, cycle: int) -> pd.DataFrame:
        """Return what a cycle asked for: `id`, `score`, `batch`, in its order."""
        return self._table("query.parquet", self._known(cycle))

    def audit(self, cycle: int) -> pd.DataFrame:
        """Return `id`, `pretext_loss`, `main_loss` of what a cycle from 1 on asked for."""
        return self._table("audit.parquet", self._known(cycle))

    def network(self, cycle: int | None = None) -> "Network":
        """Return the network of a cycle, the last by default; it takes uint8 images (B, C, H, W)."""
        return self._model(cycle).network

    def images(self, ids: pd.Series) -> Any:
        """Return images of the pool by their ids, (N, C, H, W), uint8."""
        return self.pool.gather(self.pool.rows(pd.Series(ids))).numpy()

    def _model(self, cycle: int | None = None) -> Any:
        from pt4al.pipelines.predict.models import find

        wanted = "last" if cycle is None else self._known(cycle)
        return find(Runs(self.folder.root), self.defaults, self.folder.name, wanted)

    def _table(self, file: str, cycle: int | None = None) -> pd.DataFrame:
        table = self.folder.read(file, cycle)
        if table is None:
            where = "" if cycle is None else f" of cycle {cycle}"
            raise InputError(f"run {self.folder.name!r} has no {file}{where}")
        return table

    def _known(self, cycle: int) -> int:
        if cycle not in range(self.cycles):
            raise InputError(
                f"`cycle` is {cycle}; run {self.folder.name!r} has finished 0 to {self.cycles - 1}"
            )
        return cycle


def open_run(name: str, project: str | Path | None = None, env: str | None = None) -> FinishedRun:
    """Open a run of a project.

    Parameters
    ----------
    name
        The run's name, `run.name`.
    project
        Folder of the project; by default the one around the current folder.
    env
        Environment whose globals.yml says where the data is.

    Raises
    ------
    InputError
        If there is no such project or run, or it has no finished cycle: names those that have.

    Examples
    --------
    >>> run = open_run("default")
    >>> run.curve[["labels", "accuracy"]]
    """
    found = Path(project) if project is not None else find_kedro_project(Path.cwd())
    if found is None or not (found / "conf").is_dir():
        raise InputError(
            f"there is no project of pt4al at {found or Path.cwd()}: say where, project=..."
        )
    configuration = loader(found, env)
    root = found / configuration["globals"]["root"]
    run = FinishedRun(RunFolder(root, name), configuration["parameters"])
    if run.cycles == 0:
        finished = {file.parents[1].name for file in root.glob(f"{REPORTS}/*/*/metrics.json")}
        finished |= {file.parents[3].name for file in root.glob(f"{REPORTS}/*/*/*/*/metrics.json")}
        raise InputError(
            f"run {name!r} has no finished cycle under {root}: "
            f"{did_you_mean(name, finished) if finished else 'no run has'}"
        )
    return run
