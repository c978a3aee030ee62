"""Draw what a run did: its curve, its ranking, its audit and its time."""

import math
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from pt4al.plots.style import (
    AXES,
    HALO,
    INK,
    MAIN,
    OTHERS,
    duration,
    logarithmic,
    name_rows,
    nothing,
    plain,
    share_by_labels,
)

PAPER_CORRELATION = 0.79  # PT4AL, rotation on CIFAR-10


def learning_curve(curves: dict[str, pd.DataFrame], metric: str = "accuracy") -> Figure:
    """Draw a metric over labels; the first curve is the run's own, the others stand behind it.

    Parameters
    ----------
    curves
        At least one; by name, one row a cycle: `labels`, ascending, and the metric from 0 to 1.
    metric
        The metric's column: `accuracy` or `miou`.
    """
    figure, axes = plain(4.5, *AXES[metric])
    (name, this), *others = curves.items()
    if this.empty:
        return nothing(figure, "nothing evaluated yet")
    axes.plot(this["labels"], this[metric], "o-", color=MAIN, linewidth=2.6, label=name, zorder=5)
    for (other, curve), colour, dashes in zip(
        others, cycle(OTHERS), cycle(["-", "--", "-.", ":"]), strict=False
    ):
        axes.plot(curve["labels"], curve[metric], dashes, color=colour, linewidth=1.4, label=other)
    _annotate(axes, this, [curve for _, curve in others], metric)
    share_by_labels(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0.06, y=0.12)
    if others:
        axes.legend(frameon=False, loc="best")
    return figure


def _annotate(axes: Axes, this: pd.DataFrame, others: list[pd.DataFrame], metric: str) -> None:
    """Write the metric at the points of a curve, on the side away from the other curves."""
    # At most ten numbers, the last point's among them.
    every = math.ceil(len(this) / 10)
    for labels, value in this[["labels", metric]].iloc[::-every].to_numpy(float):
        beside = [
            np.interp(labels, other["labels"], other[metric]) for other in others if len(other)
        ]
        above = not beside or value >= np.mean(beside)
        # A learning curve rises: there is room to the upper left and to the lower right of it.
        place = {"xytext": (2, -7), "ha": "left", "va": "top"}
        if above:
            place = {"xytext": (-2, 7), "ha": "right", "va": "bottom"}
        axes.annotate(
            f"{100 * value:.1f}",
            (labels, value),
            **place,
            textcoords="offset points",
            color=MAIN,
            path_effects=HALO,
            zorder=6,
        )


def losses_by_batch(ranking: pd.DataFrame) -> Figure:
    """Draw the distribution of pretext losses in each batch: minimum, quartiles, maximum.

    The axis is logarithmic if no loss is negative and the positive ones span more than two decades;
    losses of exactly 0 (a network sure of itself in float32) are then drawn at the smallest
    positive one. Infinite losses are left out.

    Parameters
    ----------
    ranking
        `id`, `pretext_loss`, `rank`, `batch`.
    """
    figure, axes = plain(4, "batch (0 comes first in the ranking)", "pretext loss")
    losses = ranking["pretext_loss"].astype(float)
    losses = losses[np.isfinite(losses)]
    if losses.empty:
        return nothing(figure, "nothing ranked yet")
    positive = losses[losses > 0]
    if losses.min() >= 0 and len(positive) and positive.max() > 100 * positive.min():
        logarithmic(axes)
        zeros = len(losses) - len(positive)
        losses = losses.clip(lower=positive.min())
        if zeros:
            axes.set_title(
                f"{zeros:,} losses are 0: drawn at the lowest edge",
                loc="left",
                fontsize=10,
                color=INK,
            )
    groups = losses.groupby(ranking["batch"])
    edge = {"color": MAIN, "linewidth": 1.4}
    axes.boxplot(
        [group.to_numpy() for _, group in groups],
        positions=list(groups.groups),
        whis=(0, 100),
        widths=0.6,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": "#cfe3f1", "edgecolor": MAIN, "linewidth": 1.4},
        medianprops={"color": "#D55E00", "linewidth": 2},
        whiskerprops=edge,
        capprops=edge,
    )
    axes.xaxis.set_major_locator(MaxNLocator(20, integer=True))
    return figure


def seconds_by_stage(timings: pd.DataFrame) -> Figure:
    """Draw how long each stage took.

    Parameters
    ----------
    timings
        `stage`, `seconds`; the rows of one stage are added up, the first stage seen is on top.
    """
    totals = timings.groupby("stage", sort=False)["seconds"].sum()
    figure, axes = plain(1 + 0.36 * max(len(totals), 2), "seconds", "")
    if totals.empty:
        return nothing(figure, "nothing timed yet")
    bars = axes.barh(range(len(totals)), totals.to_numpy(float), color=MAIN, height=0.62)
    axes.bar_label(bars, [duration(seconds) for seconds in totals], padding=5, color=INK)
    name_rows(axes, totals.index)
    axes.invert_yaxis()
    axes.set_xlim(0, max(1.18 * totals.max(), 1e-3))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    return figure


def audit(audits: pd.DataFrame) -> Figure:
    """Draw the rank correlation of pretext loss and main loss by cycle, with its 95 % interval.

    Parameters
    ----------
    audits
        `cycle`, `correlation`, `low`, `high`; rows without a correlation are left out.
    """
    figure, axes = plain(3.8, "cycle", "rank correlation (-1 to 1)")
    audits = audits.dropna(subset=["correlation"])
    if audits.empty:
        return nothing(figure, "nothing to audit yet")
    axes.axhline(0, color=INK, linewidth=1)
    axes.axhline(PAPER_CORRELATION, color="#D55E00", linewidth=1.2, linestyle="--")
    axes.annotate(
        f"the paper's claim, CIFAR-10: {PAPER_CORRELATION}",
        (0.99, PAPER_CORRELATION),
        (0, 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        color="#D55E00",
        fontsize=9,
        path_effects=HALO,
    )
    values = audits[["correlation", "low", "high"]].to_numpy(float)
    spread = np.abs(values[:, 1:] - values[:, :1]).T
    axes.errorbar(
        audits["cycle"],
        values[:, 0],
        spread,
        fmt="o",
        color=MAIN,
        linewidth=1.8,
        capsize=4,
        markersize=7,
    )
    axes.set_xlim(audits["cycle"].min() - 0.6, audits["cycle"].max() + 0.6)
    axes.set_ylim(-1, 1)
    axes.xaxis.set_major_locator(MaxNLocator(20, integer=True))
    return figure
