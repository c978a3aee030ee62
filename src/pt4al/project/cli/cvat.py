"""`kedro cvat`: label in CVAT."""

import os

import click
from filelock import FileLock
from kedro.framework.startup import ProjectMetadata

from pt4al.annotation.cvat import sync
from pt4al.annotation.progress import RELABEL
from pt4al.project.cli.runs import account, labelled_run, named, session
from pt4al.project.runs.error_messages import SpokenGroup
from pt4al.project.runs.labelled_run import LabelledRun

served = click.option(
    "--url", help="The server's address. Default: CVAT_URL, credentials, localhost:8080."
)


@click.group("cvat", cls=SpokenGroup)
def cvat() -> None:
    """Label in CVAT: push a query there, pull answers. Both can be typed again.

    The token comes from CVAT_TOKEN, or from conf/local/credentials.yml (cvat: {url: ..., token:
    ..., organization: ...}); the organization, if there is one, from CVAT_ORGANIZATION too.
    """


@cvat.command(short_help="Put the images that are asked for into CVAT.")
@named
@served
@click.pass_obj
def push(metadata: ProjectMetadata, name: str | None, url: str | None) -> None:
    """Put the images that a run asks for into CVAT, as a new task of the run's project;
    those that are there stay as they are.
    """
    run = labelled_run(metadata, name)
    one_at_a_time = FileLock(run.folder.record / ".cvat.lock")
    images = run.progress().images
    images["again"] = (images["role"] == RELABEL) * run.cycle
    with session(metadata, run) as opened, one_at_a_time:
        picture = opened.decoded if run.masks else opened.picture
        pushed = sync.push(_server(metadata, url), _project(run), images, picture)
    click.echo(
        f"{pushed.new} new images, {pushed.known} were there. Label them at {pushed.project}, "
        "finish the jobs, then: kedro cvat pull"
    )


@cvat.command(short_help="Take in what finished jobs say.")
@named
@served
@click.pass_obj
def pull(metadata: ProjectMetadata, name: str | None, url: str | None) -> None:
    """Take in what the jobs say that are finished in CVAT (state: completed)."""
    run = labelled_run(metadata, name)
    size = None
    if run.masks:
        with session(metadata, run) as opened:
            size = opened.pool.shape[1:]
    server = _server(metadata, url)
    project = _project(run)
    new, problems = sync.pull(server, project, run.answerable, run.log, size, run.cycle + 1)
    for row in problems.itertuples():
        click.echo(f"task {row.task}, job {row.job} ({row.id}): {row.problem}")
    click.echo(f"{new} new answers; {len(problems)} that can't be used. {run.progress()}.")


def _project(run: LabelledRun) -> sync.Project:
    return sync.Project(f"pt4al {run.name}", run.classes, run.masks, run.annotators)


def _server(metadata: ProjectMetadata, url: str | None) -> sync.Cvat:
    settings = account(metadata, "cvat", url)
    organization = os.environ.get("CVAT_ORGANIZATION") or settings.get("organization")
    return sync.Cvat(settings["url"], settings["token"], organization)
