"""Source `flat`: a folder of pictures without labels, folders in it included."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

from pt4al.images.collection import Collection, Reading
from pt4al.images.sources import folders
from pt4al.images.sources.left_out import told
from pt4al.images.sources.walk import collect, files, walk

LOOKED_AT = 10_000  # files


def read(path: str, splits: dict[str, str] | None = None) -> Collection:
    """Read every file below `path`; there are no labels and classes, and no splits but those that are given.

    Files whose names end like those of texts, tables and films are left out.

    Parameters
    ----------
    splits
        By folders' paths below `path`; pictures elsewhere are left out then.
    """
    everything = files(path)
    found = [file for file in everything if not folders.is_no_picture(file.path)]
    left = [file.id for file in everything if folders.is_no_picture(file.path)]
    of = [_split(file.path, splits) for file in found] if splits else None
    outside = [file.id for file, split in zip(found, of or [], strict=False) if split is None]
    if of is not None:
        found = [file for file, split in zip(found, of, strict=True) if split is not None]
        of = [split for split in of if split is not None]
    reading = Reading(
        left_out=(
            *told(left, "file that is no picture", "files that are no pictures"),
            *told(outside, "picture in no split", "pictures in no split"),
        )
    )
    return replace(collect(path, found, classes=[], splits=of), reading=reading)


def recognises(path: str) -> bool:
    """Tell whether one of the first files has a picture's name, and the folders in `path` aren't classes."""
    if not Path(path).is_dir() or folders.recognises(path):
        return False
    return any(folders.is_picture(file.path) for file in islice(walk(path), LOOKED_AT))


def _split(path: str, splits: dict[str, str]) -> str | None:
    return next((split for folder, split in splits.items() if path.startswith(f"{folder}/")), None)
