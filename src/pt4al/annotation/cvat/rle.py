"""Masks of CVAT: lengths of runs within a box, and the box's corners."""

from collections.abc import Sequence

import numpy as np

from pt4al.errors import InputError

CORNERS = 4  # numbers behind the runs: left, top, right, bottom, which the box includes


def decode(points: Sequence[float], height: int, width: int) -> np.ndarray:
    """Return the pixels that a mask covers, (height, width) bool.

    Parameters
    ----------
    points
        Lengths of runs in a box, row by row, in turn left out and covered, beginning with left
        out (0: the first pixel is covered); then the box's left, top, right and bottom pixel.

    Raises
    ------
    InputError
        If they are no whole numbers, or don't fit a picture of this size.

    Source: `decode_mask` of CVAT's SDK.
    """
    if len(points) <= CORNERS:
        raise InputError(f"a mask has {len(points)} numbers: runs and 4 corners were expected")
    if any(not float(number).is_integer() or number < 0 for number in points):
        raise InputError(f"a mask's numbers are {str(points)[:80]}: whole ones were expected")
    numbers = [int(number) for number in points]
    left, top, right, bottom = numbers[-CORNERS:]
    runs = numbers[:-CORNERS]
    if not (left <= right < width and top <= bottom < height):
        raise InputError(
            f"a mask's box from ({left}, {top}) to ({right}, {bottom}) does not fit an image of "
            f"{height} x {width} pixels"
        )
    rows = bottom - top + 1
    columns = right - left + 1
    if sum(runs) != rows * columns:
        raise InputError(
            f"a mask's runs are {sum(runs)} pixels long: {rows * columns} were expected"
        )
    covered = np.arange(len(runs)) % 2 == 1
    mask = np.zeros((height, width), bool)
    mask[top : bottom + 1, left : right + 1] = np.repeat(covered, runs).reshape(rows, columns)
    return mask


def encode(mask: np.ndarray) -> list[int]:
    """Return the numbers of a mask (height, width), bool, that covers a pixel at least."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        raise InputError(f"a mask of {mask.shape[0]} x {mask.shape[1]} pixels covers none")
    box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].ravel()
    ends = np.flatnonzero(np.diff(box.astype(np.int8))) + 1
    runs = np.diff([0, *ends, len(box)]).tolist()
    if box[0]:
        runs = [0, *runs]
    corners = (columns[0], rows[0], columns[-1], rows[-1])
    return [*runs, *(int(corner) for corner in corners)]
