"""Draw what a comparison's arms do cycle by cycle: their curves, their classes, their audits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import entropy

from pt4al.plots.palette import INK, PALETTE
from pt4al.plots.style import AXES, nothing, plain, share_by_labels
from pt4al.plots.svg import tell_points
from pt4al.statistics.paired import interval

FEWEST = 4  # seeds of which an interval is drawn; of fewer each seed is a thin line
MARKERS = "osD^vPX<>*hd"


def colours(arms: list[str]) -> dict[str, str]:
    """Return each arm's colour as `#rrggbb`, by its place in the list."""
    return dict(zip(arms, cycle(PALETTE), strict=False))


def learning_curves(cells: pd.DataFrame, metric: str, arms: list[str], heavy: list[str]) -> Figure:
    """Draw each arm's mean over seeds with its 95 % t-interval, or each of a few seeds.

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
    figure, axes = plain(4.6, across, up)
    drawn = _Lines("labels", metric, (0, 1), lambda value: f"{100 * value:.1f} %")
    _draw(axes, cells[cells["repeat"] == 0], drawn, arms, heavy)
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
    figure, axes = plain(4, "cycle", "evenness of classes (0 to 1)")
    counts = queries.pivot_table(
        index=["arm", "seed", "cycle"], columns="class", values="images", sort=False
    )
    if counts.shape[1] < 2:
        return nothing(figure, "no classes to count")
    evenness = entropy(counts.fillna(0), axis=1) / np.log(counts.shape[1])
    rows = counts.index.to_frame(index=False).assign(evenness=evenness)
    _draw(axes, rows, _Lines("cycle", "evenness", (0, 1)), arms)
    return figure


def audits(audits: pd.DataFrame, arms: list[str]) -> Figure:
    """Draw the rank correlation of pretext loss and main loss by cycle.

    A line is the mean over seeds, a band its 95 % t-interval; of a few seeds each is a thin line.

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
    _draw(axes, audits, _Lines("cycle", "correlation", (-1, 1)), arms)
    return figure


@dataclass(frozen=True)
class _Lines:
    """What lines show: columns, the values that there can be, and how one is written."""

    across: str
    up: str
    limits: tuple[float, float]
    text: Callable[[float], str] = "{:.2f}".format


def _draw(
    axes: Axes, rows: pd.DataFrame, lines: _Lines, arms: list[str], heavy: Sequence[str] = ()
) -> None:
    """Draw a line for each arm, and a legend in the order of the lines' ends."""
    ends = {}
    for (arm, colour), marker in zip(colours(arms).items(), cycle(MARKERS), strict=False):
        own = rows[rows["arm"] == arm]
        points = own.groupby(lines.across)[lines.up]
        if not len(points):
            continue
        thick = arm in heavy
        middle = _draw_spread(axes, own, lines, colour, thick)
        at = list(points.groups)
        (line,) = axes.plot(
            at,
            middle,
            marker + "-",
            color=colour,
            linewidth=2.6 if thick else 1.3,
            markersize=7 if thick else 5,
        )
        ends[arm] = middle[-1], line
        texts = [
            f"{arm}: {lines.across} {place:,}, {lines.text(value)}"
            for place, value in zip(at, middle, strict=True)
        ]
        tell_points(axes, at, middle, texts)
    order = sorted(ends, key=lambda arm: -ends[arm][0])
    names = [ends[arm][1] for arm in order]
    # Below: beside the lines there is no room on a phone.
    columns = max(1, min(4, 60 // (4 + max(map(len, order), default=1))))
    axes.figure.legend(names, order, loc="outside lower center", ncols=columns, frameon=False)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))


def _draw_spread(
    axes: Axes, own: pd.DataFrame, lines: _Lines, colour: str, thick: bool
) -> np.ndarray:
    """Draw how an arm's seeds differ, and return their means."""
    points = own.groupby(lines.across)[lines.up]
    if own["seed"].nunique() < FEWEST:
        for _, one in own.groupby("seed"):
            ordered = one.sort_values(lines.across)
            axes.plot(
                ordered[lines.across], ordered[lines.up], color=colour, linewidth=0.7, alpha=0.6
            )
        return points.mean().to_numpy()
    middle, low, high = np.array([interval(group.to_numpy()) for _, group in points]).T
    axes.fill_between(
        list(points.groups),
        np.clip(low, *lines.limits),
        np.clip(high, *lines.limits),
        color=colour,
        alpha=0.2 if thick else 0.08,
        linewidth=0,
    )
    return middle
