"""How far a run has got that people label, and how a command ends that has to wait for them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from pt4al.annotation.aggregation import Policy, settle
from pt4al.annotation.progress import Progress, assign, enough
from pt4al.errors import InputError
from pt4al.files import records
from pt4al.project.configuration.parameters import Parameters, check
from pt4al.project.runs.folder import RunFolder
from pt4al.project.runs.labelling_command import check_classes, command_line, request


class Waiting(click.ClickException):
    """The run has gone as far as it can without answers; the same command resumes it."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h: try again later

    def show(self, file: Any = None) -> None:
        """Print the message as it is, without `Error:`."""
        click.echo(self.message, file=file, err=file is None)


@dataclass(frozen=True)
class Standing:
    """Where a run is that people label.

    Attributes
    ----------
    cycle
        The first that has no answers yet; as many as there are cycles, if all have.
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
        """Keep where the files are."""
        places = context.config_loader["globals"]
        self._root = context.project_path / places["root"]
        self._versioned = places["versioned"]

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        """Check the classes, and write down the command and its policies."""
        parameters = check(catalog.load("parameters"))
        asks = any("cycles" in node.tags for node in pipeline.nodes)
        self._parameters = parameters if asks and parameters.oracle.kind == "people" else None
        if self._parameters is None:
            return
        if not self._versioned:
            raise InputError(
                f"`oracle.kind: {parameters.oracle.kind}` needs an environment whose files have "
                "versions: not DVC's"
            )
        folder = RunFolder(self._root, parameters.run.name)
        check_classes(parameters, folder)
        command = command_line(run_params.get("env"), run_params.get("runtime_params") or {})
        oracle = parameters.oracle.model_dump(mode="json")
        records.write(folder.policies_file, {"command": command, "oracle": oracle})

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Raise `Waiting` if there is a query to answer."""
        if self._parameters is not None:
            standing = stand(self._parameters, self._root)
            if standing.progress is not None:
                raise Waiting(request(self._parameters, standing.cycle, standing.progress))


def stand(parameters: Parameters, root: Path) -> Standing:
    """Return how far people have got with a run below the folder `root`."""
    folder = RunFolder(root, parameters.run.name)
    cycles = parameters.cycles.number
    cycle = folder.open_cycle(cycles)
    query = None if cycle == cycles else folder.read("query.parquet", cycle)
    if query is None:
        return Standing(cycle)
    oracle = parameters.oracle
    policy = Policy(oracle.annotators, oracle.disagreement, oracle.skipped)
    progress = assign(query, settle(folder.answer_log.read(), policy), policy)
    return Standing(cycle, progress, enough(progress, oracle.go_on.share, oracle.go_on.after))
