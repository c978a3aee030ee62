"""Find the model of a finished cycle of any run, and what its images have to look like."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from omegaconf import OmegaConf

from pt4al.errors import InputError
from pt4al.images.decode import Frame
from pt4al.images.pool import ImagePool, open_pool
from pt4al.project.configuration.dotted import nested
from pt4al.project.configuration.folder_names import folders
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.folder import RunFolder, Runs
from pt4al.project.runs.history import Chapter
from pt4al.training import networks
from pt4al.training.tasks import TASKS


@dataclass(frozen=True)
class Finished:
    """A cycle that a run has finished, and its model.

    Attributes
    ----------
    runs
        All runs of the project.
    parameters
        The run's own.
    cycle
        The cycle.
    shared
        Names of the folders that it shares with other runs, where they don't follow from the
        settings.
    """

    runs: Runs
    parameters: Parameters
    cycle: int
    shared: dict[str, str]

    @cached_property
    def network(self) -> networks.Network:
        """The network, from images on: of a probe, with the one whose features it reads."""
        network = self._folder.read("network.safetensors", self.cycle, networks.load)
        if not self.parameters.main.probes:
            return network
        stage = "pretext" if self.parameters.features.from_pretext else "features"
        shared = self._shared(stage)
        backbone = shared.read(f"{stage}_network.safetensors", reader=networks.load)
        if backbone is None:
            raise InputError(
                f"the network whose features run {self._folder.name!r} reads is gone "
                f"({shared.name}): type the run's command again, which makes it anew"
            )
        return networks.assemble(backbone, network)

    @cached_property
    def classes(self) -> list[str]:
        """Names of the network's outputs: people may have added classes since."""
        classes = self._folder.read("classes.json") or self._shared("pool").read("classes.json")
        return classes[: self.network.outputs]

    @cached_property
    def frame(self) -> Frame:
        """What pictures have to look like for it."""
        return frame_of(self.network, self.pool)

    @cached_property
    def pool(self) -> ImagePool:
        """The pool that the run asked for labels of."""
        return self._shared("pool").read("pool", reader=open_pool)

    @property
    def _folder(self) -> RunFolder:
        return self.runs[self.parameters.run.name]

    def _shared(self, stage: str) -> RunFolder:
        """Return the folder of what runs share: `pool`, `features` or `pretext`."""
        named = folders(self.parameters, versioned=True) | self.shared
        return self.runs[named[stage]]


def frame_of(network: networks.Network, pool: ImagePool) -> Frame:
    """Return what pictures have to look like for a network, from images on, that learnt of a pool."""
    if network.size is not None:
        return Frame(channels=3, height=network.size[0], width=network.size[1])
    return pool.frame


def find(runs: Runs, parameters: dict, name: str, cycle: str | int) -> Finished:
    """Return a finished cycle of a run.

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
    folder = runs[name]
    if not folder.configuration_file.exists():
        raise InputError(
            f"there is no run {name!r} in {runs.root}: `run.name` says whose model predicts"
        )
    history = folder.history()
    settings = _settings(parameters, history.now)
    finished = [
        number
        for number in range(settings.cycles.number)
        if folder.newest("metrics.json", number) and folder.newest("network.safetensors", number)
    ]
    if not finished:
        raise InputError(f"run {name!r} has not finished a cycle yet")
    if cycle == "best":
        cycle = _best(folder, settings, finished)
    number = finished[-1] if cycle == "last" else cycle
    if number not in finished:
        raise InputError(
            f"`predict.cycle` is {cycle}; run {name!r} has finished {', '.join(map(str, finished))}"
        )
    chapter = history.trained(number)
    return Finished(runs, _settings(parameters, chapter), number, chapter.folders)


def _settings(parameters: dict, chapter: Chapter) -> Parameters:
    """Return the settings of a chapter, and today's for what it does not write down."""
    own = OmegaConf.merge(parameters, nested(chapter.settings))
    return parse(OmegaConf.to_container(own))


def _best(folder: RunFolder, settings: Parameters, finished: list[int]) -> int:
    metric = TASKS[settings.main.task].metric
    values = [folder.read("metrics.json", number)[metric] for number in finished]
    return finished[int(pd.Series(values, dtype=float).fillna(-1).to_numpy().argmax())]
