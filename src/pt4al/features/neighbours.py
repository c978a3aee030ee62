"""Properties of features that need no labels: neighbours, hubs, effective dimension."""

from functools import partial

import numpy as np
import torch
from torch.nn.functional import normalize

from pt4al.cluster.seam import ALONE, Cluster, in_shards

NEIGHBOURS = 10
ROWS = 2**32  # row numbers that fit into half of a key
HUBS = 0.01  # share of the images that are neighbours most often
BLOCK = 4096  # images compared with as many at once: 64 MB of likeness, 128 MB of keys


def nearest(
    features: np.ndarray, neighbours: int = NEIGHBOURS, cluster: Cluster = ALONE
) -> np.ndarray:
    """Return each image's nearest neighbours by cosine, (N, neighbours) int, or all other images.

    The nearest comes first; of equally near ones the first.

    Parameters
    ----------
    features
        (N, D), perhaps memory-mapped. All pairs are compared, a block of images with another: some
        thousand images take a second, and what is held does not grow with N.
    cluster
        Whose workers compare. Blocks, hence bytes, are the same for any number of them; two images
        whose cosines differ by a rounding may change places where BLOCK is another.
    """
    work = partial(_nearest, number=min(neighbours, len(features) - 1), size=BLOCK)
    shards = [[start] for start in range(0, len(features), BLOCK)]
    blocks = in_shards(work, shards, cluster, lambda: features, title="neighbours")
    return np.concatenate([rows for _, rows in blocks])


def _nearest(features: np.ndarray, shard: list[int], number: int, size: int) -> np.ndarray:
    """Return the neighbours of some blocks of images, given by their first rows."""
    found = [_of_block(features, start, number, size) for start in shard]
    return torch.cat(found).numpy()


def _of_block(features: np.ndarray, start: int, number: int, size: int) -> torch.Tensor:
    own = _units(features, start, size)
    best = torch.zeros(len(own), 0, dtype=torch.int64)
    for first in range(0, len(features), size):
        likeness = own @ _units(features, first, size).T
        if first == start:
            likeness.fill_diagonal_(-torch.inf)
        keys = torch.cat([best, _keys(likeness, first)], 1)
        best = keys.topk(min(number, keys.shape[1])).values
    return ROWS - 1 - best % ROWS


def _units(features: np.ndarray, start: int, size: int) -> torch.Tensor:
    rows = np.array(features[start : start + size], np.float32)
    return normalize(torch.from_numpy(rows))


def _keys(likeness: torch.Tensor, first: int) -> torch.Tensor:
    """Return integers that sort as likeness does, and among equals the first image highest."""
    bits = (likeness + 0).view(torch.int32)  # + 0: there is one zero
    ordered = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
    columns = torch.arange(first, first + likeness.shape[1])
    return ordered.long() * ROWS + (ROWS - 1 - columns)


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Return the share of neighbours that two networks have in common, 0 to 1.

    Parameters
    ----------
    one, other
        Neighbours of the same images, as `nearest` returns them.
    """
    shared = [len(set(first) & set(second)) for first, second in zip(one, other, strict=True)]
    return float(np.mean(shared)) / one.shape[1]


def hub_share(neighbours: np.ndarray) -> float:
    """Return the share of all places among neighbours that the most frequent 1 % of images hold.

    Without hubs it is little above 0.01; where some images are near everything, queries by distance
    choose those first (Radovanović, Nanopoulos, Ivanović, JMLR 2010).
    """
    held = np.sort(np.bincount(neighbours.ravel(), minlength=len(neighbours)))[::-1]
    most = max(1, round(HUBS * len(held)))
    return float(held[:most].sum() / held.sum())


def effective_dimension(features: np.ndarray) -> float:
    """Return the participation ratio of the eigenvalues of features' covariance.

    (sum of eigenvalues)^2 / sum of their squares: D if features spread alike in all D directions, 1
    if there is only one direction.
    """
    centred = np.asarray(features, np.float64)
    centred = centred - centred.mean(0)
    small = centred @ centred.T if len(centred) < centred.shape[1] else centred.T @ centred
    return float(np.trace(small) ** 2 / np.square(small).sum())
