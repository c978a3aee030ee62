"""Find the model of a finished cycle of any run, and what its images have to look like."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from omegaconf import OmegaConf

from pt4al.errors import InputError
from pt4al.images.decode import Frame
from pt4al.images.pool import open_pool
from pt4al.pipelines.comparison.runs import Runs
from pt4al.project.configuration.folder_names import folders, nested
from pt4al.project.configuration.parameters import Parameters, check
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
        """What answers to images: of a probe, with the network whose features it reads."""
        network = self.runs.read(
            "network", self.parameters.run.name, networks.load, cycle=f"cycle_{self.cycle}"
        )
        if not self.parameters.main.probes:
            return network
        name = "pretext_network" if self.parameters.features.from_pretext else "features_network"
        folder = folders(self.parameters, versioned=True)[name.removesuffix("_network")]
        backbone = self.runs.read(name, folder, networks.load)
        if backbone is None:
            raise InputError(
                f"the network whose features run {self.parameters.run.name!r} reads is gone ({folder}): type the run's "
                "command again, which makes it anew"
            )
        return networks.assemble(backbone, network)

    @cached_property
    def classes(self) -> list[str]:
        """Names of the network's outputs: people may have added classes since."""
        own = self.runs.read("run_classes", self.parameters.run.name)
        return (own or self.runs.read("pool_classes", self._pool))[: self.network.outputs]

    @cached_property
    def frame(self) -> Frame:
        """What pictures have to look like for it."""
        size = self.network.size
        if size is not None:
            return Frame(channels=3, height=size[0], width=size[1])
        return self.runs.read("pool", self._pool, open_pool).frame

    @property
    def _pool(self) -> str:
        return folders(self.parameters, versioned=True)["pool"]


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
    configuration = runs.read("configuration", name)
    if configuration is None:
        raise InputError(
            f"there is no run {name!r} in {runs.root}: `run.name` says whose model predicts"
        )
    own = OmegaConf.merge(parameters, nested(configuration))
    settings = check(OmegaConf.to_container(own))
    finished = [
        number
        for number in range(settings.cycles.number)
        if runs.path("metrics", name, cycle=f"cycle_{number}")
        and runs.path("network", name, cycle=f"cycle_{number}")
    ]
    if not finished:
        raise InputError(f"run {name!r} has not finished a cycle yet")
    if cycle == "best":
        cycle = _best(runs, settings, finished)
    number = finished[-1] if cycle == "last" else cycle
    if number not in finished:
        raise InputError(
            f"`predict.cycle` is {cycle}; run {name!r} has finished {', '.join(map(str, finished))}"
        )
    return Finished(runs, settings, number)


def _best(runs: Runs, settings: Parameters, finished: list[int]) -> int:
    metric = TASKS[settings.main.task].metric
    found = [
        runs.read("metrics", settings.run.name, cycle=f"cycle_{number}")[metric]
        for number in finished
    ]
    return finished[int(pd.Series(found, dtype=float).fillna(-1).to_numpy().argmax())]
