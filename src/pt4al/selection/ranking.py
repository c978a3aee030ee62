"""Rank a pool by pretext loss and split the ranking into batches."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from pt4al.errors import InputError, counted

ROWS = 2**32  # row numbers that fit into half of a sort key


def sort_keys(losses: np.ndarray, first: int = 0) -> np.ndarray:
    """Return integers that sort as float32 losses do, equal ones in the order of their rows.

    Parameters
    ----------
    losses
        (N,) float32, none of them NaN.
    first
        The row number of the first; all row numbers are below 2^32.

    Returns
    -------
    (N,) uint64, all different: the loss in the upper 32 bits, the row number in the lower ones.
    """
    bits = (losses + np.float32(0)).view(np.uint32)  # + 0: there is one zero
    ordered = np.where(bits >> 31, ~bits, bits | 0x80000000)
    keys = ordered.astype(np.uint64) << 32
    keys |= np.arange(first, first + len(losses), dtype=np.uint64)
    return keys


def sorted_rows(keys: np.ndarray) -> np.ndarray:
    """Return the row numbers of `sort_keys`, (N,) uint32."""
    return keys.astype(np.uint32)  # which keeps the lower half


def _stable_argsort(losses: np.ndarray) -> np.ndarray:
    """Return what `np.argsort(losses, kind="stable")` does, for float32 in half the time.

    Equal losses keep pool order, so a ranking can be rebuilt to the byte.
    """
    if losses.dtype != np.float32 or len(losses) >= ROWS:
        return np.argsort(losses, kind="stable")
    keys = sort_keys(losses)
    keys.sort()
    return sorted_rows(keys).astype(np.int64)


def held(images: int, share: float) -> int:
    """Return how many images of a pool a share of it is: at least one."""
    return max(1, round(share * images))


def draw(images: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return the row numbers of a random share of a pool, in pool order; all for a share of 1.

    Runs that differ in their seed alone then differ in what they may ask for, even where their
    strategy has no chance in it.
    """
    if share == 1:
        return np.arange(images)
    return np.sort(rng.choice(images, held(images, share), replace=False))


# Each takes losses (N,) and a generator, and returns row numbers, first in the ranking first.
ORDERS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "hardest_first": lambda losses, rng: _stable_argsort(-losses),
    "easiest_first": lambda losses, rng: _stable_argsort(losses),
    # The code released by PT4AL's authors sorts the losses as text: 9.8e-05 comes before 4.41.
    "released": lambda losses, rng: np.array(
        sorted(range(len(losses)), key=lambda row: str(float(losses[row])), reverse=True), np.int64
    ),
    "random": lambda losses, rng: rng.permutation(len(losses)),
}


def rank(
    ids: pd.Series,
    losses: np.ndarray,
    order: str = "hardest_first",
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Sort a pool by pretext loss.

    Parameters
    ----------
    ids, losses
        One for each image, in pool order.
    order
        One of ORDERS.
    rng
        Needed by order `random` alone.

    Returns
    -------
    One row an image, first in the ranking first: `id`, `pretext_loss`, `rank` from 0.

    Raises
    ------
    InputError
        If a loss is not a number, named with its id.

    Source: PT4AL, section 3.2.
    """
    ids = pd.Series(ids, dtype="str")
    losses = np.asarray(losses)
    if losses.dtype != np.float32:
        losses = losses.astype(np.float64)
    check_numbers(ids, losses)
    rows = ORDERS[order](losses, rng)
    return pd.DataFrame(
        {
            "id": ids.array.take(rows),
            "pretext_loss": losses[rows],
            "rank": np.arange(len(rows)),
        }
    )


def check_numbers(ids: pd.Series, losses: np.ndarray) -> None:
    """Raise InputError, which names its id, if a loss is not a number."""
    missing = np.isnan(losses)
    if missing.any():
        raise InputError(
            f"the pretext loss of id {ids.iloc[int(missing.argmax())]!r} is not a number"
        )


Places = Callable[[np.ndarray], np.ndarray]  # of a ranking to their batches


def _shuffled(images: int, batches: int, rng: np.random.Generator) -> Places:
    numbers = rng.permutation(batches)
    return lambda places: numbers[places * batches // images]


# Each takes how many images and how many batches, and returns a function of places in the ranking,
# which returns the batch of each. Sizes differ by at most one.
BATCHES: dict[str, Callable[[int, int, np.random.Generator], Places]] = {
    "consecutive": lambda images, batches, rng: lambda places: places * batches // images,
    "shuffled": _shuffled,
    "interleaved": lambda images, batches, rng: lambda places: places % batches,
}


def split(
    ranking: pd.DataFrame,
    batches: int,
    kind: str = "consecutive",
    drop: float = 0.0,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Cut a ranking into equal batches.

    Parameters
    ----------
    ranking
        One row an image, as `rank` returns it.
    batches
        How many; their sizes differ by at most one.
    kind
        One of BATCHES: `consecutive`, PT4AL's; `shuffled`, the same in random order; `interleaved`,
        the rank modulo `batches`, so that each holds hard and easy images alike.
    drop
        Share of the ranking at either end that no batch holds.
    rng
        Needed by kind `shuffled` alone.

    Returns
    -------
    The ranking with a column `batch`, from 0; -1 for images in no batch.

    Raises
    ------
    InputError
        If there are more batches than images for them.

    Source: PT4AL, section 3.2.
    """
    images = len(ranking)
    return ranking.assign(batch=batches_of(images, batches, kind, drop, rng)(0, images))


def batches_of(
    images: int,
    batches: int,
    kind: str = "consecutive",
    drop: float = 0.0,
    rng: np.random.Generator | None = None,
) -> Callable[[int, int], np.ndarray]:
    """Return a function that gives the batch of each place of a ranking from one to another, int64.

    See `split`, which is of the whole ranking at once.
    """
    check_batches(images, batches, drop)
    end = dropped(images, drop)
    batch_of = BATCHES[kind](images - 2 * end, batches, rng)

    def between(start: int, stop: int) -> np.ndarray:
        first, last = np.clip([end, images - end], start, stop)
        batch = np.full(stop - start, -1)
        batch[first - start : last - start] = batch_of(np.arange(first - end, last - end))
        return batch

    return between


def dropped(images: int, drop: float) -> int:
    """Return how many images at either end of a ranking are in no batch."""
    return int(images * drop)


def check_batches(images: int, batches: int, drop: float = 0.0) -> int:
    """Return the size of a ranking's smallest batch; InputError if it would be empty."""
    kept = images - 2 * dropped(images, drop)
    if batches > kept:
        less = f" less {images - kept} by `ranking.drop` {drop:g}" if drop else ""
        raise InputError(
            f"`cycles.number` {batches} exceeds the pool, which holds "
            f"{counted(images, 'image')}{less}"
        )
    return kept // batches
