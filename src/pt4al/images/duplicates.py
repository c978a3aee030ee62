"""Find pictures that a pool has more than once."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

# Of a picture's own standard deviation: how far apart near pictures may be, but for brightness.
CONTRAST = 0.25
MARGIN = 2.0  # grey levels: in plain areas compression alone decides which of two is brighter
NEIGHBOURS = 64  # pictures that one is compared with in one band
BYTES = 2**23  # of images that are compared at once


def perceptual_hash(images: np.ndarray) -> np.ndarray:
    """Return a number for each image that changes little when the image does: uint64 (N,).

    Each bit says whether one of 8 x 9 areas is brighter, by 2 grey levels, than the area to its
    left.

    Parameters
    ----------
    images
        uint8 (N, C, H, W).

    Source: Krawetz, "Kind of Like That" (dHash), 2013; the 2 grey levels are ours.
    """
    return np.concatenate([np.empty(0, np.uint64), *map(_hashed, _portions(images))])


def find(
    index: pd.DataFrame,
    pixels: Callable[[np.ndarray], np.ndarray],
    distance: int = 3,
    difference: float = 6.0,
) -> pd.DataFrame:
    """Return the repeated pictures of a pool.

    Exact: pixels are equal; each repeated picture is listed once, beside the first of its group.
    Near: every pair, of pictures that are no exact repetitions, whose hashes and pixels differ
    little: a photo saved again as JPEG, or a little brighter; not one that is shifted, flipped, cut
    or much reduced. Little is a few grey levels, and, but for brightness, a quarter of the
    pictures' own contrast: pictures of little contrast are all near in grey levels.

    Of `distance` + 1 bands of bits, a near pair has one in common at least. Where more than 64
    pictures share a band, each is compared with the next 64 in the order of their bits only: pairs
    of a very common motif can be missed, but time and memory stay bounded (a few hundred MB for a
    million pictures).

    Parameters
    ----------
    index
        One row a picture: `id`, `split`, `digest` (text, the same where the pixels are), `hash`
        (uint64, of `perceptual_hash`).
    pixels
        Called with row numbers (ascending), returns their images, uint8 (n, C, H, W).
    distance
        Bits in which the hashes of near pictures may differ, 0 to 63.
    difference
        Root mean square, in grey levels, up to which pictures are near.

    Returns
    -------
    `id`, `other` (the one that stands first in the index), `split`, `other_split`, `kind` (exact,
    near), `difference` (0 for exact ones); exact ones first, then by difference.
    """
    groups, _ = pd.factorize(index["digest"])
    firsts = np.flatnonzero(~index["digest"].duplicated().to_numpy())
    repeated = np.setdiff1d(np.arange(len(index)), firsts, assume_unique=True)
    exact = np.stack([firsts[groups[repeated]], repeated], axis=1)
    hashes = index["hash"].to_numpy(np.uint64)[firsts]
    near = [(np.empty((0, 2), np.int64), np.empty(0))]
    for candidates in _candidates(hashes, distance):
        for pairs in _portions(np.sort(firsts[candidates]), pixels(firsts[:1]).nbytes):
            measured, alike = _difference(pixels, pairs)
            alike &= measured <= difference
            near.append((pairs[alike], measured[alike]))
    pairs, differences = map(np.concatenate, zip(*near, strict=True))
    tables = [
        _table(index, exact, "exact", np.zeros(len(exact))),
        _table(index, pairs, "near", differences),
    ]
    return pd.concat(tables).sort_values(["kind", "difference", "other", "id"], ignore_index=True)


def label_pairs(pairs: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of `find` with `label` and `other_label`, missing where `labels` has no name."""
    words = {
        name: label
        for name, label in zip(labels["id"], labels["label"], strict=True)
        if isinstance(label, str)
    }
    return pairs.assign(label=pairs["id"].map(words), other_label=pairs["other"].map(words))


def linked(pairs: pd.DataFrame, places: dict[str, str]) -> list[bool]:
    """Tell of each pair whether both are one file, twice there by a link; `places`: files by id."""
    exact = pairs["kind"] == "exact"
    return [
        one and _is_one_file(places[this], places[other])
        for one, this, other in zip(exact, pairs["id"], pairs["other"], strict=True)
    ]


def _is_one_file(this: str, other: str) -> bool:
    try:
        return this != other and Path(this).samefile(other)
    except (OSError, ValueError):  # far away, or gone
        return False


def _hashed(images: np.ndarray) -> np.ndarray:
    import torch
    from torch.nn.functional import interpolate

    grey = torch.from_numpy(images.astype(np.float32)).mean(1, keepdim=True)
    areas = interpolate(grey, (8, 9), mode="area")[:, 0].numpy()
    bits = areas[:, :, 1:] - areas[:, :, :-1] > MARGIN
    return np.packbits(bits.reshape(len(bits), 64), axis=1).view(">u8")[:, 0].astype(np.uint64)


def _portions(rows: np.ndarray, size: int | None = None) -> Iterator[np.ndarray]:
    """Yield an array in parts that stand for at most BYTES of images; `size`: bytes of one."""
    many = max(1, BYTES // max(1, size or rows[:1].nbytes))
    return (rows[first : first + many] for first in range(0, len(rows), many))


def _candidates(hashes: np.ndarray, distance: int) -> Iterator[np.ndarray]:
    """Yield pairs (n, 2) of positions whose hashes differ in at most `distance` bits, each once."""
    edges = np.linspace(0, 64, distance + 2).astype(np.uint64)
    seen = []
    for start, end in pairwise(edges):
        # The band first, then the bits beside it: hashes that differ little stand near each other.
        turned = (hashes << start) | (hashes >> (np.uint64(64) - start)) if start else hashes
        order = np.argsort(turned, kind="stable")
        band = turned >> (np.uint64(64) - end + start)
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        for ahead in range(1, NEIGHBOURS + 1):
            one = order[:-ahead]
            other = order[ahead:]
            equal = band[one] == band[other]
            if not equal.any():
                break
            one = one[equal]
            other = other[equal]
            close = np.bitwise_count(hashes[one] ^ hashes[other]) <= distance
            one = one[close]
            other = other[close]
            for bits, places in seen:
                apart = np.abs(places[one] - places[other]) > NEIGHBOURS
                new = (bits[one] != bits[other]) | apart
                one = one[new]
                other = other[new]
            if len(one):
                yield np.stack([one, other], axis=1)
        seen.append((band, place))


def _difference(
    pixels: Callable[[np.ndarray], np.ndarray], pairs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the root mean square, in grey levels, between the images of pairs (n, 2) of rows.

    And whether it is small, but for brightness, beside the contrast of both.
    """
    rows, places = np.unique(pairs, return_inverse=True)
    images = pixels(rows).reshape(len(rows), -1)
    one, other = images[places.reshape(pairs.shape).T]
    apart = one.astype(np.float32) - other
    contrast = np.minimum(one.std(axis=1), other.std(axis=1))
    difference = np.sqrt(np.einsum("np,np->n", apart, apart) / apart.shape[1])
    return difference, apart.std(axis=1) <= CONTRAST * contrast


def _table(
    index: pd.DataFrame, pairs: np.ndarray, kind: str, difference: np.ndarray
) -> pd.DataFrame:
    """Describe pairs (n, 2) of rows, the earlier row first."""
    other, this = (index[["id", "split"]].iloc[side].reset_index(drop=True) for side in pairs.T)
    table = pd.DataFrame(
        {
            "id": this["id"],
            "other": other["id"],
            "split": this["split"],
            "other_split": other["split"],
            "kind": kind,
            "difference": difference.astype(np.float64),
        }
    )
    return table.astype({"kind": "str"})
