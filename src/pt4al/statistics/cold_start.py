"""Say which rule for the first query is better than choosing at random, and at which budgets."""

import numpy as np
import pandas as pd

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
            "low": low if queries > 1 else np.nan,
            "high": high if queries > 1 else np.nan,
            "balanced_accuracy": cell["balanced_accuracy"].mean(),
            **dict.fromkeys(COLUMNS, np.nan),
        }
        if start != RANDOM and RANDOM in by_seed:
            differences = (by_seed.loc[budget, start] - by_seed.loc[budget, RANDOM]).to_numpy()
            row |= dict(zip(COLUMNS, (*interval(differences), t_test(differences)), strict=False))
        rows.append(row)
    table = pd.DataFrame(rows)
    tested = table["p"].notna()
    if tested.any():
        table.loc[tested, "p_holm"] = holm(table.loc[tested, "p"].to_numpy())
    return table


def wins(summary: pd.DataFrame) -> pd.Series:
    """Return at how many budgets each start beats random after Holm's correction, most first."""
    better = (summary["p_holm"] < ALPHA) & (summary["difference"] > 0)
    return summary.loc[better, "start"].value_counts()


def verdicts(summary: pd.DataFrame) -> list[str]:
    """Say at which budgets each start differs from random, after Holm's correction."""
    sentences = []
    for start, rows in summary[summary["p_holm"].notna()].groupby("start", sort=False):
        significant = rows[rows["p_holm"] < ALPHA]
        better = significant[significant["difference"] > 0]
        worse = significant[significant["difference"] < 0]
        parts = []
        for word, differing in (("better", better), ("worse", worse)):
            if len(differing):
                budgets = ", ".join(f"{budget:,}" for budget in differing["budget"])
                parts.append(f"{word} at {budgets} labels")
        sentences.append(f"{start} is {' and '.join(parts) or 'not to be told from random'}.")
    return sentences
