"""Test whether arms differ, seed by seed, and how much two runs of one arm differ by chance."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from pt4al.errors import InputError

POINTS = 100  # percentage points in 1
# Differences of metrics from 0 to 1 whose spread is below this are equal but for their floating
# point.
SAME = 1e-12


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of values (N,) and its 95 % t-interval, whose ends are NaN for one value."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return mean, mean - half, mean + half


def t_test(differences: np.ndarray) -> float:
    """Return the two-sided p of the paired t-test, of differences (N,), N > 1.

    Differences without spread have no t: Wilcoxon's p, which counts signs then, stands in for it.
    """
    if np.ptp(differences) < SAME:
        return signed_ranks(differences)
    return float(stats.ttest_1samp(differences, 0).pvalue)


def signed_ranks(differences: np.ndarray) -> float:
    """Return the two-sided p of Wilcoxon's signed ranks, of differences (N,)."""
    # Equal accuracies are ties, not what floating point makes of their differences.
    rounded = np.round(differences, 12)
    return float(stats.wilcoxon(rounded).pvalue) if rounded.any() else 1.0


def holm(p: np.ndarray) -> np.ndarray:
    """Return p-values (N,) corrected for N tests, in their order (Holm 1979).

    As statsmodels' `multipletests`, which collects the garbage of the whole process at each call:
    up to a second.
    """
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return corrected


def paired(summary: pd.DataFrame, metric: str, against: list[str]) -> pd.DataFrame:
    """Test every arm against each opponent over the seeds that both have; repetitions are left out.

    Parameters
    ----------
    summary
        See `pt4al.statistics.comparison.summary`.
    metric
        `area`, `final` or `low_budget`.
    against
        Arms; a pair of opponents is tested once, under the first.

    Returns
    -------
    One row a test: `arm`, `against`, `seeds`; `difference` (arm minus opponent) and its 95 %
    t-interval `low`, `high`, in points; `p` of the paired t-test, `p_holm` corrected over all rows,
    `p_wilcoxon` as a check (not corrected; with 5 seeds it can't fall below 0.0625).

    Raises
    ------
    InputError
        If an opponent has no cells, or two arms have fewer than two seeds in common.

    Source: Holm 1979; Dror et al. 2018 for the choice of tests.
    """
    values = _by_seed(summary, metric)
    rows = []
    tested = set()
    for opponent in against:
        if opponent not in values:
            raise InputError(
                f"arm {opponent} has no cells to compare with: there are {', '.join(values)}"
            )
        for arm in values.columns.drop(opponent):
            if frozenset((arm, opponent)) not in tested:
                tested.add(frozenset((arm, opponent)))
                rows.append(
                    {
                        "arm": arm,
                        "against": opponent,
                        **_test(values[arm] - values[opponent], arm, opponent),
                    }
                )
    columns = ["arm", "against", "seeds", "difference", "low", "high", "p", "p_holm", "p_wilcoxon"]
    table = pd.DataFrame(rows, columns=columns)
    if rows:
        table["p_holm"] = holm(table["p"].to_numpy())
    return table


def _by_seed(summary: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the metric by seed (row) and arm (column, in order of appearance)."""
    first = summary[summary["repeat"] == 0]
    return first.pivot_table(index="seed", columns="arm", values=metric)[first["arm"].unique()]


def _test(differences: pd.Series, arm: str, opponent: str) -> dict:
    shared = differences.dropna().to_numpy()
    if len(shared) < 2:
        raise InputError(
            f"arms {arm} and {opponent} share {len(shared)} of their seeds: a paired test needs two"
        )
    mean, low, high = (POINTS * value for value in interval(shared))
    tests = {"p": t_test(shared), "p_wilcoxon": signed_ranks(shared)}
    return {"seeds": len(shared), "difference": mean, "low": low, "high": high, **tests}


def penalties(cells: pd.DataFrame, metric: str, alpha: float = 0.05) -> pd.DataFrame:
    """Return how often each arm (row) beats each other (column): the pairwise penalty matrix.

    Parameters
    ----------
    cells
        One row a cell and cycle: `arm`, `seed`, `repeat`, `cycle` and the metric.

    Returns
    -------
    Arms x arms: the share of cycles at which the row's arm is significantly better than the
    column's, by a paired t-test over seeds at `alpha`, uncorrected. A column's mean is its arm's
    penalty: less is better.

    Source: Ash et al. 2020 (BADGE), section 4.
    """
    first = cells[cells["repeat"] == 0]
    arms = list(first["arm"].unique())
    matrix = pd.DataFrame(0.0, index=arms, columns=arms)
    curves = {
        arm: cell.pivot_table(index="cycle", columns="seed", values=metric)
        for arm, cell in first.groupby("arm")
    }
    for one, other in combinations(arms, 2):
        differences = (curves[one] - curves[other]).dropna(axis=1).to_numpy()
        if differences.shape[1] < 2:
            continue
        beaten = np.array([t_test(row) < alpha for row in differences])
        better = differences.mean(axis=1) > 0
        matrix.loc[one, other] = np.mean(beaten & better)
        matrix.loc[other, one] = np.mean(beaten & ~better)
    return matrix


def noise_floor(summary: pd.DataFrame, metric: str) -> dict | None:
    """Return how large a difference two equal arms reach by chance, from the arm that ran twice.

    Returns
    -------
    None where no arm was repeated on at least two seeds. Else `arm`; `seeds` repeated; `deviation`,
    the standard deviation of repetition minus first run by seed, and `floor`, half the width of the
    95 % t-interval of a mean of such differences over as many seeds as the comparison has, both in
    points.
    """
    repeated = summary[summary["repeat"] == 1]
    if repeated.empty:
        return None
    arm = repeated["arm"].iloc[0]
    first = summary[(summary["arm"] == arm) & (summary["repeat"] == 0)].set_index("seed")[metric]
    differences = (repeated[repeated["arm"] == arm].set_index("seed")[metric] - first).dropna()
    if len(differences) < 2:
        return None
    deviation = POINTS * float(differences.std(ddof=1))
    seeds = summary.loc[summary["repeat"] == 0, "seed"].nunique()
    floor = float(stats.t.ppf(0.975, len(differences) - 1)) * deviation / np.sqrt(seeds)
    return {"arm": arm, "seeds": len(differences), "deviation": deviation, "floor": float(floor)}
