"""`kedro label`: label on a page, which trains and asks again until the last round."""

import os
import sys
from contextlib import chdir
from pathlib import Path
from typing import Any

import click
from kedro.framework.startup import ProjectMetadata

from pt4al.errors import InputError
from pt4al.project.cli.label_command import PEOPLE, run_command, run_name
from pt4al.project.cli.runs import labelled_run, named
from pt4al.project.configuration.loading import root
from pt4al.project.runs.error_messages import Spoken
from pt4al.project.runs.folder import RunFolder


@click.command(cls=Spoken)
@named
@click.option("--images", type=click.Path(), help="Folder of pictures: starts a run, or goes on.")
@click.option("--classes", help="Names of the classes: cat/dog. More may be added on the page.")
@click.option(
    "--budget", help="Labels that each round asks for. Default: 50, or fewer of a small folder."
)
@click.option("--cycles", type=click.IntRange(1), help="Number of rounds.")
@click.option(
    "--annotators",
    type=click.IntRange(1),
    help="People who must answer before an image counts: as most of them say; ties are reviewed.",
)
@click.option("--params", help="Further settings, as `kedro run` takes them.")
@click.option("--env", help=f"Environment of the settings. Default: {PEOPLE}.")
@click.option("--once", is_flag=True, help="Only this query: train nothing, ask nothing more.")
@click.option(
    "--open/--no-open",
    "opens",
    default=None,
    help="Open the page in a browser. Default: if there is a screen.",
)
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
def label(metadata: ProjectMetadata, **typed: Any) -> None:
    """Label pictures on a page. When a query is answered the model is trained, and the page asks
    for the pictures that help it most, until the last round.

    \b
    kedro label --images=photos --classes=cat/dog    starts a run, or goes on with it
    kedro label                                      goes on with the run that was typed last
    kedro label --cycles=8                           the same, to its eighth round

    Ctrl-C ends all of it; what was answered is kept, and the same command goes on. It has the same
    link then, and pages that were left open go on.
    """
    project = Path(metadata.project_path)
    order = _order(metadata, project, typed)
    with chdir(project):  # relative paths in settings mean the project's folder
        _serve(order, typed)


def _order(metadata: ProjectMetadata, project: Path, typed: dict[str, Any]) -> Any:
    """Return which run is meant: one that is there, or that of a folder of pictures."""
    from pt4al.project.configuration.next_commands import one_more_round, with_cycles
    from pt4al.project.runs.labelling_loop import Order, is_finished

    if typed["images"] is not None:
        if typed["once"]:
            raise InputError("--once is for a run that is there: leave --images away")
        data = root(project, typed["env"] or PEOPLE)
        name = typed["name"] or run_name(typed["images"])
        return Order(project, data, name, run_command(project, RunFolder(data, name), typed))
    for option in ("classes", "budget", "annotators", "params", "env"):
        if typed[option] is not None:
            raise InputError(
                f"--{option} is for a new run: say --images, the folder of its pictures, too"
            )
    run = labelled_run(metadata, typed["name"], waiting=typed["once"])
    if run.masks:
        raise InputError(
            f"run {run.name!r} needs masks, which the page can't take: kedro label-studio push, or "
            "kedro answers read with a folder of masks or a COCO file"
        )
    command = run.command
    if typed["cycles"] is not None:
        command = with_cycles(command, typed["cycles"])
    elif is_finished(run):
        raise InputError(
            f"run {run.name!r} has all its labels; for another round: "
            f"{one_more_round(run.name, run.cycles)}"
        )
    return Order(project, root(project), run.name, command)


def _serve(order: Any, typed: dict[str, Any]) -> None:
    from pt4al.annotation.web import link
    from pt4al.annotation.web.server import Page
    from pt4al.project.runs.asked_query import AskedQuery
    from pt4al.project.runs.labelling_loop import LabellingLoop, facts_of

    facts = {
        "run": order.name,
        "title": order.name,
        "command": order.command,
        "suggest": typed["suggestions"],
        "goes_on": not typed["once"],
    }
    file = order.folder.link_file
    kept = link.read(file)
    port = typed["port"]
    if port is None:
        port = kept.port if kept else 0
    token = kept.token if kept else None
    page = Page(facts=facts, host=typed["host"], port=port, token=token)
    loop = LabellingLoop(order, page, facts, click.echo)
    loop.keep_link()
    click.echo(f"Open this page in a browser: {page.url}")
    click.echo("Ctrl-C ends it; what was answered is kept, and the same command goes on.")
    if typed["opens"] or (typed["opens"] is None and has_screen()):
        click.launch(page.url)
    if typed["once"]:
        run = order.find()
        query = AskedQuery(run)
        page.ask(query.queue, query.picture, query.why, facts | facts_of(run))
        click.echo(f"Run {run.name}, round {run.cycle + 1}: {run.progress()}.")
        page.run()
        click.echo(f"\n{run.progress()}. Then type the run's command again.")
        return
    loop.serve()
    if page.queue is not None:
        click.echo(f"\n{page.queue.progress()}.")


def has_screen() -> bool:
    """Return whether a browser would open where the person sits: no test, pipe or remote shell."""
    if not sys.stdout.isatty() or "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform != "linux" or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
