"""Draw how good first queries are by their number of labels."""

from itertools import cycle

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from pt4al.plots.palette import PALETTE
from pt4al.plots.style import plain, share_by_labels
from pt4al.plots.svg import tell_points


def accuracy_by_budget(summary: pd.DataFrame) -> Figure:
    """Draw accuracy over the budget, a line a start, with its interval where seeds differ.

    Parameters
    ----------
    summary
        See `pt4al.statistics.cold_start.summarise`.
    """
    figure, axes = plain(4, "labels in the first query", "accuracy of a linear probe (%)")
    styles = cycle(PALETTE)
    for (start, rows), colour, marker in zip(
        summary.groupby("start", sort=False), styles, cycle("osD^vPX")
    ):
        rows = rows.sort_values("budget")
        budgets = rows["budget"]
        axes.plot(budgets, rows["accuracy"], marker + "-", color=colour, label=start)
        axes.fill_between(
            budgets,
            rows["low"].clip(0, 1),
            rows["high"].clip(0, 1),
            color=colour,
            alpha=0.18,
            linewidth=0,
        )
        texts = [
            f"{start}: {row.budget:,} labels, {100 * row.accuracy:.1f} %"
            for row in rows.itertuples()
        ]
        tell_points(axes, budgets, rows["accuracy"], texts)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sorted(summary["budget"].unique())))
    axes.xaxis.set_minor_locator(NullLocator())
    share_by_labels(axes)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure
