"""Source `flat`: a folder of pictures without labels, folders in it included."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

from pt4al.images.collection import Collection, Reading
from pt4al.images.sources import folders
from pt4al.images.sources.left_out import summarise
from pt4al.images.sources.walk import collect, files, walk

LOOKED_AT = 10_000  # files


def read(path: str, splits: dict[str, str] | None = None) -> Collection:
    """Read every file below `path`, without labels and classes, and with the given splits alone.

    Files whose names end like those of texts, tables and films are left out.

    Parameters
    ----------
    splits
        By folders' paths below `path`; pictures elsewhere are left out.
    """
    taken = []
    others = []
    for file in files(path):
        (others if folders.is_no_picture(file.path) else taken).append(file)
    left_out = summarise(
        [file.id for file in others], "file that is no picture", "files that are no pictures"
    )
    names = None
    if splits:
        outside = [file.id for file in taken if _split(file.path, splits) is None]
        left_out += summarise(outside, "picture in no split", "pictures in no split")
        taken = [file for file in taken if _split(file.path, splits) is not None]
        names = [_split(file.path, splits) for file in taken]
    collection = collect(path, taken, classes=[], splits=names)
    return replace(collection, reading=Reading(left_out=tuple(left_out)))


def recognises(path: str) -> bool:
    """Tell whether one of the first files is named like a picture, and no folders are classes."""
    if not Path(path).is_dir() or folders.recognises(path):
        return False
    return any(folders.is_picture(file.path) for file in islice(walk(path), LOOKED_AT))


def _split(path: str, splits: dict[str, str]) -> str | None:
    return next((split for folder, split in splits.items() if path.startswith(f"{folder}/")), None)
