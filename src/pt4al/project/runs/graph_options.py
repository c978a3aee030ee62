"""Replace settings that are `auto`, and find out what the graph of a run depends on."""

import logging
from dataclasses import replace
from pathlib import Path

from pt4al.errors import InputError
from pt4al.images.sources import NAMES
from pt4al.pipelines.options import GraphOptions
from pt4al.pipelines.pool.listing import collect, read_source
from pt4al.project.configuration.parameters import Control, Parameters
from pt4al.project.runs.folder import RunFolder
from pt4al.project.runs.history import History
from pt4al.project.runs.standing import Standing, stand
from pt4al.training.tasks import TASKS

logger = logging.getLogger(__name__)

SHARE = 0.1  # of each query for the control slice, where there is no test split


def resolve(parameters: Parameters, root: Path) -> tuple[Parameters, GraphOptions]:
    """Replace `auto` of block `control`, and return what the graph depends on."""
    people = parameters.oracle.kind == "people"
    number = parameters.cycles.number
    tested = True
    if people:
        parameters = _without_albums(parameters, root)
        pool = collect(parameters.pool)["test"]
        tested = len(pool.labels) > 0 or bool(pool.masked is not None and pool.masked.any())
    share = parameters.control.share
    if share == "auto":
        share = 0 if tested else SHARE
    if not share and not tested:
        raise InputError(
            f"`control.share` is {share:g} and the source has no labels to test with: "
            "nothing could be measured"
        )
    control = Control(share=share, train=parameters.control.train)
    parameters = parameters.model_copy(update={"control": control})
    standing = Standing(0 if people else number)
    if people and not parameters.run.fresh:
        parameters = _with_added_classes(parameters, root)
        standing = stand(parameters, root)
    reach = standing.cycle + standing.ready
    options = GraphOptions(
        cycles=reach,
        people=people,
        waits=reach < number,
        tested=tested,
        knows_pool=parameters.oracle.knows_pool,
        control=share > 0,
        reasons=parameters.report.reasons,
        map=parameters.report.map,
        suspects=frozenset(range(reach)) if _suspects(parameters) else frozenset(),
        lists_suspects=_lists_suspects(parameters, RunFolder(root, parameters.run.name), reach - 1),
        relabels=parameters.oracle.relabel > 0,
        own_trunk=parameters.features.from_pretext,
        views=parameters.pretext.start_from == "features",
        probes=parameters.main.probes,
        compares=_compares(parameters, tested),
        tunes=parameters.main.start_from == "features" and not parameters.main.probes,
    )
    return parameters, options


def in_chapters(options: GraphOptions, history: History, folder: RunFolder) -> GraphOptions:
    """Return the options of a run whose settings have changed: what is closed is read alone."""
    closed = min(history.closed, options.cycles)
    unexplained = [
        cycle for cycle in range(closed) if folder.newest("reasons.parquet", cycle) is None
    ]
    unsuspected = [
        cycle for cycle in range(closed) if folder.newest("suspects.parquet", cycle) is None
    ]
    chosen_by = {
        cycle: history.chosen_by(cycle)
        for cycle in range(closed, options.cycles)
        if history.asked(cycle) is not history.now
    }
    return replace(
        options,
        closed=closed,
        bridge=history.bridge,
        unexplained=frozenset(unexplained),
        suspects=options.suspects - frozenset(unsuspected),
        chosen_by=chosen_by,
    )


def _suspects(parameters: Parameters) -> bool:
    """Whether labels that are likely wrong are looked for."""
    if TASKS[parameters.main.task].dense:
        return False
    if parameters.oracle.relabel:
        return True
    wanted = parameters.report.suspects
    return parameters.oracle.kind == "people" if wanted == "auto" else wanted


def _lists_suspects(parameters: Parameters, folder: RunFolder, last: int) -> bool:
    """Whether the report lists suspects of a cycle.

    A cycle of an older version has none yet, and its report can be made without.
    """
    if parameters.run.fresh or parameters.report.suspects is True:
        return True
    finished = folder.newest("metrics.json", last) is not None
    return not finished or folder.newest("suspects.parquet", last) is not None


def _compares(parameters: Parameters, tested: bool) -> bool:
    others = not parameters.features.from_pretext and not parameters.main.probes
    return tested and others and not TASKS[parameters.main.task].dense


def _without_albums(parameters: Parameters, root: Path) -> Parameters:
    """Take folders that are none of the classes that people gave for albums: no labels."""
    if parameters.oracle.classes is None:
        return parameters
    folder = RunFolder(root, parameters.run.name)
    added = [] if parameters.run.fresh else folder.added_classes()
    classes = {*parameters.oracle.classes, *added}
    source = read_source(parameters.pool)
    labels = set(source.labels["label"])
    if labels <= classes:
        return parameters
    where = parameters.pool.source
    if where.kind == "auto" and source.reading.layout == NAMES["folders"] and not labels & classes:
        logger.info(
            "none of the folders in %s has the name of a class of `oracle.classes`: "
            "they are no labels",
            where.path,
        )
        flat = where.model_copy(update={"kind": "flat"})
        pool = parameters.pool.model_copy(update={"source": flat})
        return parameters.model_copy(update={"pool": pool})
    strange = sorted(labels - classes)
    raise InputError(
        f"{where.path}: pictures have the label {strange[0]!r}, one of {len(strange)} that are "
        "none of `oracle.classes`: name all of them there, or read the folder's pictures without "
        "labels, pool.source.kind=flat"
    )


def _with_added_classes(parameters: Parameters, root: Path) -> Parameters:
    added = RunFolder(root, parameters.run.name).added_classes()
    if not added:
        return parameters
    first = parameters.oracle.classes or collect(parameters.pool)["train"].classes
    classes = list(dict.fromkeys([*first, *added]))
    oracle = parameters.oracle.model_copy(update={"classes": classes})
    return parameters.model_copy(update={"oracle": oracle})
