"""Source `folders`: a folder a class, perhaps in a folder a split."""

import os
from pathlib import Path

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.sources.walk import collect, files, folders, text, visible

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".avif", ".jp2", ".ppm")


def read(path: str) -> Collection:
    """Read `<path>/<class>/**/file` or `<path>/<split>/<class>/**/file`.

    Folders are splits if all of them have names of splits (`SPLITS`), one of them of `train`'s. Classes are
    the folders' names, sorted. Files that stand beside class folders are left out.

    Raises
    ------
    InputError
        If there are no class folders.
    """
    splits = _splits(path)
    classes = _classes(path, splits)
    if not classes:
        raise InputError(
            f"{path}: holds no class folders; `pool.source.kind: flat` reads a folder of pictures without labels"
        )
    depth = 1 if splits else 0
    found = [file for file in files(path) if file.id.count("/") > depth]
    return collect(
        path,
        found,
        [text(name) for name in classes],
        splits=[splits[file.path.split("/", 1)[0]] for file in found] if splits else None,
        labels=[file.id.split("/", depth + 1)[depth] for file in found],
    )


def recognises(path: str) -> bool:
    """Tell whether there are two class folders or more, and no pictures beside them."""
    if not Path(path).is_dir():
        return False
    splits = _splits(path)
    return len(_classes(path, splits)) > 1 and not any(map(is_picture, _visible(path)))


def is_picture(name: str) -> bool:
    """Tell whether a file's name is one of a picture; what it holds is not looked at."""
    return name.lower().endswith(ENDINGS)


def _visible(path: str) -> list[str]:
    return [name for name in os.listdir(path) if visible(name)]  # noqa: PTH208 names, of a million files


def _splits(path: str) -> dict[str, str]:
    """The split that each folder at the top stands for; empty if they are class folders."""
    splits = {name: SPLITS.get(name.casefold()) for name in folders(path)}
    return splits if "train" in splits.values() and None not in splits.values() else {}


def _classes(path: str, splits: dict[str, str]) -> list[str]:
    return sorted({name for split in splits or [""] for name in folders(Path(path, split))})
