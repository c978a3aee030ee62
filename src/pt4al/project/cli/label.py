"""`kedro label`: label on a page."""

import click
from kedro.framework.startup import ProjectMetadata

from pt4al.errors import InputError
from pt4al.project.cli.runs import labelled_run, named, session
from pt4al.project.runs.error_messages import Spoken


@click.command(cls=Spoken)
@named
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Where the page is served; 0: a free one. Default: where it was.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Another address opens the page to others.",
)
@click.option(
    "--suggestions/--no-suggestions",
    default=True,
    show_default=True,
    help="Show the model's guess.",
)
@click.pass_obj
def label(
    metadata: ProjectMetadata, name: str | None, port: int | None, host: str, suggestions: bool
) -> None:
    """Open a page to label the images that a run asks for.
    Ctrl-C ends it; what was answered is kept.

    Started again it has the same link, and pages that were left open go on.
    """
    from pt4al.annotation.web import link
    from pt4al.annotation.web.server import Page

    run = labelled_run(metadata, name)
    if run.masks:
        raise InputError(
            f"run {run.name!r} needs masks, which the page can't take: kedro label-studio push, or "
            "kedro answers read with a folder of masks or a COCO file"
        )
    facts = {
        "run": run.name,
        "title": run.name,
        "round": run.cycle + 1,
        "rounds": run.cycles,
        "command": run.command,
        "suggest": suggestions,
    }
    file = run.folder.link_file
    kept = link.read(file)
    if port is None:
        port = kept.port if kept else 0
    token = kept.token if kept else None
    with session(metadata, run) as opened:
        page = Page(opened.queue, opened.picture, opened.why, facts, host, port, token)
        link.keep(file, link.Link(page.port, page.token))
        click.echo(f"Run {run.name}, cycle {run.cycle}: {run.progress()}.")
        click.echo(f"Open this page in a browser: {page.url}")
        click.echo("Ctrl-C ends it; what was answered is kept. Then type the run's command again.")
        page.run()
        click.echo(f"\n{run.progress()}.")
