"""Source `folders`: a folder a class, perhaps in a folder a split."""

import os
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from pt4al.errors import InputError
from pt4al.images.collection import Collection, Reading
from pt4al.images.sources.left_out import summarise
from pt4al.images.sources.parts import PICTURES, split_of
from pt4al.images.sources.walk import File, collect, files, folders, text, visible, walk
from pt4al.text import normalised

# fmt: off
ENDINGS = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp",
    ".tif", ".tiff", ".webp", ".avif", ".jp2", ".ppm", ".pgm", ".pbm", ".pnm",
    # Of kinds that can't be decoded, which is told then.
    ".heic", ".heif", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2",
    ".psd", ".svg", ".jxl", ".dcm", ".exr",
)
# Endings of files that lie among pictures and are none; all others are looked into.
NO_PICTURES = (
    ".txt", ".md", ".rst", ".csv", ".tsv", ".json", ".jsonl",
    ".xml", ".yaml", ".yml", ".toml", ".ini", ".cfg",
    ".htm", ".html", ".pdf", ".doc", ".docx", ".xls", ".xlsx",
    ".ods", ".py", ".ipynb", ".sh", ".log", ".names",
    ".mat", ".npy", ".npz", ".pkl", ".h5", ".parquet", ".arrow",
    ".db", ".sqlite", ".aae", ".xmp", ".lnk", ".url",
    ".zip", ".tar", ".gz", ".bz2", ".xz", ".rar", ".7z",
    ".mp3", ".wav", ".mp4", ".mov", ".avi", ".mkv", ".m4v",
)
# fmt: on


@dataclass(frozen=True)
class Tree:
    """Which folders are splits; without any, the folders at the top are classes.

    Attributes
    ----------
    splits
        The split that each folder, by its path from the top, stands for.
    beside
        Folders at the top that are no splits, or have no labels; or hold all classes once more.
    """

    splits: dict[str, str]
    beside: list[str]


def read(path: str) -> Collection:
    """Read `<path>/<class>/**/file` or `<path>/<split>/<class>/**/file`.

    Folders are splits if one is named like `train`, and it either stands alone or another is named
    like a split. Classes are the folders' names, sorted. What stands beside class folders is left
    out, and so are files whose names end like those of texts, tables and films.

    Raises
    ------
    InputError
        If there are no class folders.
    """
    tree = layout(path)
    classes = class_folders(path, tree)
    if not classes:
        raise InputError(
            f"{path}: holds no class folders; "
            "`pool.source.kind: flat` reads a folder of pictures without labels"
        )
    beside_classes = set(map(text, tree.beside))
    places = {f"{folder}/": split for folder, split in tree.splits.items()} or {"": None}
    taken = []
    splits = []
    labels = []
    left = []
    for file in files(path):
        place = next((place for place in places if file.path.startswith(place)), None)
        below = "" if place is None else text(file.path.removeprefix(place))
        copied = not tree.splits and below.split("/", 1)[0] in beside_classes
        if "/" in below and not copied and not is_no_picture(file.path):
            taken.append(file)
            splits.append(places[place])
            labels.append(below.split("/", 1)[0])
        else:
            left.append(file)
    filled = {normalised(label) for label in labels}
    kept = [
        name
        for name in classes
        if normalised(text(name)) in filled or not _holds_files(path, tree, name)
    ]
    collection = collect(
        path,
        taken,
        [text(name) for name in kept],
        splits=splits if tree.splits else None,
        labels=labels,
    )
    empty = [name for name in map(text, classes) if normalised(name) not in filled]
    return replace(collection, reading=_reading(left, tree, empty))


def recognises(path: str) -> bool:
    """Tell whether there are two class folders or more, pictures in them, and fewer beside them."""
    if not Path(path).is_dir():
        return False
    classes = class_folders(path, layout(path))
    if len(classes) < 2 or len(beside(path)) >= len(classes):
        return False
    return any("/" in file.path and not is_no_picture(file.path) for file in walk(path))


def layout(path: str | Path) -> Tree:
    """Find out which folders below `path` are splits."""
    named = {name: split_of(name) for name in folders(path)}
    occurring = {split for split in named.values() if split}
    if "train" not in occurring or (None in named.values() and len(occurring) == 1):
        return Tree({}, _copies(Path(path), list(named)))
    splits = {name: split for name, split in named.items() if split not in (None, "unlabeled")}
    beside = [name for name in named if name not in splits]
    return Tree({_inner(Path(path), name): split for name, split in splits.items()}, beside)


def beside(path: str | Path) -> list[str]:
    """Return the names of the pictures that lie in the folder itself."""
    names = os.listdir(path)  # noqa: PTH208 there may be a million
    return sorted(name for name in names if visible(name) and is_picture(name))


def _copies(root: Path, names: list[str]) -> list[str]:
    """Return the folders that hold all the others again: `cell_images/cell_images`."""
    if len(names) < 3:
        return []
    return [
        name
        for name in names
        if all((root / name / other).is_dir() for other in names if other != name)
    ]


def is_picture(name: str) -> bool:
    """Tell by its name whether a file is a picture."""
    return name.lower().endswith(ENDINGS)


def is_no_picture(name: str) -> bool:
    """Tell by its name whether a file is something else than a picture."""
    return name.lower().endswith(NO_PICTURES)


def _inner(root: Path, name: str) -> str:
    """Descend while a split's folder holds but one folder, of the same split or of pictures."""
    while True:
        inside = folders(root / name)
        if len(inside) != 1 or beside(root / name):
            return name
        same_split = split_of(inside[0]) == split_of(name.split("/")[0])
        if not same_split and not holds_pictures(inside[0]):
            return name
        name = f"{name}/{inside[0]}"


def holds_pictures(name: str) -> bool:
    """Tell by its name whether a folder is that of a data set's pictures: images, JPEGImages."""
    return normalised(name).casefold() in PICTURES


def class_folders(path: str, tree: Tree) -> list[str]:
    """Return the names of the folders that are classes, of all splits, sorted."""
    if not tree.splits:
        return [name for name in folders(path) if name not in tree.beside]
    return sorted({name for split in tree.splits for name in folders(Path(path, split))})


def _holds_files(path: str, tree: Tree, name: str) -> bool:
    """Tell whether a class's folder holds any file; an empty one may be there to name a class."""
    places = [Path(path, split, name) for split in tree.splits or [""]]
    return any(files(place) for place in places if place.is_dir())


def _reading(left: list[File], tree: Tree, empty: list[str]) -> Reading:
    """Say what was left out: files, pictures in no class folder, whole folders, empty classes."""
    whole = Counter()
    stray = []
    others = []
    for file in left:
        if file.path.split("/", 1)[0] in tree.beside:
            whole[file.id.split("/", 1)[0]] += 1
        elif is_picture(file.id) and not is_no_picture(file.id):
            stray.append(file.id)
        else:
            others.append(file.id)
    where = "no class folder of its split" if tree.splits else "no class folder"
    left_out = [
        *summarise(stray, f"picture in {where}", f"pictures in {where}"),
        *summarise(others, "file that is no picture", "files that are no pictures"),
        *[
            f"{number:,} {'file' if number == 1 else 'files'} in {name}/"
            for name, number in whole.items()
        ],
        *summarise(empty, "class folder without pictures", "class folders without pictures"),
    ]
    return Reading(left_out=tuple(left_out))
