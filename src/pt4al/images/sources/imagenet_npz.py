"""Source `imagenet_npz`: ImageNet at 64, 32 or 16 pixels, read row by row from large files."""

import pickle
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import isqrt
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.sources.rows import from_files, stream_rows, table
from pt4al.images.sources.synsets import unique_names

NAMES = "map_clsloc.txt"
CLASSES = 1000
SPOILT = (
    MemoryError,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    zipfile.BadZipFile,
    zlib.error,
    pickle.UnpicklingError,
)


def recognises(path: str) -> bool:
    """Say whether `path` holds files such as train_data_batch_1.npz."""
    return bool(_files(Path(path)).get("train"))


def read(path: str) -> Collection:
    """Read `train_data_batch_<n>.npz` and, if there, `val_data.npz`.

    They hold `data` (N, 3 side²) uint8, and `labels` from 1. Lines such as `n02119789 1 kit_fox`
    in `map_clsloc.txt` name the labels' numbers; else classes are "1" to "1000".

    Raises
    ------
    InputError
        If there is no training file, or one is spoilt, compressed arrays of objects included.

    Source: Chrabaszcz, Loshchilov, Hutter 2017 (https://arxiv.org/abs/1707.08819).
    """
    by_split = _files(Path(path))
    if not by_split["train"]:
        raise InputError(f"{path}: holds no train_data_batch_1.npz (`pool.source.path`)")
    classes = _classes(Path(path) / NAMES)
    files = by_split["train"] + by_split["val"]
    tables = [_table(file, split, classes) for split, part in by_split.items() for file in part]
    return from_files(files, tables, classes, _pictures)


def _files(folder: Path) -> dict[str, list[Path]]:
    train = sorted(
        folder.glob("train_data_batch_*.npz"), key=lambda file: (len(file.name), file.name)
    )
    return {"train": train, "val": [file for file in [folder / "val_data.npz"] if file.exists()]}


def _classes(file: Path) -> list[str]:
    if not file.exists():
        return [str(number) for number in range(1, CLASSES + 1)]
    lines = [
        re.fullmatch(r"(n\d{8}) (\d+) (.+)", line.strip())
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    order = sorted((int(line[2]), line[1], line[3].replace("_", " ")) for line in lines if line)
    if not order or [number for number, *_ in order] != list(range(1, len(order) + 1)):
        raise InputError(
            f"{file}: needs lines such as 'n02119789 1 kit_fox', "
            "with the numbers 1, 2, 3 ... once each"
        )
    return list(unique_names({wnid: name for _, wnid, name in order}).values())


def _table(file: Path, split: str, classes: list[str]) -> pd.DataFrame:
    with _opened(file) as (_, (count, *_)), np.load(file, allow_pickle=False) as arrays:
        labels = arrays["labels"]
    if labels.shape != (count,):
        raise InputError(f"{file}: {count} pictures, but `labels` has the shape {labels.shape}")
    strange = (labels < 1) | (labels > len(classes))
    if strange.any():
        row = int(np.argmax(strange))
        raise InputError(
            f"{file}: row {row} has label {labels[row]}; labels go from 1 to {len(classes)}"
        )
    return table(file, split, np.array(classes)[labels - 1], file.stem, digits=6)


def _pictures(file: Path, rows: np.ndarray) -> Iterator[np.ndarray]:
    with _opened(file) as (stream, (_, size)):
        side = isqrt(size // 3)
        for planes in stream_rows(stream, rows, (3, side, side)):
            yield np.ascontiguousarray(planes.transpose(1, 2, 0))


@contextmanager
def _opened(file: Path) -> Iterator[tuple[IO[bytes], tuple[int, int]]]:
    """Open the member `data`, standing at its first row, with its shape."""
    try:
        with zipfile.ZipFile(file) as archive, archive.open("data.npy") as stream:
            yield stream, _shape(file, stream)
    except InputError:
        raise
    except SPOILT as error:
        raise InputError(f"{file}: cannot be read ({error})") from error


def _shape(file: Path, stream: IO[bytes]) -> tuple[int, int]:
    if np.lib.format.read_magic(stream) == (1, 0):
        header = np.lib.format.read_array_header_1_0(stream)
    else:
        header = np.lib.format.read_array_header_2_0(stream)
    shape, columns_first, kind = header
    square = len(shape) == 2 and shape[1] > 0 and shape[1] == 3 * isqrt(shape[1] // 3) ** 2
    if columns_first or kind != np.uint8 or not square:
        raise InputError(
            f"{file}: `data` is {kind} {shape}; needs bytes (pictures, 3 x side x side), row by row"
        )
    return shape
