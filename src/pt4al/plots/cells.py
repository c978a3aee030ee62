"""Draw a table of numbers as cells: the larger, the darker; each says more to the pointer."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from pt4al.plots.palette import INK, MAIN
from pt4al.plots.svg import let_through, tell

DARKEST = 0.6  # opacity: letters of the paper's ink can still be read upon it


def draw_cells(
    axes: Axes,
    colours: np.ndarray,
    texts: list[list[str]],
    told: list[list[str]],
    fontsize: float = 9,
) -> None:
    """Fill a pair of axes with cells, the first row on top.

    Parameters
    ----------
    colours
        (rows, columns, 4), RGBA from 0 to 1.
    texts
        What stands in each cell.
    told
        What each cell says when the pointer rests on it.
    """
    rows, columns = colours.shape[:2]
    edges = np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5
    cells = axes.pcolormesh(*edges, colours)
    tell(cells, *[text for row in told for text in row])
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    for row, column in np.ndindex(rows, columns):
        text = texts[row][column]
        if text:
            place = {"ha": "center", "va": "center", "fontsize": fontsize, "color": INK}
            let_through(axes.text(column, row, text, **place))


def shade(values: np.ndarray, colour: str = MAIN) -> np.ndarray:
    """Return RGBA (..., 4) of values from 0 (nothing) to 1 (darkest); NaN is nothing."""
    shades = np.empty((*np.shape(values), 4))
    shades[..., :3] = to_rgb(colour)
    shades[..., 3] = DARKEST * np.clip(np.nan_to_num(values), 0, 1)
    return shades
