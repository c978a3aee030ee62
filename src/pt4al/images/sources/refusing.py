"""Refuse to take for classes what are splits or parts of a data set by their names."""

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pt4al.errors import InputError
from pt4al.images.sources import folders
from pt4al.images.sources.left_out import summarise
from pt4al.images.sources.parts import MASKS, is_part, numbered_or_split, split_of
from pt4al.images.sources.walk import folders as folders_in
from pt4al.images.sources.walk import text
from pt4al.text import normalised

MASK = r"(?i)[_-](?:mask|gt|seg|segmentation|label|labels)(?:[_-]?\d+)?$"
MOST_PARTS = 20  # of a data set, each with all classes
NAMED = 5  # folders that a message lists
BY_TABLE = (
    "Labels may come by a table (CSV) with columns `path`, `label` and `split`: docs/datasets.md."
)


def refuse_parts(path: str) -> None:
    """Raise InputError if class folders, or folders in them, are splits or parts of a data set."""
    tree = folders.layout(path)
    classes = folders.class_folders(path, tree)
    strange = [name for name in classes if is_part(name) or split_of(name)]
    strange = strange or numbered_or_split(classes)
    here = [Path(path, split, name) for split in tree.splits or [""] for name in classes]
    here = [folder for folder in here if folder.is_dir()]
    if not strange:
        _refuse_inner(here)
        return
    what = "is a name of a split or part" if len(strange) == 1 else "are names of splits or parts"
    raise InputError(
        f"{path}: {_and(strange)} {what} of a data set, not of classes{_kind(classes, here)}. "
        f"{_way_out(path, here, classes)} To take the folders' names as classes all the same: "
        "`pool.source.kind=folders`; all pictures without labels: `pool.source.kind=flat`"
    )


def masks_beside(ids: pd.Series) -> list[str]:
    """Say which pictures are named like a mask of another: `1.png`, `1_mask.png`."""
    stems = ids.str.replace(r"\.\w+$", "", regex=True)
    pictures = stems.str.replace(MASK, "", regex=True)
    masks = ids[(pictures != stems) & pictures.isin(stems)]
    if not len(masks):
        return []
    (named,) = summarise(list(masks), "picture", "pictures")
    return [
        f"{named}, named like masks of others, are in the pool like these: move them away if they "
        "are masks"
    ]


def alike(path: str) -> list[str]:
    """Say that classes may be a floor deeper: `color` and `grayscale` hold folders of one name."""
    tree = folders.layout(path)
    names = folders.class_folders(path, tree)
    if tree.splits or len(names) > MOST_PARTS:
        return []
    inside = [folders_in(Path(path, name)) for name in names]
    if len(inside[0]) < 2 or any(one != inside[0] for one in inside):
        return []
    return [
        f"{_and(names)} hold folders of the same names, {_and(inside[0])}: if these are the "
        f"classes, `pool.source.path={path}/{text(names[0])}` reads those of one"
    ]


def _refuse_inner(classes: list[Path]) -> None:
    """Raise InputError if a class's folder holds splits, or masks: `COVID/images`, `COVID/masks`."""
    for folder in classes:
        inside = folders_in(folder)
        splits = [name for name in inside if split_of(name)]
        masks = [name for name in inside if _is_mask(name)]
        strange = splits if len({split_of(name) for name in splits}) > 1 else masks
        if strange:
            raise InputError(
                f"{folder}: holds {_and(strange)}, and so all of these would be pictures of the "
                f"class `{text(folder.name)}` in the pool. {BY_TABLE} To take them all the same: "
                "`pool.source.kind=folders`"
            )


def _is_mask(name: str) -> bool:
    return normalised(name).casefold() in MASKS


def _kind(classes: list[str], here: list[Path]) -> str:
    """Say which well-known layout folders of these names are, if they are one."""
    names = {normalised(name).casefold() for name in classes}
    if {"jpegimages", "annotations"} <= names:
        return " (the layout of Pascal VOC)"
    if "labels" in names and any(_first(folder, ".txt") for folder in here):
        return " (the layout of YOLO: boxes, of which no class of a whole picture follows)"
    return ""


def _way_out(path: str, here: list[Path], classes: list[str]) -> str:
    pictures = [folder for folder in here if folders.holds_pictures(folder.name)]
    if any(map(_is_mask, classes)):
        return (
            "Pictures with masks are read by a table (CSV) with columns `path` and `mask`: "
            "docs/datasets.md."
        )
    if len(pictures) == 1:
        return f"The pictures alone: `pool.source.path={pictures[0]}`."
    if all(split_of(name) for name in classes):
        return f"Splits need one of the name `train` in {path}."
    return BY_TABLE


def _first(folder: Path, ending: str) -> bool:
    return any(name.endswith(ending) for _, _, names in os.walk(folder) for name in names)


def _and(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(f"`{text(name)}`" for name in names[:NAMED]) + more
