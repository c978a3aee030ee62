"""Sources: a file a layout on disk, each with `read(path) -> Collection` and `recognises(path)`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from pt4al.errors import InputError
from pt4al.images.collection import Collection, Picture, Pictures
from pt4al.images.sources import (
    caltech101,
    cifar,
    cityscapes,
    downloads,
    flat,
    folders,
    idx,
    imagenet,
    imagenet_npz,
    parquet,
    table,
)
from pt4al.images.sources.finding import find, flat_notes, flat_splits
from pt4al.images.sources.refusing import alike, masks_beside

Source = Callable[[str], Collection]

# In the order in which they are tried: special layouts before general ones.
LAYOUTS = {
    "table": table,
    "parquet": parquet,
    "idx": idx,
    "cifar": cifar,
    "imagenet_npz": imagenet_npz,
    "cityscapes": cityscapes,
    "caltech101": caltech101,
    "imagenet": imagenet,
    "folders": folders,
    "flat": flat,
}
NAMES = {  # what each is called in a sentence
    "table": "a table",
    "parquet": "Parquet files",
    "idx": "IDX files",
    "cifar": "CIFAR's batches",
    "imagenet_npz": "reduced ImageNet's files",
    "cityscapes": "Cityscapes",
    "caltech101": "Caltech-101",
    "imagenet": "ImageNet's folders",
    "folders": "class folders",
    "flat": "a folder of pictures",
}
WITH_COLUMNS = {"table", "parquet"}
COLUMNS = sorted({*table.KNOWN, *parquet.KNOWN})  # what a column can be for
LONGEST = 300  # characters of what a library says about a file


def recognise(path: str) -> Collection:
    """Read whatever layout lies at `path`."""
    return read("auto", path)


SOURCES: dict[str, Source] = {
    "auto": recognise,
    **{kind: layout.read for kind, layout in LAYOUTS.items()},
    "download_cifar10": downloads.cifar10,
    "download_cifar100": downloads.cifar100,
    "download_fashion_mnist": downloads.fashion_mnist,
    "download_caltech101": downloads.caltech101,
}


def read(kind: str, path: str, columns: Mapping[str, str] | None = None) -> Collection:
    """Read the source of a kind (a key of `SOURCES`) at `path`.

    All pictures and names come through this function: names get one spelling, the collection says
    how it was read, and whatever a library raises about a damaged file, now or when a picture is
    fetched, becomes an InputError.

    Parameters
    ----------
    columns
        For a table or Parquet files: which column holds the `image`, `label` ...; by default those
        with usual names.
    """
    try:
        collection = _read(kind, path, columns or {})
        collection = collection.spelled()
    except InputError:
        raise
    except Exception as error:
        raise _damaged(path, error) from error
    masks = collection.masks and _guarded(path, collection.masks)
    return replace(collection, pictures=_guarded(path, collection.pictures), masks=masks)


def _read(kind: str, path: str, columns: Mapping[str, str]) -> Collection:
    automatic = kind == "auto"
    place = path
    if automatic:
        kind, place = find(path, LAYOUTS)
    if kind in WITH_COLUMNS:
        collection = LAYOUTS[kind].read(place, columns)
    elif columns:
        raise InputError(
            f"`pool.source.columns` is for tables and Parquet files; {path} is read as {kind}"
        )
    elif kind == "flat" and automatic:
        collection = flat.read(place, flat_splits(place))
    else:
        collection = SOURCES[kind](place)
    notes = collection.reading.notes
    if kind == "flat" and automatic:
        notes = flat_notes(place)
    if kind in ("folders", "flat"):
        notes = [*notes, *masks_beside(collection.index["id"])]
    if kind == "folders" and automatic:
        notes += alike(place)
    reading = replace(
        collection.reading, layout=NAMES.get(kind, kind), place=place, notes=tuple(notes)
    )
    return replace(collection, reading=reading)


def _guarded(path: str, pictures: Pictures) -> Pictures:
    def yielded(rows: np.ndarray) -> Iterator[Picture]:
        try:
            yield from pictures(rows)
        except InputError:
            raise
        except Exception as error:
            raise _damaged(path, error) from error

    return yielded


def _damaged(path: str, error: Exception) -> InputError:
    """Return an InputError for whatever a library has raised about a damaged file."""
    if isinstance(error, OSError) and error.strerror:  # raised by the system
        return InputError(f"{error.filename or path}: can't be read ({error.strerror})")
    message = " ".join(str(error).split())[:LONGEST] or type(error).__name__
    return InputError(
        f"{path}: is damaged, or no such thing as it seems ({message}): "
        "get a whole copy, or mend it"
    )
