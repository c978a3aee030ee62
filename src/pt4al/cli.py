"""Commands beside `kedro run`, for the people who label."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from kedro.framework.cli.project import run
from kedro.framework.startup import ProjectMetadata

from pt4al.errors import InputError
from pt4al.opened import OpenRun, open_run

__all__ = ["cli", "run"]  # Kedro looks for both here

named = click.option("--run", "name", help="The run's name; by default the one whose command was typed last.")


@click.group(name="pt4al")
def cli() -> None:
    """Active learning that people label."""


@cli.command()
@named
@click.option("--port", default=0, show_default="a free one", help="Where the page is served.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Another address opens the page to others.")
@click.option("--suggestions/--no-suggestions", default=True, show_default=True, help="Show the model's guess.")
@click.pass_obj
def label(metadata: ProjectMetadata, name: str | None, port: int, host: str, suggestions: bool) -> None:
    """Open a page to label the images that a run asks for. Ctrl-C ends it; what was answered is kept."""
    from pt4al.labelling.page.server import Page

    with opened(metadata, name) as found:
        facts = {
            "title": f"{found.name}, cycle {found.cycle}",
            "command": "kedro run, as before: it takes in the answers and goes on",
            "suggest": suggestions,
        }
        page = Page(found.desk, found.picture, found.why, facts, host, port)
        click.echo(f"Run {found.name}, cycle {found.cycle}: {found.progress()}.")
        click.echo(f"Open this page in a browser: {page.url}")
        click.echo("Ctrl-C ends it; what was answered is kept. Then type the run's command again.")
        page.run()
        click.echo(f"\n{found.progress()}.")


@cli.group()
def answers() -> None:
    """Take a query to a spreadsheet, and answers from one."""


@contextmanager
def opened(metadata: ProjectMetadata, name: str | None) -> Iterator[OpenRun]:
    """Open a run; a person's mistake is one message."""
    try:
        yield open_run(Path(metadata.project_path), name)
    except InputError as error:
        raise click.ClickException(str(error)) from None
