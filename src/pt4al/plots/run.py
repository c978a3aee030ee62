"""Draw what a run did: its curve, its ranking, its audit and its time."""

import math
from collections.abc import Mapping
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from pt4al.plots.palette import ALARM, INK, MAIN, OTHERS, SOFT
from pt4al.plots.style import (
    AXES,
    duration,
    logarithmic,
    name_rows,
    nothing,
    plain,
    share_by_labels,
)
from pt4al.plots.svg import add_halo, tell, tell_points

PAPER_CORRELATION = 0.79  # PT4AL, rotation on CIFAR-10


def learning_curve(
    curves: dict[str, pd.DataFrame],
    metric: str = "accuracy",
    turns: Mapping[float, str] | None = None,
) -> Figure:
    """Draw a metric over labels; the first curve is the run's own, the others stand behind it.

    Parameters
    ----------
    curves
        At least one; by name, one row a cycle: `labels`, ascending, and the metric from 0 to 1;
        where the run's own has `low` and `high`, they are its interval.
    metric
        The metric's column: `accuracy` or `miou`.
    turns
        Where the run's settings changed, in labels, and what did.
    """
    across, up = AXES[metric]
    figure, axes = plain(3.5, across, up)
    (name, this), *others = curves.items()
    if this.empty:
        return nothing(figure, "nothing evaluated yet")
    axes.plot(this["labels"], this[metric], "o-", color=MAIN, linewidth=2.6, label=name, zorder=5)
    if {"low", "high"} <= set(this):
        axes.vlines(this["labels"], this["low"], this["high"], color=MAIN, linewidth=1.4)
    for (other, curve), colour, dashes in zip(
        others, cycle(OTHERS), cycle(["s-", "D--", "^-.", "v:"]), strict=False
    ):
        axes.plot(
            curve["labels"],
            curve[metric],
            dashes,
            color=colour,
            linewidth=1.6,
            markersize=4,
            label=other,
        )
    for which, curve in reversed(curves.items()):
        points = curve[["labels", metric]].itertuples(index=False)
        texts = [f"{which}: {labels:,} {across}, {100 * value:.1f} %" for labels, value in points]
        tell_points(axes, curve["labels"], curve[metric], texts)
    for labels, sentence in (turns or {}).items():
        tell(axes.axvline(labels, color=SOFT, linewidth=1, linestyle=":"), sentence)
    _annotate(axes, this, [curve for _, curve in others], metric)
    share_by_labels(axes)
    axes.margins(x=0.07, y=0.14)
    if len(this) == 1 and not others:
        axes.set_ylim(0, 1)
        axes.set_xticks(this["labels"])
    if others:
        axes.legend(frameon=False, loc="best")
    return figure


def _annotate(axes: Axes, this: pd.DataFrame, others: list[pd.DataFrame], metric: str) -> None:
    """Write the metric at the points of a curve, on the side away from the other curves."""
    values = this[metric].to_numpy(float)
    steps = np.diff(values)
    before = np.append(0, steps)
    after = np.append(steps, 0)
    # At most ten numbers, the last point's among them.
    every = math.ceil(len(this) / 10)
    for place in range(len(this))[::-every]:
        labels = this["labels"].iloc[place]
        beside = [
            np.interp(labels, other["labels"], other[metric]) for other in others if len(other)
        ]
        above = not beside or values[place] >= np.mean(beside)
        if not beside and before[place] * after[place] < 0:
            above = before[place] > 0  # a peak has room above, a valley below
        # Above a line that rises there is room to its left.
        slope = before[place] + after[place]
        left = (slope > 0) == above
        text = axes.annotate(
            f"{100 * values[place]:.1f}",
            (labels, values[place]),
            (-4 if left else 4, 7 if above else -7),
            textcoords="offset points",
            ha="center" if not slope else "right" if left else "left",
            va="bottom" if above else "top",
            color=MAIN,
            zorder=6,
        )
        add_halo(text)


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
    figure, axes = plain(3.2, "batch (0 comes first in the ranking)", "pretext loss")
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
    drawn = axes.boxplot(
        [group.to_numpy() for _, group in groups],
        positions=list(groups.groups),
        whis=(0, 100),
        widths=0.6,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": (MAIN, 0.2), "edgecolor": MAIN, "linewidth": 1.4},
        medianprops={"color": ALARM, "linewidth": 2},
        whiskerprops=edge,
        capprops=edge,
    )
    for box, (batch, group) in zip(drawn["boxes"], groups, strict=True):
        least, low, middle, high, most = group.quantile([0, 0.25, 0.5, 0.75, 1])
        tell(
            box,
            f"batch {batch}: {len(group):,} images, {least:.3g} to {most:.3g}; the middle half "
            f"{low:.3g} to {high:.3g}, median {middle:.3g}",
        )
    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    return figure


def seconds_by_stage(timings: pd.DataFrame) -> Figure:
    """Draw how long each stage took.

    Parameters
    ----------
    timings
        `stage`, `seconds`; the rows of one stage are added up, the first stage seen is on top.
    """
    totals = timings.groupby("stage", sort=False)["seconds"].sum()
    figure, axes = plain(0.8 + 0.3 * max(len(totals), 2), "seconds", "")
    if totals.empty:
        return nothing(figure, "nothing timed yet")
    bars = axes.barh(range(len(totals)), totals.to_numpy(float), color=MAIN, height=0.62)
    for bar, (stage, seconds) in zip(bars, totals.items(), strict=True):
        share = 100 * seconds / max(totals.sum(), 1e-9)
        tell(bar, f"{stage}: {duration(seconds)}, {share:.0f} % of all")
    axes.bar_label(bars, [duration(seconds) for seconds in totals], padding=5, color=INK)
    name_rows(axes, totals.index)
    axes.invert_yaxis()
    axes.set_xlim(0, max(1.25 * totals.max(), 1e-3))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    return figure


def audit(audits: pd.DataFrame) -> Figure:
    """Draw the rank correlation of pretext loss and main loss by cycle, with its 95 % interval.

    Parameters
    ----------
    audits
        `cycle`, `correlation`, `low`, `high`; rows without a correlation are left out.
    """
    figure, axes = plain(3, "cycle", "rank correlation (-1 to 1)")
    audits = audits.dropna(subset=["correlation"])
    if audits.empty:
        return nothing(figure, "nothing to audit yet")
    axes.axhline(0, color=INK, linewidth=1)
    axes.axhline(PAPER_CORRELATION, color=ALARM, linewidth=1.2, linestyle="--")
    claim = axes.annotate(
        f"the paper's claim, CIFAR-10: {PAPER_CORRELATION}",
        (0.99, PAPER_CORRELATION),
        (0, 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        color=ALARM,
        fontsize=9,
    )
    add_halo(claim)
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
    texts = [
        f"cycle {number}: {value:.2f}, 95 % interval {low:.2f} to {high:.2f}"
        for number, (value, low, high) in zip(audits["cycle"], values, strict=True)
    ]
    tell_points(axes, audits["cycle"], values[:, 0], texts)
    axes.set_xlim(audits["cycle"].min() - 0.6, audits["cycle"].max() + 0.6)
    axes.set_ylim(-1, 1)
    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    return figure
