"""Which settings a run may go on with: its history as it is once a command has been accepted."""

import logging
from dataclasses import dataclass, replace
from typing import Any

from pt4al.errors import InputError, counted
from pt4al.project.configuration.dotted import nested
from pt4al.project.configuration.folder_names import folders
from pt4al.project.configuration.identity import identity
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.folder import RunFolder, spelt
from pt4al.project.runs.history import (
    Chapter,
    History,
    beginning,
    changed,
    is_fixed,
    is_free,
)

logger = logging.getLogger(__name__)

SHARED = ("pool", "features", "pretext")
WORD = "run.change=true"


@dataclass(frozen=True)
class Reached:
    """How far the files of a run go: the first cycle that lacks a query, a network, metrics."""

    query: int
    network: int
    metrics: int

    @classmethod
    def of(cls, folder: RunFolder) -> "Reached":
        """Look at the files of a run."""
        return cls(
            query=_first_without(folder, "query.parquet"),
            network=_first_without(folder, "network.safetensors"),
            metrics=_first_without(folder, "metrics.json"),
        )


def foresee(folder: RunFolder, parameters: Parameters) -> History:
    """Return the history of a run once it goes on with these settings; nothing is written.

    Raises
    ------
    InputError
        If it can't go on with them, or only with a word: names the settings, and the ways out.
    """
    settings = identity(parameters)
    if parameters.run.fresh or not folder.configuration_file.exists():
        return History.begin(settings)
    history = folder.history()
    then = spelt(history.now.settings)
    names = changed(then, settings)
    if not names:
        return history
    reached = Reached.of(folder)
    if all(name.startswith("engine.") for name in names):
        if reached.metrics == parameters.cycles.number:  # only its report is left to make
            return history
    elif reason := _obstacle(history, settings, names, reached):
        raise InputError(f"{folder.refusal(then, settings, names)}\n{reason}")
    chapter = Chapter(
        asks_from=reached.query,
        trains_from=reached.network,
        settings=settings,
        folders=_folders(history, parameters),
    )
    if not (is_free(then, settings) or parameters.run.change):
        raise InputError(
            f"{folder.refusal(then, settings, names)}\n"
            f"Or go on with them {beginning(chapter)}: {WORD}. What is there already stays as it is."
        )
    return history.go_on(chapter)


def accept(folder: RunFolder, parameters: Parameters, command: str, asks: bool) -> History:
    """Write down with which settings a run goes on, and return its history.

    Parameters
    ----------
    command
        What was typed.
    asks
        Whether the command runs cycles: only then anything may change.

    Raises
    ------
    InputError
        See `foresee`.
    """
    settings = identity(parameters)
    if not folder.configuration_file.exists():
        folder.begin(settings)
        return History.begin(settings)
    before = folder.history()
    history = foresee(folder, parameters)
    if history == before:
        return history
    if not asks:
        folder.claim(settings)  # which names what differs
    now = replace(history.now, command=command)
    history = History((*history.chapters[:-1], now))
    folder.go_on(history)
    for line in history.sentences()[-1:]:
        logger.info("run %s goes on with other settings %s", folder.name, line)
    return history


def _obstacle(
    history: History, settings: dict[str, Any], names: list[str], reached: Reached
) -> str | None:
    """Return why a run can't go on with other settings; None if it can."""
    fixed = [name for name in names if is_fixed(name)]
    if fixed:
        return f"A run keeps its {', '.join(f'`{name}`' for name in fixed)}."
    then = history.now.settings
    cycles = settings["cycles.number"]
    if cycles < reached.query:
        return (
            f"The run has {counted(reached.query, 'cycle')}: `cycles.number` can't be less again."
        )
    if cycles == reached.metrics and not is_free(then, settings):
        return (
            f"All its {counted(cycles, 'cycle')} are finished: "
            f"with cycles.number={cycles + 1} and {WORD} it goes on with other settings."
        )
    batches = history.first.settings["cycles.number"]
    scopes = {then.get("query.scope"), settings.get("query.scope")}
    if "batch" in scopes and cycles != batches:
        return (
            f"Its ranking was cut into {batches} batches before the first cycle, and "
            "`query.scope: batch` asks for one a cycle: there can't be more or fewer of them."
        )
    shares = [then.get("control.share"), settings.get("control.share")]
    if bool(shares[0]) != bool(shares[1]):
        return (
            "`control.share` can't begin or end within a run: control images are set apart before "
            "its first query."
        )
    if reached.metrics < reached.network and not is_free(then, settings):
        return (
            f"Its cycle {reached.metrics} has been trained, and is not finished: type the run's "
            "earlier command once more, then change."
        )
    return None


def _folders(history: History, parameters: Parameters) -> dict[str, str]:
    """Return the folders that the run goes on with: on another machine it keeps those it has."""
    start = _as_they_were(history.first.settings, parameters)
    first = history.first.folders or _shared(start)
    then = nested(history.now.settings)["features"]
    features = (history.now.folders or first)["features"]
    if parameters.features.model_dump(mode="json") != then:
        if parameters.features.from_pretext:  # whose network is the one that the run began with
            parameters = parameters.model_copy(update={"engine": start.engine})
        features = _shared(parameters)["features"]
    return first | {"features": features}


def _shared(parameters: Parameters) -> dict[str, str]:
    named = folders(parameters, versioned=True)
    return {name: named[name] for name in SHARED}


def _as_they_were(settings: dict[str, Any], parameters: Parameters) -> Parameters:
    """Return a run's settings; what older versions did not write down is as today's command says."""
    raw = parameters.model_dump(mode="json")
    for name, block in nested(settings).items():
        raw[name] = raw[name] | block
    raw["query"]["options"] = nested(settings)["query"].get("options", {})
    return parse(raw)


def _first_without(folder: RunFolder, file: str) -> int:
    cycle = 0
    while folder.newest(file, cycle) is not None:
        cycle += 1
    return cycle
