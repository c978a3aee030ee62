"""`kedro label-studio`: label in Label Studio."""

import click
from filelock import FileLock
from kedro.framework.startup import ProjectMetadata

from pt4al.annotation.label_studio import sync
from pt4al.annotation.label_studio.doctor import examine
from pt4al.project.cli.runs import account, labelled_run, named, session
from pt4al.project.runs.error_messages import SpokenGroup

served = click.option(
    "--url", help="The server's address. Default: LABEL_STUDIO_URL, credentials, 127.0.0.1:8080."
)


@click.group("label-studio", cls=SpokenGroup)
def label_studio() -> None:
    """Label in Label Studio: push a query there, pull answers. Both can be typed again.

    The token comes from LABEL_STUDIO_TOKEN, or from conf/local/credentials.yml (label_studio: {url:
    ..., token: ...}).
    """


@label_studio.command(short_help="Put the images that are asked for into Label Studio.")
@named
@served
@click.option(
    "--suggestions/--no-suggestions",
    default=False,
    show_default=True,
    help="Show the model's guess, as a box that is ticked already: who submits it accepts it.",
)
@click.pass_obj
def push(metadata: ProjectMetadata, name: str | None, url: str | None, suggestions: bool) -> None:
    """Put the images that a run asks for into Label Studio;
    those that are there stay as they are.
    """
    run = labelled_run(metadata, name)
    one_at_a_time = FileLock(run.folder.record / ".label_studio.lock")
    with session(metadata, run) as opened, one_at_a_time:
        pushed = sync.push(
            _server(metadata, url),
            sync.Project(_title(run.name), run.classes, run.masks, run.annotators),
            run.progress().images,
            opened.decoded if run.masks else opened.picture,
            run.suggestions if suggestions else None,
        )
    click.echo(
        f"{pushed.new} new images, {pushed.known} were there. Label them at {pushed.project}"
    )


@label_studio.command()
@named
@served
@click.pass_obj
def pull(metadata: ProjectMetadata, name: str | None, url: str | None) -> None:
    """Take in what has been labelled in Label Studio so far."""
    run = labelled_run(metadata, name)
    size = None
    if run.masks:
        with session(metadata, run) as opened:
            size = opened.pool.shape[1:]
    server = _server(metadata, url)
    new, problems = sync.pull(server, _title(run.name), run.answerable, run.classes, run.log, size)
    for row in problems.itertuples():
        click.echo(f"task {row.task}, annotation {row.annotation} ({row.id}): {row.problem}")
    click.echo(f"{new} new answers; {len(problems)} that can't be used. {run.progress()}.")


@label_studio.command(short_help="Say why pictures don't show there.")
@named
@served
@click.option("--project", help="Title of any project there. Default: the run's.")
@click.pass_context
def doctor(context: click.Context, name: str | None, url: str | None, project: str | None) -> None:
    """Say why pictures don't show in Label Studio: server, token, project, storage, pictures.

    Changes nothing there. Exit status 1: something is wrong.
    """
    metadata = context.obj
    title = project or _title(labelled_run(metadata, name, waiting=False).name)
    wrong = False
    with _server(metadata, url) as server:
        for finding in examine(server, title):
            wrong = wrong or not finding.ok
            click.echo(f"{'ok   ' if finding.ok else 'wrong'}  {finding.what}: {finding.sentence}")
    context.exit(1 if wrong else 0)


def _title(run: str) -> str:
    return f"pt4al {run}"


def _server(metadata: ProjectMetadata, url: str | None) -> sync.LabelStudio:
    settings = account(metadata, "label_studio", url)
    return sync.LabelStudio(settings["url"], settings["token"])
