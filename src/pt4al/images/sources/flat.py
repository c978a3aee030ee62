"""Source `flat`: a folder of pictures without labels, folders in it included."""

from itertools import islice
from pathlib import Path

from pt4al.images.collection import Collection
from pt4al.images.sources import folders
from pt4al.images.sources.walk import collect, files, walk

LOOKED_AT = 100  # files


def read(path: str) -> Collection:
    """Read every file below `path`; there are no labels, classes and splits."""
    return collect(path, files(path), classes=[])


def recognises(path: str) -> bool:
    """Tell whether one of the first files has a picture's name, and the folders in `path` aren't classes."""
    if not Path(path).is_dir() or folders.recognises(path):
        return False
    return any(folders.is_picture(file.path) for file in islice(walk(path), LOOKED_AT))
