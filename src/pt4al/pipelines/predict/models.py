"""Find the model of a finished cycle of any run, and what its images have to look like."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
from omegaconf import OmegaConf

from pt4al.errors import InputError
from pt4al.folders import folders, nested
from pt4al.images.decode import Frame
from pt4al.images.pool import open_pool
from pt4al.parameters import Parameters, check
from pt4al.pipelines.comparison.runs import Runs
from pt4al.training import networks
from pt4al.training.tasks import TASKS


@dataclass(frozen=True)
class Finished:
    """A run that has finished a cycle.

    Attributes
    ----------
    parameters
        The run's own.
    cycle
        Whose model it is.
    """

    runs: Runs
    parameters: Parameters
    cycle: int

    @cached_property
    def network(self) -> networks.Network:
        return networks.load(self._path("network"))

    @cached_property
    def classes(self) -> list[str]:
        """Names of the network's outputs: people may have added classes since."""
        own = self.runs.path("run_classes", self.parameters.run.name)
        path = own or self.runs.path("pool_classes", self._pool)
        return json.loads(path.read_text())[: self.network.outputs]

    @cached_property
    def frame(self) -> Frame:
        return open_pool(self.runs.path("pool", self._pool)).frame

    @property
    def _pool(self) -> str:
        return folders(self.parameters, versioned=True)["pool"]

    def _path(self, name: str) -> Path:
        return self.runs.path(name, self.parameters.run.name, cycle=f"cycle_{self.cycle}")


def find(runs: Runs, parameters: dict, name: str, cycle: str | int) -> Finished:
    """Return the model of a run.

    Parameters
    ----------
    parameters
        Today's settings, for what a run does not write down.
    cycle
        A number, `last`, or `best`: the first with the highest metric.

    Raises
    ------
    InputError
        If there is no such run, or it has not finished that cycle.
    """
    configuration = runs.path("configuration", name)
    if configuration is None:
        raise InputError(f"there is no run {name!r} in {runs.root}: `run.name` says whose model predicts")
    own = OmegaConf.merge(parameters, nested(json.loads(configuration.read_text())))
    settings = check(OmegaConf.to_container(own))
    finished = [
        number
        for number in range(settings.cycles.number)
        if runs.path("metrics", name, cycle=f"cycle_{number}") and runs.path("network", name, cycle=f"cycle_{number}")
    ]
    if not finished:
        raise InputError(f"run {name!r} has not finished a cycle yet")
    if cycle == "best":
        cycle = _best(runs, settings, finished)
    number = finished[-1] if cycle == "last" else cycle
    if number not in finished:
        raise InputError(f"`predict.cycle` is {cycle}; run {name!r} has finished {', '.join(map(str, finished))}")
    return Finished(runs, settings, number)


def _best(runs: Runs, settings: Parameters, finished: list[int]) -> int:
    metric = TASKS[settings.main.task].metric
    found = [
        json.loads(runs.path("metrics", settings.run.name, cycle=f"cycle_{number}").read_text())[metric]
        for number in finished
    ]
    return finished[int(pd.Series(found, dtype=float).fillna(-1).to_numpy().argmax())]
