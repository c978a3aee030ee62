"""Draw what a comparison's arms do cycle by cycle: their curves, their classes, their audits."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import entropy

from pt4al.plots.style import AXES, INK, MAIN, OTHERS, nothing, plain, share_by_labels
from pt4al.statistics.paired import interval

# Okabe and Ito 2008, then Tol's muted ones: told apart with any colour vision, from the eighth on
# with their markers.
PALETTE = [MAIN, *OTHERS, "#332288", "#882255", "#999933", "#44AA99", "#117733", "#661100"]
MARKERS = "osD^vPX<>*hd"


def colours(arms: list[str]) -> dict[str, str]:
    """Return each arm's colour as `#rrggbb`, by its place in the list."""
    return dict(zip(arms, cycle(PALETTE), strict=False))


def learning_curves(cells: pd.DataFrame, metric: str, arms: list[str], heavy: list[str]) -> Figure:
    """Draw each arm's mean over seeds with its 95 % t-interval.

    Parameters
    ----------
    cells
        One row a cell and cycle: `arm`, `seed`, `repeat`, `labels` and the metric from 0 to 1.
    metric
        The metric's column.
    arms
        All arms, for their colours; the same in the other figures.
    heavy
        Arms drawn with a thicker line.
    """
    across, up = AXES.get(metric, ("labels", f"{metric.replace('_', ' ')} (%)"))
    figure, axes = plain(5, across, up)
    _lines(axes, cells[cells["repeat"] == 0], "labels", metric, arms, heavy)
    share_by_labels(axes)
    return figure


def class_balance(queries: pd.DataFrame, arms: list[str]) -> Figure:
    """Draw how evenly the labels so far are spread over the classes: 1 is even, 0 one class.

    Parameters
    ----------
    queries
        One row a cell, cycle and class: `arm`, `seed`, `cycle`, `class`, `images` so far. A class
        that is missing was not asked for.

    Source: the entropy of the classes' shares over the logarithm of the number of classes (Pielou's
    evenness).
    """
    figure, axes = plain(4, "cycle", "evenness of the classes asked (0 to 1)")
    counts = queries.pivot_table(
        index=["arm", "seed", "cycle"], columns="class", values="images", sort=False
    )
    if counts.shape[1] < 2:
        return nothing(figure, "no classes to count")
    evenness = entropy(counts.fillna(0), axis=1) / np.log(counts.shape[1])
    _lines(
        axes,
        counts.index.to_frame(index=False).assign(evenness=evenness),
        "cycle",
        "evenness",
        arms,
    )
    return figure


def audits(audits: pd.DataFrame, arms: list[str]) -> Figure:
    """Draw the rank correlation of pretext loss and main loss by cycle.

    A line is the mean over seeds, a band its 95 % t-interval.

    Parameters
    ----------
    audits
        One row a cell and cycle: `arm`, `seed`, `cycle`, `correlation`; rows without a correlation
        are left out.
    """
    figure, axes = plain(4, "cycle", "rank correlation (-1 to 1)")
    audits = audits.dropna(subset=["correlation"])
    if audits.empty:
        return nothing(figure, "nothing to audit")
    axes.axhline(0, color=INK, linewidth=1)
    _lines(axes, audits, "cycle", "correlation", arms)
    return figure


def _lines(
    axes: Axes, rows: pd.DataFrame, across: str, up: str, arms: list[str], heavy: Sequence[str] = ()
) -> None:
    """Draw a line and a band for each arm, and a legend in the order of the lines' ends."""
    ends = {}
    for (arm, colour), marker in zip(colours(arms).items(), cycle(MARKERS), strict=False):
        points = rows[rows["arm"] == arm].groupby(across)[up]
        if not len(points):
            continue
        middle, low, high = np.array([interval(group.to_numpy()) for _, group in points]).T
        at = list(points.groups)
        thick = arm in heavy
        axes.fill_between(at, low, high, color=colour, alpha=0.2 if thick else 0.08, linewidth=0)
        (line,) = axes.plot(
            at,
            middle,
            marker + "-",
            color=colour,
            linewidth=2.6 if thick else 1.3,
            markersize=7 if thick else 5,
        )
        ends[arm] = middle[-1], line
    order = sorted(ends, key=lambda arm: -ends[arm][0])
    lines = [ends[arm][1] for arm in order]
    axes.figure.legend(lines, order, loc="outside right center", frameon=False, alignment="left")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
