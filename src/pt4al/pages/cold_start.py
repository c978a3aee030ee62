"""Say which rule for the first query is better than choosing at random, and at which budgets."""

from functools import partial
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter, StrMethodFormatter

from pt4al.pages.render import environment
from pt4al.plots.style import MAIN, OTHERS, pictures, plain
from pt4al.statistics.paired import holm, interval, t_test

RANDOM = "random"
ALPHA = 0.05
COLUMNS = ["difference", "difference_low", "difference_high", "p", "p_holm"]


def summarise(measured: pd.DataFrame) -> pd.DataFrame:
    """Compare starts with random ones at each budget.

    Parameters
    ----------
    measured
        One row a first query: `start`, `budget`, `seed`, `accuracy`, `balanced_accuracy` (0 to 1),
        `query` (equal for equal queries).

    Returns
    -------
    One row a start and budget: `start`, `budget`, `seeds`, `queries` (different ones); mean
    `accuracy` with its 95 % t-interval `low`, `high` over seeds, missing where every seed chose the
    same query; mean `balanced_accuracy`; `difference` from random, seed by seed, with its
    t-interval, `p` of the paired t-test, and `p_holm` corrected over all rows. These are missing
    for random itself, and everywhere if it was not measured.
    """
    by_seed = measured.pivot_table(index=["budget", "seed"], columns="start", values="accuracy")
    rows = []
    for (start, budget), cell in measured.groupby(["start", "budget"], sort=False):
        mean, low, high = interval(cell["accuracy"].to_numpy())
        queries = cell["query"].nunique()
        row = {
            "start": start,
            "budget": budget,
            "seeds": len(cell),
            "queries": queries,
            "accuracy": mean,
        }
        row |= {"low": low, "high": high} if queries > 1 else {"low": np.nan, "high": np.nan}
        row |= {"balanced_accuracy": cell["balanced_accuracy"].mean()} | dict.fromkeys(
            COLUMNS, np.nan
        )
        if start != RANDOM and RANDOM in by_seed:
            differences = (by_seed.loc[budget, start] - by_seed.loc[budget, RANDOM]).to_numpy()
            row |= dict(zip(COLUMNS, (*interval(differences), t_test(differences)), strict=False))
        rows.append(row)
    table = pd.DataFrame(rows)
    tested = table["p"].notna()
    if tested.any():
        table.loc[tested, "p_holm"] = holm(table.loc[tested, "p"].to_numpy())
    return table


def verdicts(summary: pd.DataFrame) -> list[str]:
    """Say of each start but random at which budgets it is better or worse than random, after Holm's correction."""
    sentences = []
    for start, rows in summary[summary["p_holm"].notna()].groupby("start", sort=False):
        sure = rows[rows["p_holm"] < ALPHA]
        found = [
            f"{word} at {', '.join(f'{budget:,}' for budget in told['budget'])} labels"
            for word, told in (
                ("better", sure[sure["difference"] > 0]),
                ("worse", sure[sure["difference"] < 0]),
            )
            if len(told)
        ]
        sentences.append(f"{start} is {' and '.join(found) or 'not to be told from random'}.")
    return sentences


def draw(summary: pd.DataFrame) -> Figure:
    """Draw accuracy over the budget, a line a start, with its interval where seeds differ."""
    figure, axes = plain(4.5, "labels in the first query", "accuracy of a linear probe (%)")
    styles = cycle([MAIN, *OTHERS])
    for (start, rows), colour, marker in zip(
        summary.groupby("start", sort=False), styles, cycle("osD^vPX")
    ):
        rows = rows.sort_values("budget")
        axes.plot(rows["budget"], rows["accuracy"], marker + "-", color=colour, label=start)
        axes.fill_between(
            rows["budget"], rows["low"], rows["high"], color=colour, alpha=0.18, linewidth=0
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sorted(summary["budget"].unique())))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=""))
    axes.legend(frameon=False)
    return figure


def render(summary: pd.DataFrame, title: str) -> str:
    """Return the page of a summary, as self-contained HTML."""
    wins = summary[(summary["p_holm"] < ALPHA) & (summary["difference"] > 0)][
        "start"
    ].value_counts()
    return (
        environment()
        .get_template("cold_start.html")
        .render(
            title=title,
            best=None if wins.empty else {"start": wins.index[0], "wins": int(wins.iloc[0])},
            budgets=summary["budget"].nunique(),
            verdicts=verdicts(summary),
            rows=summary.astype(object).where(summary.notna(), None).to_dict("records"),
            fixed=list(summary.loc[summary["queries"] == 1, "start"].unique()),
            figures=pictures({"accuracy": partial(draw, summary)}),
        )
    )
