"""Rank arms over several data sets."""

import pandas as pd
from scipy.stats import friedmanchisquare


def ranks(summaries: dict[str, pd.DataFrame], metric: str) -> dict | None:
    """Rank the arms that all comparisons have, and test whether the ranks differ.

    A data set counts once, by its means over seeds: seeds are no independent data sets.

    Parameters
    ----------
    summaries
        By comparison, one a data set: see `pt4al.statistics.comparison.summary`.
    metric
        `area`, `final` or `low_budget`.

    Returns
    -------
    None with fewer than two data sets or three common arms. Else `ranks`: each arm's mean rank, 1
    is best; `by_data_set`: ranks by data set (row) and arm; `p` of Friedman's test; `nemenyi`: p of
    each pair of arms.

    Source: Demšar 2006, who asks for more than ten data sets (and five arms); with few the tests
    say little.
    """
    means = {
        name: table[table["repeat"] == 0].groupby("arm", sort=False)[metric].mean()
        for name, table in summaries.items()
    }
    table = pd.concat(means, axis=1, join="inner").T
    if len(table) < 2 or table.shape[1] < 3:
        return None
    # Late: it brings pyplot and seaborn, a second at the start of every command.
    import scikit_posthocs

    placed = table.rank(axis=1, ascending=False)
    return {
        "ranks": placed.mean(),
        "by_data_set": placed,
        "p": float(friedmanchisquare(*table.to_numpy().T).pvalue),
        "nemenyi": scikit_posthocs.posthoc_nemenyi_friedman(table.to_numpy())
        .set_axis(table.columns)
        .set_axis(table.columns, axis=1),
    }
