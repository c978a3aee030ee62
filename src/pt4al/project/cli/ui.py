"""`kedro ui`: MLflow's pages."""

from pathlib import Path

import click
from kedro.framework.startup import ProjectMetadata

from pt4al.project.configuration.loading import loader
from pt4al.project.runs.error_messages import Spoken


@click.command(cls=Spoken)
@click.option(
    "--port",
    default=5000,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Where the pages are served, on 127.0.0.1.",
)
@click.option("--open/--no-open", "opens", default=True, show_default=True, help="In a browser.")
@click.pass_obj
def ui(metadata: ProjectMetadata, port: int, opens: bool) -> None:
    """Open MLflow on the learning curves of all runs, side by side. Ctrl-C ends it."""
    from pt4al.project.tracking import store as stores
    from pt4al.project.tracking.ui import open_page, serve

    project = Path(metadata.project_path)
    store = stores.find(project, stores.checked(loader(project)["mlflow"]))

    def tell(link: str) -> None:
        click.echo(f"Learning curves of all runs: {link}")
        if not store.is_server:
            click.echo("Ctrl-C ends it.")
        if opens:
            open_page(link)

    click.echo("Opening MLflow ...")
    serve(store, port, tell)
