"""Source `caltech101`: Caltech-101 in its own layout, unpacked or in its tar."""

import tarfile
from functools import partial
from pathlib import Path, PurePosixPath

import pandas as pd

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.sources.stamps import stamp
from pt4al.images.sources.walk import collect, files, folders, text, visible

NAME = "101_ObjectCategories"
BACKGROUND = "BACKGROUND_Google"  # no category: pictures that hold none of the others


def read(path: str) -> Collection:
    """Read the 101 categories, without the background.

    Parameters
    ----------
    path
        The folder `101_ObjectCategories`, its tar, or a folder that holds one of them. A tar's
        pictures are read from where they lie in it; nothing is unpacked.

    Raises
    ------
    InputError
        If there is neither, or the tar is compressed or broken.

    Source: Fei-Fei, Fergus, Perona 2004 (https://data.caltech.edu/records/mzrjq-6wc02).
    """
    root = _root(Path(path))
    if root is None:
        raise InputError(f"{path}: holds neither a folder `{NAME}` nor `{NAME}.tar`")
    if root.is_file():
        return _archived(root)
    classes = [text(name) for name in folders(root) if name != BACKGROUND]
    pictures = [
        file for file in files(root) if "/" in file.id and not file.id.startswith(f"{BACKGROUND}/")
    ]
    labels = [file.id.split("/", 1)[0] for file in pictures]
    return collect(root, pictures, classes, labels=labels)


def recognises(path: str) -> bool:
    """Tell whether Caltech-101 lies at `path`, unpacked or not."""
    return _root(Path(path)) is not None


def _root(path: Path) -> Path | None:
    """Find the folder of the categories, or the tar."""
    for folder in (path, path / NAME):
        if (folder.name == NAME and folder.is_dir()) or (folder / BACKGROUND).is_dir():
            return folder
    for tar in (path, path / f"{NAME}.tar", path / f"{NAME}.tar.gz"):
        if tar.name.startswith(NAME) and tar.is_file():
            return tar
    return None


def _archived(tar: Path) -> Collection:
    if tar.suffix != ".tar":
        raise InputError(
            f"{tar}: is compressed, so that pictures cannot be read one by one: unpack it (tar -xf)"
        )
    members = _members(tar)
    ids = sorted(members)
    index = pd.DataFrame(
        {
            "id": ids,
            "source": text(str(tar)),
            "split": None,
            "label": [row.split("/", 1)[0] for row in ids],
            # A member's own time has seconds, and none at all in many tars.
            "stamp": stamp(tar.stat()),
        },
        dtype="str",
    )
    places = [members[row] for row in ids]
    return Collection(
        index,
        sorted(set(index["label"])),
        lambda rows: (partial(_member, tar, *places[row]) for row in rows),
    )


def _members(tar: Path) -> dict[str, tuple[int, int]]:
    """Return where each picture lies in the tar, by id: first byte and number of bytes."""
    members = {}
    try:
        with tarfile.open(tar, "r:") as archive:
            for member in archive:
                parts = PurePosixPath(member.name).parts
                below = parts[parts.index(NAME) + 1 :] if NAME in parts else ()
                if len(below) < 2 or below[0] == BACKGROUND:
                    continue
                if member.isreg() and all(map(visible, below)):
                    members[text("/".join(below))] = (member.offset_data, member.size)
    except (tarfile.TarError, OSError) as error:
        raise InputError(f"{tar}: not a whole tar ({error})") from error
    if not members:
        raise InputError(f"{tar}: holds no pictures in class folders of `{NAME}`")
    return members


def _member(tar: Path, first: int, size: int) -> bytes:
    with tar.open("rb") as file:
        file.seek(first)
        content = file.read(size)
    if len(content) < size:
        raise OSError(f"{tar}: ends within a picture")
    return content
