"""Commands beside `kedro run`, for the people who label."""

import os
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from filelock import FileLock
from kedro.framework.cli import project
from kedro.framework.startup import ProjectMetadata

from pt4al.annotation.formats.spreadsheet import (
    SKIP,
    changed,
    read_answers,
    write_labels,
    write_query,
)
from pt4al.annotation.label_studio import sync as studio
from pt4al.annotation.log import Answer
from pt4al.errors import InputError
from pt4al.project.runs import asked, reproduction
from pt4al.project.runs.asked import Asked, root, secrets
from pt4al.project.runs.error_messages import Spoken, SpokenGroup
from pt4al.text import normalised

if TYPE_CHECKING:  # it imports torch, which takes seconds and a gigabyte: only what shows pictures or takes masks does
    from pt4al.project.runs.labelling_session import OpenRun

__all__ = ["cli", "run"]  # Kedro looks for both here

named = click.option(
    "--run", "name", help="The run's name; by default the one whose command was typed last."
)


@click.group(name="pt4al", cls=SpokenGroup)
def cli() -> None:
    """Active learning that people label."""


run = Spoken("run", callback=project.run.callback, params=project.run.params, help=project.run.help)
cli.add_command(run)


@cli.command()
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
    """Open a page to label the images that a run asks for. Ctrl-C ends it; what was answered is kept.

    Started again it has the same link, and pages that were left open go on.
    """
    from pt4al.annotation.web import link
    from pt4al.annotation.web.server import Page

    with opened(metadata, name) as found:
        if found.masks:
            raise InputError(
                f"run {found.name!r} needs masks, which the page can't take: kedro label-studio push, or "
                "kedro answers read with a folder of masks or a COCO file"
            )
        facts = {
            "run": found.name,
            "title": f"{found.name}, cycle {found.cycle}",
            "command": found.command,
            "suggest": suggestions,
        }
        kept = link.read(found.link_file)
        if port is None:
            port = kept.port if kept else 0
        page = Page(
            found.queue, found.picture, found.why, facts, host, port, kept.token if kept else None
        )
        link.keep(found.link_file, link.Link(page.port, page.token))
        click.echo(f"Run {found.name}, cycle {found.cycle}: {found.progress()}.")
        click.echo(f"Open this page in a browser: {page.url}")
        click.echo("Ctrl-C ends it; what was answered is kept. Then type the run's command again.")
        page.run()
        click.echo(f"\n{found.progress()}.")


@cli.command()
@click.pass_obj
def verdict(metadata: ProjectMetadata) -> None:
    """Say whether the published run, as DVC has made it here, is the one that was published.

    Exit status 0 if it is: the same queries, and accuracies that are equal or within the stated
    noise.
    """
    project = Path(metadata.project_path)
    places = asked.places(project, reproduction.RUN)
    folder = project / places["root"]
    told = reproduction.compare(
        reproduction.published(folder), reproduction.made(folder), places["noise"]
    )
    click.echo("\n".join(told.lines))
    if not told.same:
        raise click.exceptions.Exit(1)


@cli.command()
@click.pass_obj
def publish(metadata: ProjectMetadata) -> None:
    """Write what `kedro verdict` compares with, from the published run as DVC has made it here."""
    project = Path(metadata.project_path)
    folder = project / asked.places(project, reproduction.RUN)["root"]
    outcome = reproduction.made(folder)
    written = reproduction.publish(folder, outcome)
    click.echo(
        f"{written}: {len(outcome.queries)} images in {len(outcome.curve)} cycles; commit it, and dvc.lock"
    )


@cli.group()
def answers() -> None:
    """Take a query to a spreadsheet, answers from one, and labels to other programs."""


@answers.command("write")
@click.argument("path", type=click.Path(path_type=Path))
@named
@click.pass_obj
def write_file(metadata: ProjectMetadata, path: Path, name: str | None) -> None:
    """Write the images that a run asks for to a CSV or Parquet file, with an empty column `label`."""
    with reading(metadata, name) as found:
        progress = found.progress()
        number = write_query(path, progress.open, found.suggestions)
        click.echo(
            f"{path}: {number} images to label, as one of: {', '.join(found.classes)}; or {SKIP}"
        )


@answers.command("read")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--annotator", default="file", show_default=True, help="Who has labelled.")
@named
@click.pass_obj
def read_file(metadata: ProjectMetadata, path: Path, annotator: str, name: str | None) -> None:
    """Take in answers from a CSV or Parquet file (id, label); masks from a folder of PNG files, or a COCO file.

    Good ones count; of each other row or file it is said what is wrong with it.
    """
    who = normalised(annotator)
    if not who:
        raise click.BadParameter("a name is missing", param_hint="--annotator")
    with reading(metadata, name) as found:
        if found.masks:
            with opened(metadata, name) as run:
                read, problems = _masks(run, path.absolute(), who)  # commands run in the project
        else:
            read, problems = _rows(found, path, who)
        taken = found.log.add(changed(read, found.log.read()))
        for problem in problems:
            click.echo(problem)
        click.echo(
            f"{taken} new answers of {len(read)}; {len(problems)} with problems. {found.progress()}."
        )


def _rows(found: Asked, path: Path, annotator: str) -> tuple[list[Answer], list[str]]:
    read, problems = read_answers(path, found.answerable, found.classes, annotator)
    return read, [
        f"row {row.row}: {f'{row.id!r} ' if row.id else ''}{row.problem}"
        for row in problems.itertuples()
    ]


def _masks(found: "OpenRun", path: Path, annotator: str) -> tuple[list[Answer], list[str]]:
    """Read masks of the pool's pictures; those that nobody asked for are left out."""
    from pt4al.annotation.formats import coco, mask_folder

    images = found.catalog.load("pool")
    settings = found.classes, images.shape[1:]
    if path.suffix == ".json":
        names = {image: image for image in images.ids}
        masks, problems = coco.read(path, names, *settings, fit=found.fitted)
    else:
        ignored = found.parameters.pool.ignore
        masks, problems = mask_folder.read(path, images.ids, *settings, ignored, fit=found.fitted)
    asked = set(found.answerable)
    read = [
        Answer(id=image, label=found.log.keep_mask(png), annotator=annotator, source="file")
        for image, png in masks
        if image in asked
    ]
    return read, [f"{row.file}: {row.problem}" for row in problems.itertuples()]


@answers.command("export")
@click.argument("path", type=click.Path(path_type=Path))
@named
@click.pass_obj
def export(metadata: ProjectMetadata, path: Path, name: str | None) -> None:
    """Write the labels that the answers so far make, for other programs, while the run goes on or afterwards.

    To a CSV or Parquet file (id, label); masks to a folder of PNG files, or to a COCO file, .json.
    """
    with reading(metadata, name, waiting=False) as found:
        labels = found.labels
        if not found.masks:
            write_labels(path, labels)
        else:
            _write_masks(metadata, found, path.absolute())
        click.echo(f"{path}: {len(labels)} labels of run {found.name}")


def _write_masks(metadata: ProjectMetadata, found: Asked, path: Path) -> None:
    from pt4al.annotation.formats import coco, mask_folder

    with opened(metadata, found.name, waiting=False) as run:
        masks = ((row.id, run.mask(row.label)) for row in found.labels.itertuples())
        coco.write(path, masks, found.classes) if path.suffix == ".json" else mask_folder.write(
            path, masks
        )


@answers.command("status")
@named
@click.pass_obj
def status(metadata: ProjectMetadata, name: str | None) -> None:
    """Say how far a run's query is answered, and how far people agree."""
    from pt4al.annotation.agreement import agreement

    with reading(metadata, name) as found:
        click.echo(f"Run {found.name}, cycle {found.cycle}: {found.progress()}.")
        words = agreement(found.log.read())
        if words:
            click.echo(words)


@cli.group("label-studio")
def label_studio() -> None:
    """Label in Label Studio: push a query there, pull answers. Both can be typed again.

    The token comes from LABEL_STUDIO_TOKEN, or from conf/local/credentials.yml (label_studio: {url:
    ..., token: ...}).
    """


served = click.option(
    "--url", help="The server's address. Default: LABEL_STUDIO_URL, credentials, 127.0.0.1:8080."
)


@label_studio.command()
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
    """Put the images that a run asks for into Label Studio; those that are there stay as they are."""
    with (
        opened(metadata, name) as found,
        FileLock(found.link_file.with_name(".label_studio.lock")),
    ):  # one at a time
        annotators = found.parameters.oracle.annotators
        pushed = studio.push(
            _server(metadata, url),
            studio.Project(f"pt4al {found.name}", found.classes, found.masks, annotators),
            found.progress().images,
            found.picture if not found.masks else found.decoded,
            found.suggestions if suggestions else None,
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
    with reading(metadata, name) as found:
        size = None
        if found.masks:
            with opened(metadata, name) as run:
                size = run.size
        new, problems = studio.pull(
            _server(metadata, url),
            f"pt4al {found.name}",
            found.answerable,
            found.classes,
            found.log,
            size,
        )
        for row in problems.itertuples():
            click.echo(f"task {row.task}, annotation {row.annotation} ({row.id}): {row.problem}")
        click.echo(f"{new} new answers; {len(problems)} that can't be used. {found.progress()}.")


def _server(metadata: ProjectMetadata, url: str | None) -> studio.LabelStudio:
    known = secrets(Path(metadata.project_path)).get("label_studio") or {}
    token = os.environ.get("LABEL_STUDIO_TOKEN") or known.get("token")
    if not token:
        raise InputError(
            "no token for Label Studio: set LABEL_STUDIO_TOKEN, or write conf/local/credentials.yml, "
            "label_studio: {token: ...}; it is on the page of your account there"
        )
    address = (
        url or os.environ.get("LABEL_STUDIO_URL") or known.get("url") or "http://127.0.0.1:8080"
    )
    return studio.LabelStudio(address, token)


@contextmanager
def reading(metadata: ProjectMetadata, name: str | None, waiting: bool = True) -> Iterator[Asked]:
    """Read what a run asks from its files."""
    project = Path(metadata.project_path)
    yield asked.read(project / root(project), name, waiting)


@contextmanager
def opened(
    metadata: ProjectMetadata, name: str | None, waiting: bool = True
) -> Iterator["OpenRun"]:
    """Open a run, its pool and its pictures."""
    from pt4al.project.runs.labelling_session import open_run

    with chdir(
        metadata.project_path
    ):  # what relative paths in settings mean, wherever this was typed
        yield open_run(Path(metadata.project_path), name, waiting)
