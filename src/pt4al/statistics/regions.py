"""Regions of a map of the pool: which have no label, and which images show all of it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pt4al.statistics.pool_map import LARGEST

CELLS = 16  # of a coarse grid, a side
MANY = 0.002  # share of the pool, at least, that makes a cell worth naming
SHOWN = 5  # regions that are named
THIRDS = (("lower left", "left", "upper left"), ("bottom", "centre", "top"))
THIRDS += (("lower right", "right", "upper right"),)


@dataclass(frozen=True)
class Coverage:
    """Which cells of a coarse grid over the map hold a label.

    Attributes
    ----------
    cells
        That hold images.
    without
        Of these, that hold no label.
    images
        Images in cells without a label.
    regions
        The largest cells without a label: `images`, `place` (in words), `loss` (median of the
        images' shares, None: not known), `box` (left, bottom, right, top, in map units).
    """

    cells: int
    without: int
    images: int
    regions: list[dict]


def coverage(points: np.ndarray, labelled: np.ndarray, losses: np.ndarray) -> Coverage:
    """Return which regions of a map have no label.

    Parameters
    ----------
    points
        (N, 2) uint16, as of `pool_map`.
    labelled
        (N,) bool.
    losses
        (N,) share of images with a smaller pretext loss, 0 to 1; NaN: not known.
    """
    cells = _cells(points)
    held = pd.DataFrame({"cell": cells, "labelled": labelled, "loss": losses})
    grouped = held.groupby("cell").agg(
        images=("labelled", "size"), labels=("labelled", "sum"), loss=("loss", "median")
    )
    without = grouped[grouped["labels"] == 0].sort_values("images", ascending=False, kind="stable")
    large = without[without["images"] >= max(2, MANY * len(points))].head(SHOWN)
    return Coverage(
        cells=len(grouped),
        without=len(without),
        images=int(without["images"].sum()),
        regions=[_region(int(cell), row) for cell, row in large.iterrows()],
    )


def spread(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return row numbers in an order whose beginnings show all of the map, drawn at random.

    First one image of each cell of a coarse grid, then a second of each, and so on.
    """
    drawn = rng.permutation(len(points))
    cells = pd.Series(_cells(points)[drawn])
    turns = cells.groupby(cells).cumcount()
    return drawn[np.argsort(turns.to_numpy(), kind="stable")]


def _cells(points: np.ndarray) -> np.ndarray:
    places = points.astype(np.int64) * CELLS // (LARGEST + 1)
    return places[:, 0] * CELLS + places[:, 1]


def _region(cell: int, row: pd.Series) -> dict:
    column, line = divmod(cell, CELLS)
    unit = (LARGEST + 1) // CELLS
    return {
        "images": int(row["images"]),
        "place": THIRDS[3 * column // CELLS][3 * line // CELLS],
        "loss": None if pd.isna(row["loss"]) else float(row["loss"]),
        "box": [column * unit, line * unit, (column + 1) * unit, (line + 1) * unit],
    }
