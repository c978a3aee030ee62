"""Source `cifar`: CIFAR-10 and CIFAR-100 in their "python version", without trusting their pickles.

A pickle is a program: it may name any function of any module, and loading it calls that function.
So `_Unpickler` hands out only what arrays are rebuilt with, and refuses every other name before
anything is called.
"""

import codecs
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.sources.labels import unique
from pt4al.images.sources.rows import check_labels, from_files, table

SHAPE = (3, 32, 32)
# numpy moved it between modules: old pickles name the old one.
_REBUILD = np.empty(0).__reduce__()[0]
ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _REBUILD,
    ("numpy._core.multiarray", "_reconstruct"): _REBUILD,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): codecs.encode,
}


@dataclass(frozen=True)
class _Layout:
    folder: str
    files: dict[str, str]  # each file's split
    meta: str
    labels: str
    names: str


LAYOUTS = [
    _Layout(
        "cifar-10-batches-py",
        dict.fromkeys([f"data_batch_{n}" for n in range(1, 6)], "train") | {"test_batch": "test"},
        "batches.meta",
        "labels",
        "label_names",
    ),
    _Layout(
        "cifar-100-python",
        {"train": "train", "test": "test"},
        "meta",
        "fine_labels",
        "fine_label_names",
    ),
]


def recognises(path: str) -> bool:
    """Say whether `path` is, or holds, the folder `cifar-10-batches-py` or `cifar-100-python`."""
    return _find(Path(path)) is not None


def read(path: str) -> Collection:
    """Read all batches of the folder `path`, or of the one in it; CIFAR-100's classes are fine.

    Raises
    ------
    InputError
        If a file is missing, spoilt, or names anything but arrays.

    Source: Krizhevsky 2009 (https://www.cs.toronto.edu/~kriz/cifar.html).
    """
    place = _find(Path(path))
    if place is None:
        names = " nor ".join(layout.folder for layout in LAYOUTS)
        raise InputError(f"{path}: neither is nor holds {names} (`pool.source.path`)")
    folder, layout = place
    classes = unique(_entry(folder / layout.meta, layout.names))
    files = [folder / name for name in layout.files]
    splits = layout.files.values()
    tables = [
        _table(file, split, layout, classes) for file, split in zip(files, splits, strict=True)
    ]
    return from_files(files, tables, classes, _pictures)


def _find(path: Path) -> tuple[Path, _Layout] | None:
    for layout in LAYOUTS:
        for folder in (path, path / layout.folder):
            # By its files: the folder may have been renamed.
            if all((folder / name).is_file() for name in (layout.meta, next(iter(layout.files)))):
                return folder, layout
    return None


def _table(file: Path, split: str, layout: _Layout, classes: list[str]) -> pd.DataFrame:
    batch = _load(file)
    pixels = _pixels(file, batch)
    labels = _entry(file, layout.labels, batch)
    if len(labels) != len(pixels):
        raise InputError(f"{file}: {len(pixels)} pictures but {len(labels)} `{layout.labels}`")
    check_labels(file, labels, len(classes))
    return table(file, split, [classes[label] for label in labels], file.name)


def _pictures(file: Path, rows: np.ndarray) -> Iterator[np.ndarray]:
    pixels = _pixels(file, _load(file))
    for row in rows:
        yield np.ascontiguousarray(pixels[row].reshape(SHAPE).transpose(1, 2, 0))


def _pixels(file: Path, batch: dict) -> np.ndarray:
    pixels = _entry(file, "data", batch)
    size = int(np.prod(SHAPE))
    plain = isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8
    if not plain or pixels.shape[1:] != (size,):
        raise InputError(f"{file}: `data` must be an array of bytes (pictures, {size})")
    return pixels


def _entry(file: Path, name: str, batch: dict | None = None) -> list | np.ndarray:
    batch = _load(file) if batch is None else batch
    if name not in batch:
        raise InputError(f"{file}: has {', '.join(map(str, batch)) or 'nothing'}; needs `{name}`")
    return batch[name]


def _load(file: Path) -> dict:
    try:
        with file.open("rb") as stream:
            # The files were written by Python 2, whose text was bytes: latin1 keeps each byte.
            batch = _Unpickler(stream, encoding="latin1").load()
    except _ForbiddenName as error:
        raise InputError(
            f"{file}: names {error}, which pictures do not need: not run; get CIFAR anew"
        ) from None
    except Exception as error:  # spoilt bytes are another program: it may fail in any way
        raise InputError(f"{file}: cannot be read ({type(error).__name__}: {error})") from error
    if not isinstance(batch, dict):
        raise InputError(f"{file}: holds a {type(batch).__name__}, not the named entries of CIFAR")
    return batch


class _ForbiddenName(Exception):
    pass


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in ALLOWED:
            raise _ForbiddenName(f"{module}.{name}")
        return ALLOWED[module, name]
