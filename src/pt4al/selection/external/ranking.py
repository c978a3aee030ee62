"""Rank and split a pool whose losses lie in files."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pt4al.cluster.seam import Cluster, in_shards
from pt4al.errors import InputError, did_you_mean
from pt4al.files.whole import replacing
from pt4al.selection.external import pieces
from pt4al.selection.ranking import BATCHES, batches_between, check_batches, dropped, sorted_rows

STEP = 2**13  # one key of so many, of each sorted piece, is in the sample that cuts the ranking
ORDERS = ["easiest_first", "hardest_first"]  # those that go by the loss

Slice = tuple[Path, int, int]  # of a file of sorted keys


@dataclass(frozen=True)
class Run:
    """Sorted keys of one piece: the file they are in, and some of them at even intervals."""

    path: Path
    sample: np.ndarray


def rank_files(
    files: list[Path], path: Path, cluster: Cluster, order: str = "hardest_first"
) -> np.ndarray:
    """Write the row numbers of a pool in the order of its ranking; see `ranking.rank`.

    Parameters
    ----------
    files
        Losses of the pool in its order: `.npy` files of float32 (n,), one after another.
    path
        Where to write, an `.npy` file that appears whole. Twice the bytes of the losses lie beside
        it for the time being. Workers on other machines must see the same folders.
    order
        `hardest_first` or `easiest_first`.

    Returns
    -------
    (N,) uint32, memory-mapped; the same rows as those of `rank`.

    Raises
    ------
    InputError
        If a loss is not a number, named with its row and its file.

    Memory: some hundred MB a worker, whatever N and however many losses are equal.

    Source: parallel sorting by regular sampling (Shi, Schaeffer, Journal of Parallel and
    Distributed Computing 14, 1992). Sorted pieces are cut at the same keys, of a regular sample,
    and what lies between two cuts is sorted. Keys hold the row number, so all differ, and no part
    is larger than a piece and a step of each piece.
    """
    if order not in ORDERS:
        raise InputError(
            f"order {order!r} does not go by the loss alone: {did_you_mean(order, ORDERS)}"
        )
    every = pieces.cut(files)
    images = every[-1].first + len(every[-1])
    with _sorting(path) as folder:
        sort = partial(_sort, folder=folder, highest_first=order == "hardest_first", step=STEP)
        runs: list[Run] = []
        for _, made in in_shards(sort, [[piece] for piece in every], cluster, title="sort"):
            runs += made
        parts = [[part] for part in _parts(runs)]
        with _growing(path, "<u4", images) as file:
            for _, rows in in_shards(_merge, parts, cluster, title="merge"):
                file.write(rows)
    return np.load(path, mmap_mode="r")


def split_file(
    path: Path,
    images: int,
    batches: int,
    kind: str = "consecutive",
    drop: float = 0.0,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Write the batch of each place in the ranking of so many images; see `ranking.split`.

    Returns
    -------
    (images,) int32, memory-mapped; -1 for images in no batch. The file appears whole at `path`.
    """
    check_batches(images, batches, drop)
    batch_of = BATCHES[kind](images - 2 * dropped(images, drop), batches, rng)
    with _growing(path, "<i4", images) as file:
        for start in range(0, images, pieces.PIECE):
            stop = min(start + pieces.PIECE, images)
            file.write(batches_between(start, stop, images, drop, batch_of).astype("<i4"))
    return np.load(path, mmap_mode="r")


def _sort(
    prepared: None, shard: list[pieces.Piece], folder: Path, highest_first: bool, step: int
) -> list[Run]:
    """Write sorted keys of each piece to a file."""
    runs = []
    for piece in shard:
        keys = pieces.keys_of(piece, highest_first)
        keys.sort()
        path = folder / f"{piece.first}.npy"
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.save(file, keys)
        runs.append(Run(path, keys[::step].copy()))
    return runs


def _parts(runs: list[Run]) -> list[list[Slice]]:
    """Return for each part of the ranking, in its order, which keys of which run are in it."""
    sample = np.sort(np.concatenate([run.sample for run in runs]))
    each = max(1, pieces.PIECE // STEP)
    cuts = sample[each::each]
    bounds = []
    for run in runs:
        keys = np.load(run.path, mmap_mode="r")
        bounds.append([0, *np.searchsorted(keys, cuts).tolist(), len(keys)])
    return [
        [(run.path, bound[at], bound[at + 1]) for run, bound in zip(runs, bounds, strict=True)]
        for at in range(len(cuts) + 1)
    ]


def _merge(prepared: None, shard: list[list[Slice]]) -> np.ndarray:
    """Return the row numbers of some parts in the order of the ranking, uint32."""
    rows = []
    for part in shard:
        slices = [np.load(path, mmap_mode="r")[start:stop] for path, start, stop in part]
        keys = np.concatenate(slices)
        keys.sort()
        rows.append(sorted_rows(keys))
    return np.concatenate(rows)


@contextmanager
def _sorting(path: Path) -> Iterator[Path]:
    """Make an empty folder beside a file, and remove it; one that a killed process left as well."""
    folder = path.resolve().with_name(f".{path.name}.sorting")  # workers stand elsewhere
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def _growing(path: Path, dtype: str, length: int) -> Iterator[BinaryIO]:
    """Open an `.npy` file of so many numbers, to which they are added; it appears whole."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        header = {"descr": dtype, "fortran_order": False, "shape": (length,)}
        np.lib.format.write_array_header_1_0(file, header)
        yield file
