"""Sort the losses of a pool in files."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from pt4al.cluster.seam import Cluster, in_shards
from pt4al.errors import InputError, did_you_mean
from pt4al.files.whole import replacing
from pt4al.selection.ranking import ROWS, sort_keys, sorted_rows

PIECE = 2**23  # rows held at once: 64 MB of keys, some 300 MB while they are made
STEP = 2**13  # one key of so many, of each sorted piece, is in the sample that cuts the ranking
SIGNS = {"hardest_first": -1, "easiest_first": 1}  # orders that go by the loss, and keys' signs

Slice = tuple[Path, int, int]  # of a file of sorted keys


@dataclass(frozen=True)
class Run:
    """Sorted keys of one piece: the file they are in, and some of them at even intervals."""

    path: Path
    sample: np.ndarray


def sort_file(losses: Path, path: Path, cluster: Cluster, order: str) -> np.ndarray:
    """Write the row numbers of a pool in the order of its ranking; see `ranking.rank`.

    Parameters
    ----------
    losses
        An `.npy` file of float32 (N,), none of them NaN, in the order of the pool.
    path
        Where to write, an `.npy` file. Sorted pieces lie beside it for the time being, 8 bytes an
        image. Workers on other machines must see the same folder.
    order
        `hardest_first` or `easiest_first`.

    Returns
    -------
    (N,) uint32, memory-mapped; the same rows as those of `rank`.

    Raises
    ------
    InputError
        If the file holds something else, or 2^32 losses.

    Memory: some hundred MB a worker, whatever N and however many losses are equal.

    Source: parallel sorting by regular sampling (Shi, Schaeffer, Journal of Parallel and
    Distributed Computing 14, 1992). Sorted pieces are cut at the same keys, of a regular sample,
    and what lies between two cuts is sorted. Keys hold the row number, so all differ, and no part
    is larger than a piece and a step of each piece.
    """
    if order not in SIGNS:
        raise InputError(
            f"order {order!r} does not go by the loss alone: {did_you_mean(order, SIGNS)}"
        )
    losses = losses.resolve()  # workers stand elsewhere
    images = _check(losses)
    folder = path.resolve().parent
    sort = partial(_sort, losses=losses, folder=folder, sign=SIGNS[order], step=STEP)
    pieces = [[(start, start + PIECE)] for start in range(0, images, PIECE)]
    runs: list[Run] = []
    for _, made in in_shards(sort, pieces, cluster, title="sort"):
        runs += made
    parts = [[part] for part in _parts(runs)]
    with path.open("wb") as file:
        header = {"descr": "<u4", "fortran_order": False, "shape": (images,)}
        np.lib.format.write_array_header_1_0(file, header)
        for _, rows in in_shards(_merge, parts, cluster, title="merge"):
            file.write(rows)
    for run in runs:
        run.path.unlink()
    return np.load(path, mmap_mode="r")


def _check(losses: Path) -> int:
    """Return how many losses there are."""
    held = np.load(losses, mmap_mode="r")
    if held.dtype != np.float32 or held.ndim != 1:
        raise InputError(
            f"{losses} holds {held.dtype} {held.shape}: it must be one column of float32"
        )
    if not 0 < len(held) < ROWS:
        raise InputError(
            f"{losses} holds {len(held)} losses: there must be at least 1, and fewer than {ROWS:,}"
        )
    return len(held)


def _sort(
    prepared: None,
    shard: list[tuple[int, int]],
    losses: Path,
    folder: Path,
    sign: int,
    step: int,
) -> list[Run]:
    """Write sorted keys of each piece of the losses to a file."""
    runs = []
    for start, stop in shard:
        keys = sort_keys(sign * np.load(losses, mmap_mode="r")[start:stop], start)
        keys.sort()
        path = folder / f"{start}.npy"
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.save(file, keys)
        runs.append(Run(path, keys[::step].copy()))
    return runs


def _parts(runs: list[Run]) -> list[list[Slice]]:
    """Return for each part of the ranking, in its order, which keys of which run are in it."""
    sample = np.sort(np.concatenate([run.sample for run in runs]))
    each = max(1, PIECE // STEP)
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
