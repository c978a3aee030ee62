"""Every check before a run, a comparison or a prediction starts: nothing may stop it after hours."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kedro.io import CatalogProtocol

from pt4al.cluster import seam
from pt4al.errors import InputError
from pt4al.images.building import signature
from pt4al.images.collection import Collection
from pt4al.pipelines.comparison.nodes import read_others
from pt4al.pipelines.comparison.plan import Cell, cells
from pt4al.pipelines.pool.listing import collect, tell_source
from pt4al.pipelines.remembered import once
from pt4al.project.configuration.identity import fingerprint, identity
from pt4al.project.configuration.instructions import refuse
from pt4al.project.configuration.parameters import Parameters, Pool
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs import checks, rehearsal
from pt4al.project.runs.command import Command, Kind
from pt4al.project.runs.folder import RunFolder
from pt4al.project.runs.labelling_command import check_classes
from pt4al.project.runs.protection import check_place
from pt4al.statistics import pool_map
from pt4al.training.tasks import TASKS
from pt4al.training.together import check_room

MANY_CYCLES = 100
SPLITS = {"train": "pool", "test": "test_pool"}  # and the datasets that hold them


def check_many_cycles(parameters: Parameters) -> None:
    """Check budgets before a graph of very many cycles is made, which takes seconds."""
    if parameters.cycles.number <= MANY_CYCLES:
        return
    try:
        images = len(collect(parameters.pool)["train"])
    except InputError:  # not every pipeline needs the source; those that do will say it
        return
    checks.check_budgets(parameters, images)


def check(command: Command, catalog: CatalogProtocol) -> None:
    """Check a command; hand a comparison's nodes what they need to know of it.

    Raises
    ------
    InputError
        If the command could not be finished, or its files would lie among those of another one.
    """
    refuse(command.parameters.engine.instructions)
    check_place(command)
    if command.computes:
        _check_workforce(command)
    if command.kind is Kind.COMPARISON:
        catalog["params:project"] = {
            "path": command.place.project,
            "env": command.env,
            "typed": command.typed,
            "checked": check_comparison(command, catalog),
        }
    elif command.kind is Kind.RUN:
        check_run(command, catalog)
        if command.waits_for_people:
            check_people(command)


def _check_workforce(command: Command) -> None:
    """Raise InputError if whoever is to work can't be had."""
    workforce = command.parameters.engine.workforce
    if command.kind is Kind.COMPARISON:  # its cells have threads of their own
        workforce = replace(workforce, threads=command.parameters.comparison.threads)
    seam.check(workforce)


def check_pool(command: Command, catalog: CatalogProtocol) -> None:
    """Check the budgets again once the pool is built: some pictures may have been left out."""
    if command.asks:
        checks.check_budgets(command.parameters, len(catalog.load("pool")))


def check_run(command: Command, catalog: CatalogProtocol) -> None:
    """Check a run against its source and its files, and note which pools the source has outgrown.

    Raises
    ------
    InputError
        If the run would stop later.
    """
    parameters = command.parameters
    pool_map.require(parameters.report.map)
    parts, signatures = once(f"source {parameters.pool!r}", partial(_list_source, parameters.pool))
    pool = _check_pools(catalog, signatures)
    images = len(parts["train"]) if pool is None else len(pool)
    if "cold_start" in command.tags:
        checks.check_cold_start(parameters, images)
    if command.asks:
        _check_cycles(parameters, catalog, parts, images)
    for name in ("features", "test_features", "task_features"):
        if catalog.exists(name):
            _verify_once(name, catalog)
    if command.trains and not all(catalog.exists(name) for name in _networks(command)):
        checks.check_files(parameters)
        if parameters.engine.ranks > 1:
            check_room(parameters.engine.workforce, parameters.engine.ranks)
        images = pool or rehearsal.sample(parameters, parts["train"])
        classes = None
        if command.asks:
            classes = parameters.oracle.classes or parts["train"].classes
        rehearse = partial(rehearsal.rehearse, parameters, images, classes)
        once(rehearsal.key(parameters), rehearse)


def check_people(command: Command) -> None:
    """Check a run that people label."""
    parameters = command.parameters
    if not command.versioned:
        raise InputError(
            f"`oracle.kind: {parameters.oracle.kind}` needs an environment whose files have "
            "versions: not DVC's"
        )
    check_classes(parameters, RunFolder(command.root, parameters.run.name))


def check_comparison(command: Command, catalog: CatalogProtocol) -> set[str]:
    """Check every cell of a comparison, and return what the cells need not rehearse again.

    Raises
    ------
    InputError
        If a cell could not run or not be compared, or is another run's: names the arm.
    """
    if not command.versioned:
        raise InputError(
            f"a comparison's runs are kept by their names, which environment {command.env} "
            "doesn't do"
        )
    parameters = command.parameters
    _check_recorded(parameters)
    for name in parameters.comparison.others:
        read_others(name, TASKS[parameters.main.task].metric, catalog.load("runs"))
    return check_cells(catalog.load("parameters"), command.typed, command.root)


def check_cells(parameters: dict[str, Any], typed: dict[str, Any], root: Path) -> set[str]:
    """Check the cells of a comparison with these settings; see `check_comparison`."""
    common = parse(parameters)
    sources: dict[str, dict[str, Collection]] = {}
    rehearsed: set[str] = set()
    for cell in cells(parameters, typed):
        try:
            if cell.pool not in sources:
                sources[cell.pool] = collect(cell.parameters.pool)
            _check_comparable(cell, common)
            _check_cell(cell.parameters, sources[cell.pool], rehearsed)
        except InputError as error:
            raise InputError(f"`comparison.arms.{cell.arm}`: {error}") from None
        folder = RunFolder(root, cell.run)
        if folder.record.exists():
            folder.claim(identity(cell.parameters))
    return rehearsed


def _list_source(pool: Pool) -> tuple[dict[str, Collection], dict[str, str]]:
    """List the source, say what was read, and return it with its signatures, by split."""
    parts = collect(pool)
    tell_source(pool)
    return parts, {split: signature(part) for split, part in parts.items()}


def _check_pools(catalog: CatalogProtocol, signatures: dict[str, str]) -> Any:
    """Verify the pools that exist, mark those that are outdated, and return a current pool, or None."""
    current = None
    for split, name in SPLITS.items():
        if not catalog.exists(name):
            continue
        pool = _verify_once(name, catalog)
        catalog[name].outdated = pool.signature != signatures[split]
        if name == "pool" and not catalog[name].outdated:
            current = pool
    return current


def _verify_once(name: str, catalog: CatalogProtocol) -> Any:
    stored = catalog.load(name)
    version = catalog[name].resolve_load_version()
    once(f"{name} {version} {catalog[name]._filepath}", stored.verify)
    return stored


def _check_cycles(
    parameters: Parameters, catalog: CatalogProtocol, parts: dict[str, Collection], images: int
) -> None:
    checks.check_labels(parameters, parts)
    labelled = 0
    # A run that has started holds what people had labelled before: the file may have gone.
    if not catalog.exists("start_label_set"):
        labelled = checks.known_labels(parameters, parts["train"], catalog.load("runs"))
    checks.check_budgets(parameters, images, labelled)
    checks.check_label_set(parameters, _newest_label_set(parameters, catalog), parts["train"])


def _newest_label_set(parameters: Parameters, catalog: CatalogProtocol) -> Any:
    for cycle in reversed(range(parameters.cycles.number)):
        if catalog.exists(f"cycle_{cycle}.label_set"):
            return catalog.load(f"cycle_{cycle}.label_set")
    return None


def _networks(command: Command) -> list[str]:
    """Return the datasets that are there once nothing is left to train."""
    if command.asks:
        return ["pretext_network", f"cycle_{command.parameters.cycles.number - 1}.network"]
    return ["pretext_network"]


def _check_recorded(parameters: Parameters) -> None:
    if parameters.oracle.kind == "people":
        raise InputError(
            "`oracle.kind: people` can't be compared: people would have to label for every cell"
        )


def _check_comparable(cell: Cell, common: Parameters) -> None:
    """Check what would be told once all cells have run."""
    own = cell.parameters
    pools = [fingerprint(settings.pool, settings.main.task) for settings in (own, common)]
    if pools[0] != pools[1]:
        raise InputError(
            "`pool` and `main.task` must be those of all other arms, or nothing can be compared"
        )
    if own.cycles.number != common.cycles.number:
        raise InputError(
            f"`cycles.number` is {own.cycles.number}, that of all other arms "
            f"{common.cycles.number}: curves of different lengths can't be compared"
        )
    _check_recorded(own)


def _check_cell(parameters: Parameters, parts: dict[str, Collection], rehearsed: set[str]) -> None:
    """Check a cell as its own run will. `rehearsed` holds the keys of what has been tried."""
    pool = parts["train"]
    checks.check_files(parameters)
    checks.check_labels(parameters, parts)
    checks.check_budgets(parameters, len(pool))
    key = rehearsal.key(parameters)
    if key not in rehearsed:
        rehearsal.rehearse(parameters, rehearsal.sample(parameters, pool), pool.classes)
        rehearsed.add(key)
