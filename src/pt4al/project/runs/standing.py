"""How far a run has got that people label, and how a command ends that has to wait for them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pt4al.annotation.aggregation import Policy
from pt4al.annotation.progress import Progress, enough, progress_of
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.runs.folder import RunFolder


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
    progress = progress_of(query, folder.answer_log.read(), policy)
    return Standing(cycle, progress, enough(progress, oracle.go_on.share, oracle.go_on.after))
