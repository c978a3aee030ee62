"""`kedro answers`: answers in files."""

from pathlib import Path

import click
from kedro.framework.startup import ProjectMetadata

from pt4al.annotation.formats.spreadsheet import (
    SKIP,
    changed,
    read_answers,
    write_labels,
    write_query,
)
from pt4al.annotation.log import Answer
from pt4al.project.cli.runs import labelled_run, named, session
from pt4al.project.runs.error_messages import SpokenGroup
from pt4al.project.runs.labelled_run import LabelledRun
from pt4al.text import normalised


@click.group(cls=SpokenGroup)
def answers() -> None:
    """Take a query to a spreadsheet, answers from one, and labels to other programs."""


@answers.command("write")
@click.argument("path", type=click.Path(path_type=Path))
@named
@click.pass_obj
def write_file(metadata: ProjectMetadata, path: Path, name: str | None) -> None:
    """Write the images that a run asks for to a CSV or Parquet file,
    with an empty column `label`.
    """
    run = labelled_run(metadata, name)
    number = write_query(path, run.progress().open, run.suggestions)
    click.echo(f"{path}: {number} images to label, as one of: {', '.join(run.classes)}; or {SKIP}")


@answers.command("read")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--annotator", default="file", show_default=True, help="Who has labelled.")
@named
@click.pass_obj
def read_file(metadata: ProjectMetadata, path: Path, annotator: str, name: str | None) -> None:
    """Take in answers from a CSV or Parquet file (id, label);
    masks from a folder of PNG files, or a COCO file.

    Good ones count; of each other row or file it is said what is wrong with it.
    """
    who = normalised(annotator)
    if not who:
        raise click.BadParameter("a name is missing", param_hint="--annotator")
    run = labelled_run(metadata, name)
    if run.masks:
        read, problems = _read_masks(metadata, run, path.absolute(), who)
    else:
        read, problems = _read_rows(run, path, who)
    new = run.log.add(changed(read, run.given))
    for problem in problems:
        click.echo(problem)
    click.echo(
        f"{new} new answers of {len(read)}; {len(problems)} with problems. {run.progress()}."
    )


@answers.command("export")
@click.argument("path", type=click.Path(path_type=Path))
@named
@click.pass_obj
def export(metadata: ProjectMetadata, path: Path, name: str | None) -> None:
    """Write the labels that the answers so far make, for other programs,
    while the run goes on or afterwards.

    To a CSV or Parquet file (id, label); masks to a folder of PNG files, or to a COCO file, .json.
    """
    run = labelled_run(metadata, name, waiting=False)
    labels = run.labels
    if run.masks:
        _write_masks(run, path)
    else:
        write_labels(path, labels)
    click.echo(f"{path}: {len(labels)} labels of run {run.name}")


@answers.command("status")
@named
@click.pass_obj
def status(metadata: ProjectMetadata, name: str | None) -> None:
    """Say how far a run's query is answered, and how far people agree."""
    from pt4al.annotation.agreement import agreement

    run = labelled_run(metadata, name)
    click.echo(f"Run {run.name}, cycle {run.cycle}: {run.progress()}.")
    words = agreement(run.log.read())
    if words:
        click.echo(words)


def _read_rows(run: LabelledRun, path: Path, annotator: str) -> tuple[list[Answer], list[str]]:
    read, problems = read_answers(path, run.answerable, run.classes, annotator)
    messages = []
    for row in problems.itertuples():
        image = f"{row.id!r} " if row.id else ""
        messages.append(f"row {row.row}: {image}{row.problem}")
    return read, messages


def _read_masks(
    metadata: ProjectMetadata, run: LabelledRun, path: Path, annotator: str
) -> tuple[list[Answer], list[str]]:
    """Read masks of the pool's pictures; those that nobody asked for are left out."""
    from pt4al.annotation.formats import coco, mask_folder

    with session(metadata, run) as opened:
        ids = opened.pool.ids
        settings = (run.classes, opened.pool.shape[1:])
        if path.suffix == ".json":
            names = {image: image for image in ids}
            masks, problems = coco.read(path, names, *settings, fit=opened.fitted)
        else:
            ignored = opened.parameters.pool.ignore
            masks, problems = mask_folder.read(path, ids, *settings, ignored, fit=opened.fitted)
        asked = set(run.answerable)
        read = [
            Answer(id=image, label=run.log.keep_mask(png), annotator=annotator, source="file")
            for image, png in masks
            if image in asked
        ]
    return read, [f"{row.file}: {row.problem}" for row in problems.itertuples()]


def _write_masks(run: LabelledRun, path: Path) -> None:
    from pt4al.annotation.formats import coco, mask_folder

    masks = ((row.id, run.mask(row.label)) for row in run.labels.itertuples())
    if path.suffix == ".json":
        coco.write(path, masks, run.classes)
    else:
        mask_folder.write(path, masks)
