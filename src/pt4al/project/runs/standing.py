"""Runs that people label: how far they have got, and how a command ends that has to wait for them."""

import logging
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pandas as pd
from filelock import FileLock
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from pt4al.annotation.aggregation import Policy, aggregate
from pt4al.annotation.log import AnswerLog
from pt4al.annotation.progress import Progress, enough, measure_progress
from pt4al.errors import InputError
from pt4al.files import digests, records, versions
from pt4al.images.sources import NAMES
from pt4al.pipelines.graph import Shape
from pt4al.pipelines.pool.nodes import collect, read, read_source
from pt4al.project.configuration.folder_names import nested
from pt4al.project.configuration.parameters import Control, Parameters, check, flat
from pt4al.project.runs import guard
from pt4al.training.tasks import TASKS

logger = logging.getLogger(__name__)

SHARE = 0.1  # of each query for the control slice, where there is no test split


class Waiting(click.ClickException):
    """The run has gone as far as it can without answers. The same command goes on, whenever there are some."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h: try again later

    def show(self, file: Any = None) -> None:
        click.echo(self.message, file=file, err=file is None)


@dataclass(frozen=True)
class Standing:
    """Where a run is that people label.

    Attributes
    ----------
    cycle
        The first that has not got its answers; as many as there are cycles, if all have.
    progress
        Of that cycle's query; None if it has not been made.
    ready
        Whether the cycle can go on with the answers that there are.
    """

    cycle: int
    progress: Progress | None = None
    ready: bool = False


class PeopleHooks:
    """Keeps the policies of a run that people label, and ends its commands in words."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        places = context.config_loader["globals"]
        self._root = context.project_path / places["root"]
        self._versioned = places["versioned"]

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        parameters = check(catalog.load("parameters"))
        asks = any("cycles" in node.tags for node in pipeline.nodes)
        self._parameters = parameters if asks and parameters.oracle.kind == "people" else None
        if self._parameters is None:
            return
        if not self._versioned:
            raise InputError(
                "`oracle.kind: people` needs an environment whose files have versions: not DVC's"
            )
        _check_classes(parameters, catalog)
        kept = {"command": _typed(run_params), "oracle": parameters.oracle.model_dump(mode="json")}
        records.write(policies_file(self._root, parameters.run.name), kept)

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        if self._parameters is not None:
            standing = stand(self._parameters, self._root)
            if standing.progress is not None:
                raise Waiting(_request(self._parameters, standing))


def policies_file(root: Path, run: str) -> Path:
    """Where the newest command of a run has left its oracle's settings."""
    return guard.record_folder(root, run) / "policies.json"


def recorded(root: Path, run: str) -> dict[str, Any]:
    """Return the settings that a run that people label was started with, and its newest policies, nested.

    Raises
    ------
    InputError
        If there is no such run, or it is not one that people label.
    """
    policies = policies_file(root, run)
    if not policies.exists():
        known = ", ".join(runs(root)) or "none so far"
        raise InputError(f"no run {run!r} is labelled by people under {root}: {known}")
    return nested(guard.configuration(root, run)) | {"oracle": _policies(root, run)["oracle"]}


def command(root: Path, run: str) -> str:
    """Return the newest command of a run that people label."""
    return _policies(root, run)["command"]


def runs(root: Path) -> list[str]:
    """Return the names of the runs that people label, the newest command's first."""
    found = sorted(
        root.glob("05_model_input/*/policies.json"), key=lambda file: -file.stat().st_mtime
    )
    return [file.parent.name for file in found]


def added_classes(root: Path, run: str) -> list[str]:
    """Return the classes that people have added while they labelled."""
    file = _added_file(root, run)
    way_out = "write it again, a list of the names of the classes that people have added, and remove its .sha256"
    return records.read(file, list, way_out) if file.exists() else []


def add_class(root: Path, run: str, name: str) -> None:
    """Add a class to a run; its next command has it."""
    file = _added_file(root, run)
    with FileLock(file.with_name(".added_classes.lock")):  # two pages may add at once
        records.write(file, [*added_classes(root, run), name])


def policy(parameters: Parameters) -> Policy:
    """Return how answers become labels."""
    oracle = parameters.oracle
    return Policy(oracle.annotators, oracle.disagreement, oracle.skipped)


def newest(root: Path, run: str, cycle: int, table: str) -> Path | None:
    """Return the newest version of a cycle's table, if there is one."""
    return versions.newest(guard.record_folder(root, run) / f"cycle_{cycle}" / f"{table}.parquet")


def stand(parameters: Parameters, root: Path) -> Standing:
    """Return how far people have got."""
    run = parameters.run.name
    oracle = parameters.oracle
    cycle = 0
    while cycle < parameters.cycles.number and newest(root, run, cycle, "answers"):
        cycle += 1
    query = newest(root, run, cycle, "query")
    if cycle == parameters.cycles.number or query is None:
        return Standing(cycle)
    history = AnswerLog(guard.record_folder(root, run) / "answers").read()
    progress = measure_progress(
        digests.whole(query, pd.read_parquet),
        aggregate(history, policy(parameters)),
        policy(parameters),
    )
    return Standing(cycle, progress, enough(progress, oracle.go_on.share, oracle.go_on.after))


def resolve(parameters: Parameters, root: Path) -> tuple[Parameters, Shape]:
    """Replace `auto` of block `control`, and return what the graph depends on."""
    people = parameters.oracle.kind == "people"
    number = parameters.cycles.number
    tested = True
    if people:
        read.cache_clear()
        parameters = _without_albums(parameters, root)
        pool = collect(parameters.pool)["test"]
        tested = len(pool.labels) > 0 or bool(pool.masked is not None and pool.masked.any())
    share = parameters.control.share
    if share == "auto":
        share = 0 if tested else SHARE
    if not share and not tested:
        raise InputError(
            "`control.share` is 0 and the source has no labels to test with: nothing could be measured"
        )
    control = Control(share=share, train=parameters.control.train)
    parameters = parameters.model_copy(update={"control": control})
    if people and not parameters.run.fresh:
        parameters = _with_added(parameters, root)
    standing = (
        stand(parameters, root)
        if people and not parameters.run.fresh
        else Standing(0 if people else number)
    )
    reach = standing.cycle + standing.ready
    shape = Shape(
        cycles=reach,
        people=people,
        waits=reach < number,
        tested=tested,
        control=share > 0,
        reasons=parameters.report.reasons,
        own_trunk=parameters.features.from_pretext,
        views=parameters.pretext.start_from == "features",
        probes=parameters.main.probes,
        compares=_compares(parameters, tested),
        tunes=parameters.main.start_from == "features" and not parameters.main.probes,
    )
    return parameters, shape


def _compares(parameters: Parameters, tested: bool) -> bool:
    others = not parameters.features.from_pretext and not parameters.main.probes
    return tested and others and not TASKS[parameters.main.task].dense


def _policies(root: Path, run: str) -> dict[str, Any]:
    way_out = f"remove it, and type the command of run {run!r} again, which writes it anew"
    return records.read(policies_file(root, run), dict, way_out)


def _without_albums(parameters: Parameters, root: Path) -> Parameters:
    """Where people's classes are given and folders have other names, these are albums: their names are no labels."""
    if parameters.oracle.classes is None:
        return parameters
    added = [] if parameters.run.fresh else added_classes(root, parameters.run.name)
    named = {*parameters.oracle.classes, *added}
    source = read_source(parameters.pool)
    labels = set(source.labels["label"])
    if labels <= named:
        return parameters
    where = parameters.pool.source
    if where.kind == "auto" and source.reading.layout == NAMES["folders"] and not labels & named:
        logger.info(
            "none of the folders in %s has the name of a class of `oracle.classes`: they are no labels",
            where.path,
        )
        pool = parameters.pool.model_copy(
            update={"source": where.model_copy(update={"kind": "flat"})}
        )
        return parameters.model_copy(update={"pool": pool})
    strange = sorted(labels - named)
    raise InputError(
        f"{where.path}: pictures have the label {strange[0]!r}, one of {len(strange)} that are none of "
        "`oracle.classes`: name all of them there, or read the folder's pictures without labels, pool.source.kind=flat"
    )


def _added_file(root: Path, run: str) -> Path:
    return guard.record_folder(root, run) / "added_classes.json"


def _with_added(parameters: Parameters, root: Path) -> Parameters:
    added = added_classes(root, parameters.run.name)
    if not added:
        return parameters
    classes = list(
        dict.fromkeys(
            [*(parameters.oracle.classes or collect(parameters.pool)["train"].classes), *added]
        )
    )
    oracle = parameters.oracle.model_copy(update={"classes": classes})
    return parameters.model_copy(update={"oracle": oracle})


def _typed(run_params: dict[str, Any]) -> str:
    """What somebody typed, near enough to be typed again."""
    words = ["kedro run --pipelines=active_learning"]
    words += [f"--env={run_params['env']}"] if run_params.get("env") else []
    settings = flat(run_params.get("runtime_params") or {})
    told = [
        f"{name}={'/'.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in settings.items()
    ]
    return " ".join([*words, f"--params={shlex.quote(','.join(told))}"] if told else words)


def _check_classes(parameters: Parameters, catalog: CatalogProtocol) -> None:
    """Numbers of classes stand in networks and masks: a name may come, at the end, and none may go."""
    if (
        not catalog.exists("run_classes")
        or parameters.oracle.classes is None
        or parameters.run.fresh
    ):
        return
    then = catalog.load("run_classes")
    now = parameters.oracle.classes
    if now[: len(then)] != then:
        raise InputError(
            f"`oracle.classes` is {'/'.join(now)}; run {parameters.run.name!r} has {'/'.join(then)}: more may be added "
            "at the end, and the others have to stay"
        )


def _request(parameters: Parameters, standing: Standing) -> str:
    run = parameters.run.name
    progress = standing.progress
    masks = TASKS[parameters.main.task].dense
    label = (
        f"kedro label-studio push --run={run}, then pull" if masks else f"kedro label --run={run}"
    )
    other = "a folder of masks, COCO" if masks else "spreadsheet, Label Studio"
    return (
        f"Run {run}, cycle {standing.cycle}: {progress}; {_missing(progress)}.\n"
        f"  To label:  {label}\n"
        f"  Other ways ({other}):  kedro answers --help, kedro label-studio --help\n"
        "  To go on, whenever there are answers: this command again."
    )


def _missing(progress: Progress) -> str:
    missing = len(progress.images) - progress.answered
    return f"{missing} missing" if missing else "complete"
