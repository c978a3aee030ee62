"""Walk a folder of pictures: every visible file is taken, whatever its name."""

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.sources.stamps import stamp

# What operating systems and network drives leave among a person's files, in lower case.
SYSTEM = {
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "icon\r",
    "__macosx",
    "@eadir",
    "$recycle.bin",
    "lost+found",
}

MOST_WAYS = 100  # to a folder, by links
LARGEST = 2**31  # bytes of a picture's file


class File(NamedTuple):
    """A file below a root: its path as the system spells it, the same as text, and its stamp."""

    path: str
    id: str
    stamp: str


def files(root: str | Path) -> list[File]:
    """Return the visible files below `root`, sorted by id.

    Links are followed, but never in a circle. A broken link is taken too, with an empty stamp: a
    missing picture must not go unnoticed.

    Raises
    ------
    InputError
        If `root`, or a folder below it, cannot be listed.
    """
    return sorted(walk(root), key=attrgetter("id"))


def walk(root: str | Path) -> Iterator[File]:
    """Yield what `files` returns, in no certain order."""
    root = os.fspath(root)
    entries = _entries(root)
    here = Path(root).stat()
    yield from _below(entries, "", frozenset([(here.st_dev, here.st_ino)]), Counter())


def folders(root: str | Path) -> list[str]:
    """Return the names of the visible folders in `root`, sorted, as the system spells them."""
    return sorted(entry.name for entry in _entries(os.fspath(root)) if _is_folder(_status(entry)))


def visible(name: str) -> bool:
    """Tell whether a file or folder is a person's own, by its name."""
    return not name.startswith(".") and name.casefold() not in SYSTEM


def text(path: str) -> str:
    """Return a path as text that can be stored: bytes that aren't UTF-8 become `\\xff`."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


def content(path: Path) -> bytes:
    """Return a picture's file; OSError for what would never end, or is too large to be one."""
    with path.open("rb") as opened:  # a folder is refused here
        facts = os.fstat(opened.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        if facts.st_size > LARGEST:
            raise OSError(errno.EFBIG, f"{facts.st_size / 1e9:,.1f} GB are no picture", str(path))
        return opened.read()


def collect(
    root: str | Path,
    taken: list[File],
    classes: list[str],
    splits: Sequence[str | None] | None = None,
    labels: Sequence[str | None] | None = None,
) -> Collection:
    """Make a collection of files below `root`; `splits` and `labels` have one entry a file."""
    folder = Path(root)
    paths = [file.path for file in taken]
    where = text(str(folder))
    columns = {
        "id": [file.id for file in taken],
        "source": [f"{where}/{file.id}" for file in taken],
        "split": [None] * len(taken) if splits is None else splits,
        "label": [None] * len(taken) if labels is None else labels,
        "stamp": [file.stamp for file in taken],
    }
    index = pd.DataFrame(columns, dtype="str")
    return Collection(
        index, classes, lambda rows: (partial(content, folder / paths[row]) for row in rows)
    )


def _below(
    entries: list[os.DirEntry],
    prefix: str,
    above: frozenset[tuple[int, int]],
    ways: Counter[tuple[int, int]],
) -> Iterator[File]:
    """Yield the files below a folder.

    `above` are the folders it lies in, and itself; `ways` counts how often each was entered.
    """
    for entry in entries:
        status = _status(entry)
        path = prefix + entry.name
        if _is_folder(status):
            here = (status.st_dev, status.st_ino)
            if here not in above:
                _count(entry.path, here, ways)
                yield from _below(_entries(entry.path), f"{path}/", above | {here}, ways)
        # Reading a pipe would never end.
        elif status is None or stat.S_ISREG(status.st_mode):
            yield File(path, text(path), stamp(status) if status else "")


def _count(folder: str, here: tuple[int, int], ways: Counter[tuple[int, int]]) -> None:
    """Count a way to a folder: links from ten folders to each other are millions of ways."""
    ways[here] += 1
    if ways[here] > MOST_WAYS:
        raise InputError(
            f"{text(folder)}: more than {MOST_WAYS} ways lead to this folder, by links, and each "
            "would bring its pictures again: remove links"
        )


def _entries(folder: str) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if visible(entry.name)]
    except OSError as error:
        raise InputError(
            f"{text(folder)}: cannot be listed ({error.strerror}); a folder is needed"
        ) from error


def _status(entry: os.DirEntry) -> os.stat_result | None:
    try:
        return entry.stat()
    except OSError:
        return None


def _is_folder(status: os.stat_result | None) -> bool:
    return status is not None and stat.S_ISDIR(status.st_mode)
