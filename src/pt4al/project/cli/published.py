"""`kedro verdict` and `kedro publish`: is the published run, as DVC has made it here, the same?"""

from pathlib import Path

import click
from kedro.framework.startup import ProjectMetadata

from pt4al.errors import counted
from pt4al.project.configuration.loading import places, root
from pt4al.project.runs import reproduction
from pt4al.project.runs.error_messages import Spoken


@click.command(cls=Spoken, short_help="Say whether the published run came out the same here.")
@click.pass_obj
def verdict(metadata: ProjectMetadata) -> None:
    """Say whether the published run, as DVC has made it here, is the one that was published.

    Exit status 0 if it is: the same queries, and accuracies that are equal or within the stated
    noise.
    """
    project = Path(metadata.project_path)
    folder = root(project, reproduction.RUN)
    then = reproduction.published(folder)
    now = reproduction.made(folder)
    result = reproduction.compare(then, now, places(project, reproduction.RUN)["noise"])
    click.echo("\n".join(result.lines))
    if not result.same:
        click.get_current_context().exit(1)


@click.command(cls=Spoken, short_help="Write what `kedro verdict` compares with.")
@click.pass_obj
def publish(metadata: ProjectMetadata) -> None:
    """Write what `kedro verdict` compares with, from the published run as DVC has made it here."""
    folder = root(Path(metadata.project_path), reproduction.RUN)
    outcome = reproduction.made(folder)
    written = reproduction.publish(folder, outcome)
    images = counted(len(outcome.queries), "image")
    cycles = counted(len(outcome.curve), "cycle")
    click.echo(f"{written}: {images} in {cycles}; commit it, and dvc.lock")
