"""Write the labels of a run for other programs, with its pictures where a format has them."""

import io
import re
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import numpy as np
from omegaconf import OmegaConf
from PIL import Image

from pt4al.annotation.formats.class_folders import TRAIN, write_class_folders
from pt4al.annotation.formats.coco_classes import write_coco_classes
from pt4al.annotation.formats.hugging_face import write_data_set
from pt4al.annotation.formats.labelled import Labelled
from pt4al.annotation.formats.new_folder import check_new
from pt4al.annotation.formats.spreadsheet import write_labels
from pt4al.errors import InputError, counted
from pt4al.images.collection import Collection
from pt4al.images.originals import originals, sizes
from pt4al.pipelines.pool.listing import collect
from pt4al.project.configuration.dotted import nested
from pt4al.project.configuration.loading import loader
from pt4al.project.configuration.source import Listing
from pt4al.project.runs.run_labels import RunLabels

CSV = "csv"
PARQUET = "parquet"
FOLDERS = "folders"
COCO = "coco"
YOLO = "yolo"
HUGGING_FACE = "huggingface"
MASKS = "masks"
FORMATS = (CSV, PARQUET, FOLDERS, COCO, YOLO, HUGGING_FACE, MASKS)
ENDINGS = {".csv": CSV, ".parquet": PARQUET, ".json": COCO}
SUFFIXES = {form: ending for ending, form in ENDINGS.items()}
FILE_ENDING = r"\.[a-z]{2,4}"  # `labels.tsv` is meant to be a file, `photos.v2` need not be
OF_MASKS = (MASKS, COCO)  # that hold masks
READ_BY_IMAGE_FOLDER = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def choose_format(path: Path, masks: bool, typed: str | None = None) -> str:
    """Return the format of a path: the one that was typed, or what its end says.

    Raises
    ------
    InputError
        If they don't fit each other, or the format doesn't fit the run's labels.
    """
    ending = path.suffix.lower()
    chosen = typed or ENDINGS.get(ending) or (MASKS if masks else FOLDERS)
    if masks and chosen not in OF_MASKS:
        raise InputError(
            f"this run's labels are masks, which --format={chosen} can't hold: "
            f"--format={MASKS} writes a folder of PNG files, --format={COCO} a .json file"
        )
    if not masks and chosen == MASKS:
        raise InputError(
            f"this run's labels are classes, not masks: --format={FOLDERS} writes a folder a class"
        )
    if typed is None and ending not in ENDINGS and re.fullmatch(FILE_ENDING, ending):
        raise InputError(
            f"{path}: no format writes a file whose name ends in {ending} ({', '.join(ENDINGS)} "
            f"can be written); for a folder of this name say --format={chosen}"
        )
    needed = SUFFIXES.get(chosen)
    if needed and ending != needed:
        raise InputError(f"{path}: --format={chosen} writes a file, whose name ends in {needed}")
    if not needed and ending in ENDINGS:
        raise InputError(f"{path}: --format={chosen} writes a folder, name one without {ending}")
    return chosen


def export(project: Path, run: RunLabels, path: Path, form: str) -> list[str]:
    """Write a run's labels; return sentences that a person should read.

    Parameters
    ----------
    project
        Folder of the project, from which the paths in its settings start.
    path
        Absolute. Nothing that is there is overwritten.
    form
        One of FORMATS; see `choose_format`.

    Raises
    ------
    InputError
        If something is there, a class can have no folder, or a picture is gone.
    """
    if run.table.empty:
        raise InputError(f"run {run.folder.name!r} has no labels yet")
    if run.masks:
        with chdir(project):
            return _export_masks(project, run, path, form)
    if form in (CSV, PARQUET):
        labelled = run.labelled()
        write_labels(path, labelled.labels)
        return [labelled.warning]
    check_new(path)  # before the source is listed, which may take a minute
    with chdir(project):
        source = source_of(project, run)
        return _export_pictures(source, run.labelled(source.classes), path, form)


def source_of(project: Path, run: RunLabels) -> Collection:
    """Return the pictures that a run could ask for, as its source has them now.

    The current folder must be the project's while they are read.
    """
    today = loader(project)["parameters"]["pool"]  # for what older runs don't say
    pool = OmegaConf.to_container(OmegaConf.merge(today, nested(run.settings)["pool"]))
    listing = Listing.model_validate({name: pool[name] for name in Listing.model_fields})
    return collect(listing)["train"]


def _export_pictures(source: Collection, labelled: Labelled, path: Path, form: str) -> list[str]:
    ids = labelled.labels["id"]
    if form == COCO:
        write_coco_classes(path, labelled, sizes(source, ids))
        return [labelled.warning]
    files = _Counted(originals(source, ids))
    if form == HUGGING_FACE:
        write_data_set(path, labelled, files)
        return [labelled.warning]
    renamed = write_class_folders(path, labelled, files, TRAIN if form == YOLO else "")
    words = [*renamed, *files.unread()]
    if form == YOLO:
        words.append("YOLO needs pictures to validate with, too: nothing was held out for that")
    return [*words, labelled.warning]


def _export_masks(project: Path, run: RunLabels, path: Path, form: str) -> list[str]:
    from pt4al.annotation.formats import coco, mask_folder

    rows = run.table[["id", "label"]].itertuples()
    masks = ((row.id, np.asarray(Image.open(io.BytesIO(row.label)))) for row in rows)
    if form == COCO:
        labelled = run.labelled([] if run.people else source_of(project, run).classes)
        coco.write(path, masks, labelled.classes)
    else:
        mask_folder.write(path, masks)
    return []


class _Counted:
    """Files that pass by, and how many of them ImageFolder doesn't read."""

    def __init__(self, files: Iterator[tuple[str, str, bytes]]):
        self._files = files
        self._suffixes: dict[str, int] = {}

    def __iter__(self) -> Iterator[tuple[str, str, bytes]]:
        for image, suffix, content in self._files:
            kind = suffix.lower()
            self._suffixes[kind] = self._suffixes.get(kind, 0) + 1
            yield image, suffix, content

    def unread(self) -> list[str]:
        """Return a sentence for each suffix that ImageFolder doesn't read."""
        return [
            f"{counted(number, 'picture')} end in {suffix}, which torchvision's ImageFolder "
            "leaves out"
            for suffix, number in sorted(self._suffixes.items())
            if suffix not in READ_BY_IMAGE_FOLDER
        ]
