"""Two dimensions of a pool's features, to draw the pool as a map: PCA, or UMAP."""

import importlib
import warnings
from typing import Protocol

import numpy as np

from pt4al.errors import InputError

BLOCK = 4_096  # rows read at once
FITTED = 16_384  # rows, evenly spaced, that the axes are computed from; all rows are projected
BEFORE_UMAP = 50  # dimensions that PCA leaves to UMAP
NEIGHBOURS = 15  # of UMAP
LARGEST = np.iinfo(np.uint16).max  # of quantised coordinates


class Vectors(Protocol):
    """Rows of numbers, (N, D), in memory or read from disk where they are indexed by a slice."""

    shape: tuple[int, ...]

    def __len__(self) -> int:
        """Return how many rows there are."""
        ...

    def __getitem__(self, which: slice | np.ndarray) -> np.ndarray:
        """Return some of the rows."""
        ...


def require(method: str) -> None:
    """Raise InputError if a method of mapping needs a library that is not installed."""
    if method != "umap":
        return
    try:
        importlib.import_module("umap")
    except ImportError:
        raise InputError(
            f"`report.map: {method}` needs one more library (umap-learn is missing): "
            "pip install 'pt4al[umap]', or take report.map=pca"
        ) from None


def pool_map(vectors: Vectors, method: str, rng: np.random.Generator) -> np.ndarray:
    """Return where each vector lies on a map, (N, 2) uint16: see `quantised`.

    Parameters
    ----------
    vectors
        (N, D). They are read in blocks: no copy of all of them is made.
    method
        `pca` or `umap`.
    rng
        Of UMAP.

    Raises
    ------
    InputError
        If a library for it is not installed.
    """
    if method == "umap" and len(vectors) > NEIGHBOURS:
        return quantised(_umap(principal(vectors, BEFORE_UMAP), rng))
    return quantised(principal(vectors))


def principal(
    vectors: Vectors, dimensions: int = 2, block: int = BLOCK, fitted: int = FITTED
) -> np.ndarray:
    """Return the first principal components of vectors, (N, dimensions) float64.

    The sign of an axis is that which makes its greatest weight positive. Where there are fewer
    dimensions, the others are 0.

    Parameters
    ----------
    block
        Rows read at once. Another number gives the same components but for rounding.
    fitted
        Rows, at most, evenly spaced, that the axes are computed from.
    """
    mean, axes = _axes(vectors, dimensions, block, fitted)
    components = np.zeros((vectors.shape[0], dimensions))
    for first in range(0, len(components), block):
        rows = slice(first, first + block)
        centred = _wide(vectors[rows]) - mean
        components[rows, : axes.shape[1]] = centred @ axes
    return components


def quantised(points: np.ndarray) -> np.ndarray:
    """Return points (N, 2) as uint16, in one scale for both axes, each centred in its range."""
    points = np.asarray(points, np.float64)
    if not len(points):
        return np.zeros((0, 2), np.uint16)
    low = points.min(0)
    high = points.max(0)
    span = (high - low).max()
    if span == 0:
        return np.full(points.shape, LARGEST // 2, np.uint16)
    scaled = 0.5 + (points - (low + high) / 2) / span
    return np.rint(scaled * LARGEST).astype(np.uint16)


def _axes(
    vectors: Vectors, dimensions: int, block: int, fitted: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean (D,) and the principal axes (D, at most dimensions), float32."""
    number, width = vectors.shape
    rows = np.arange(number)
    if number > fitted:
        rows = np.unique(np.linspace(0, number - 1, fitted).astype(np.int64))
    if not number:
        return np.zeros(width, np.float32), np.zeros((width, 0), np.float32)
    # Near the mean, so that float32 loses nothing in the products.
    origin = _wide(vectors[rows[:block]]).mean(0)
    total = np.zeros(width)
    products = np.zeros((width, width))
    for first in range(0, len(rows), block):
        shifted = _wide(vectors[rows[first : first + block]]) - origin
        total += shifted.sum(0, dtype=np.float64)
        products += shifted.T @ shifted
    shift = total / len(rows)
    covariance = products / len(rows) - np.outer(shift, shift)
    axes = np.linalg.eigh(covariance)[1][:, ::-1][:, :dimensions]
    greatest = np.abs(axes).argmax(0)
    signs = np.where(axes[greatest, np.arange(axes.shape[1])] < 0, -1, 1)
    return (origin + shift).astype(np.float32), (axes * signs).astype(np.float32)


def _wide(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows, np.float32)


def _umap(components: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    require("umap")
    from umap import UMAP

    seed = int(rng.integers(2**31))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that a seed means one thread
        mapped = UMAP(n_components=2, n_neighbors=NEIGHBOURS, random_state=seed, n_jobs=1)
        return mapped.fit_transform(components.astype(np.float32))
