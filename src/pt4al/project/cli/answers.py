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
from pt4al.errors import InputError, counted
from pt4al.project.cli.runs import labelled_run, named, session
from pt4al.project.configuration.loading import root
from pt4al.project.runs.error_messages import SpokenGroup
from pt4al.project.runs.export import FORMATS, choose_format, export
from pt4al.project.runs.labelled_run import LabelledRun
from pt4al.project.runs.merged import REFUSE, RESOLUTIONS, merge_labels
from pt4al.project.runs.run_labels import find_labels
from pt4al.text import normalised


@click.group(cls=SpokenGroup, short_help="Write queries to a spreadsheet, read answers from one.")
def answers() -> None:
    """Take a query to a spreadsheet, answers from one, and labels to other programs."""


@answers.command("write", short_help="Write the images that are asked for to a spreadsheet.")
@click.argument("path", type=click.Path(path_type=Path))
@named
@click.pass_obj
def write_file(metadata: ProjectMetadata, path: Path, name: str | None) -> None:
    """Write the images that a run asks for to a CSV or Parquet file,
    with an empty column `label`.
    """
    run = labelled_run(metadata, name)
    number = write_query(path, run.progress().open, run.suggestions)
    images = counted(number, "image")
    click.echo(f"{path}: {images} to label, as one of: {', '.join(run.classes)}; or {SKIP}")


@answers.command("read", short_help="Take in answers: a spreadsheet, masks, a COCO file.")
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


@answers.command("export", short_help="Write the labels so far, for other programs.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="By default what the path's end says."
)
@named
@click.pass_obj
def export_labels(
    metadata: ProjectMetadata, path: Path, form: str | None, name: str | None
) -> None:
    """Write a run's labels for other programs, while it goes on or afterwards.

    \b
    csv, parquet  a table: id, label, cycle, why, annotators, answered, weight
    folders       the pictures, a folder a class, as torchvision's ImageFolder reads them
    yolo          the same below train/
    huggingface   the pictures with a data card, for datasets.load_dataset("imagefolder", ...)
    coco          a .json file, of classes or masks
    masks         a folder of PNG files

    Nothing that is there is overwritten.
    """
    project = Path(metadata.project_path)
    run = find_labels(root(project), name)
    chosen = choose_format(path, run.masks, form)
    sentences = export(project, run, path.absolute(), chosen)
    click.echo(f"{path}: {counted(len(run.table), 'label')} of run {run.folder.name}")
    for sentence in sentences:
        click.echo(sentence)


@answers.command("merge", short_help="Bring the labels of several runs together.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--run", "names", multiple=True, required=True, help="A run's name; once for each run."
)
@click.option(
    "--disagreement",
    type=click.Choice(RESOLUTIONS),
    default=RESOLUTIONS[0],
    show_default=True,
    help="Of runs that label an image otherwise: the newest answer counts, or nothing is written.",
)
@click.pass_obj
def merge_runs(
    metadata: ProjectMetadata, path: Path, names: tuple[str, ...], disagreement: str
) -> None:
    """Write the labels of several runs to one CSV or Parquet file:
    id, label, annotators, answered, run, cycle, why.

    Contradictions are listed, and what one run has and another lacks.
    """
    data = root(Path(metadata.project_path))
    runs = [find_labels(data, name) for name in dict.fromkeys(names)]
    merged, sentences = merge_labels(runs)
    for sentence in sentences:
        click.echo(sentence)
    if disagreement == REFUSE and len(merged.contradictions):
        raise InputError(
            f"{counted(len(merged.contradictions), 'image')} with labels that contradict each "
            "other: nothing is written; correct them, or let the newest count, "
            f"--disagreement={RESOLUTIONS[0]}"
        )
    write_labels(path, merged.labels)
    click.echo(
        f"{path}: {counted(len(merged.labels), 'label')} of {', '.join(dict.fromkeys(names))}"
    )


@answers.command("status", short_help="Say how far a query is, and how far people agree.")
@named
@click.pass_obj
def status(metadata: ProjectMetadata, name: str | None) -> None:
    """Say how far a run's query is answered, and how far people agree: all of them, each with the
    others, and on which images they don't.
    """
    from pt4al.annotation.agreement import agreement
    from pt4al.annotation.annotators import describe

    run = labelled_run(metadata, name, waiting=False)
    if run.cycle == run.cycles:
        click.echo(f"Run {run.name}: all rounds have their answers.")
    else:
        run = labelled_run(metadata, run.name)
        click.echo(f"Run {run.name}, round {run.cycle + 1}: {run.progress()}.")
    history = run.log.read()
    words = agreement(history)
    if words:
        click.echo(words)
        for line in describe(history, run.policy):
            click.echo(line)


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
