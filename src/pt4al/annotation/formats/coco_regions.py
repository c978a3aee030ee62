"""Regions of COCO: polygons, or runs of pixels down the columns."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.path import Path as Outline

from pt4al.errors import InputError


def inside(polygon: Sequence[float], height: int, width: int) -> np.ndarray:
    """Return the pixels whose centres lie in a polygon x, y, x, y ...: (height, width) bool.

    Raises
    ------
    InputError
        If it is no such list of at least three corners.
    """
    try:
        corners = np.asarray(polygon, np.float64)
    except (TypeError, ValueError, OverflowError):
        corners = np.empty(0)
    if corners.ndim != 1 or len(corners) < 6 or len(corners) % 2 or not np.isfinite(corners).all():
        raise InputError(
            f"has the polygon {str(polygon)[:60]}: "
            "it must be x, y, x, y, ..., three corners or more"
        )
    corners = corners.reshape(-1, 2)
    left, top = np.floor(np.clip(corners.min(0), 0, (width, height))).astype(int)
    right, bottom = np.ceil(np.clip(corners.max(0), 0, (width, height))).astype(int)
    rows, columns = np.mgrid[top:bottom, left:right]
    centres = np.column_stack([columns.ravel(), rows.ravel()]) + 0.5
    covered = np.zeros((height, width), bool)
    if len(centres):
        outline = Outline(np.vstack([corners, corners[:1]]), closed=True)
        covered[top:bottom, left:right] = outline.contains_points(centres).reshape(rows.shape)
    return covered


def from_runs(encoded: Mapping[str, Any], height: int, width: int) -> np.ndarray:
    """Return the pixels (height, width), bool, of run lengths: a list, or COCO's text of it.

    Raises
    ------
    InputError
        If they don't fit the image.
    """
    counts = encoded.get("counts")
    size = encoded.get("size")
    if size != [height, width]:
        raise InputError(
            f"has runs for height and width {str(size)[:60]}, its image has {[height, width]}"
        )
    runs = _unpacked(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(type(run) is int and run >= 0 for run in runs):
        raise InputError(
            f"has the runs {str(counts)[:60]}: "
            "they must be numbers from 0 on, or COCO's text of them"
        )
    if sum(runs) != height * width:
        raise InputError(f"has runs for {sum(runs)} pixels, its image has {height * width}")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height).T


def _unpacked(text: str) -> list[int]:
    """Return the runs in COCO's text: differences to the last run but one, 5 bits a sign."""
    runs = []
    value = 0
    shift = 0
    for sign in text:
        bits = ord(sign) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise InputError(
                f"has the runs {text[:60]!r}, of which {sign!r} can't be: were they cut or changed?"
            )
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            negative = (1 << shift) if bits & 16 else 0
            runs.append(value - negative + (runs[-2] if len(runs) > 2 else 0))
            value = 0
            shift = 0
    if shift:
        raise InputError(f"has the runs {text[:60]!r}, which end in the middle of a number")
    return runs


def to_runs(covered: np.ndarray) -> dict[str, Any]:
    """Return COCO's entries for a region; a crowd, since only crowds may be lists of runs."""
    down = covered.T.ravel()
    ends = np.flatnonzero(np.diff(down, prepend=False))
    counts = [int(end - start) for start, end in pairwise([0, *ends, down.size])]
    rows = np.flatnonzero(covered.any(1))
    columns = np.flatnonzero(covered.any(0))
    box = [columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1]
    return {
        "segmentation": {"size": list(covered.shape), "counts": counts},
        "iscrowd": 1,
        "area": int(covered.sum()),
        "bbox": [int(side) for side in box],
    }
