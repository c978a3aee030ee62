"""Say how many labels the reference needs to be as good as another arm."""

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression


def savings(
    cells: pd.DataFrame,
    metric: str,
    reference: str,
    rng: np.random.Generator,
    resamples: int = 1000,
) -> pd.DataFrame:
    """Return the labels at which the reference's mean curve reaches each arm's at each budget.

    Both mean curves are made monotone first, so that chance dips don't count. The interval
    resamples seeds, the same ones for both arms (percentile bootstrap); with few seeds it is a
    rough one.

    Parameters
    ----------
    cells
        One row a cell and cycle: `arm`, `seed`, `repeat`, `labels` and the metric; the same labels
        for all.
    rng
        Draws the seeds, `resamples` times.

    Returns
    -------
    One row an arm and budget: `arm`, `labels`, `needed`, `low`, `high`. Infinite: more than the
    reference was ever given; the smallest number of labels: that many or fewer.
    """
    first = cells[cells["repeat"] == 0]
    curves = first.pivot_table(index="seed", columns=["arm", "labels"], values=metric).dropna()
    labels = np.sort(first["labels"].unique())
    arms = list(first["arm"].unique())
    values = {arm: curves[arm][labels].to_numpy() for arm in arms}
    seeds = len(curves)
    draws = [np.arange(seeds), *rng.integers(seeds, size=(resamples, seeds))]
    rows = []
    references = [_monotone(values[reference][draw]) for draw in draws]
    for arm in arms:
        reached = [
            _reached(labels, own, _monotone(values[arm][draw]))
            for draw, own in zip(draws, references, strict=True)
        ]
        # No interpolation between resamples: some of them are infinite.
        low, high = np.quantile(reached[1:], [0.025, 0.975], axis=0, method="inverted_cdf")
        numbers = {"labels": labels, "needed": reached[0], "low": low, "high": high}
        rows.append(pd.DataFrame({"arm": arm, **numbers}))
    return pd.concat(rows, ignore_index=True)


def compare_in_words(curve: pd.DataFrame, other: pd.DataFrame, name: str, metric: str) -> str:
    """Compare a curve with another run's on the same pool, in a sentence.

    Parameters
    ----------
    curve, other
        `labels` and the metric, a share, one row a cycle; both with as many labels somewhere.
    """
    both = sorted(set(curve["labels"]) & set(other["labels"]))
    if not both:
        return f"{name} was measured with other numbers of labels."
    labels = curve["labels"].to_numpy()
    own = isotonic_regression(curve[metric].to_numpy()).x
    here, there = (float(table.set_index("labels")[metric][both[-1]]) for table in (curve, other))
    measured = (
        f"With {both[-1]:,} labels this run has {100 * here:.1f} %, {name} {100 * there:.1f} %"
    )
    needed = _reached(labels, own, np.array([there]))[0]
    if here <= there or np.isinf(needed):
        return f"{measured}: it was not better."
    most = " or fewer" if needed == labels[0] else ""
    return f"{measured}, which this run had with {needed:,.0f} labels{most}."


def _monotone(curves: np.ndarray) -> np.ndarray:
    return isotonic_regression(curves.mean(axis=0)).x


def _reached(labels: np.ndarray, curve: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the labels where a rising curve reaches each target; infinite where it never does."""
    after = np.searchsorted(curve, targets - 1e-12)
    inside = (after > 0) & (after < len(curve))
    reached = np.where(after == 0, float(labels[0]), np.inf)
    right = after[inside]
    share = (targets[inside] - curve[right - 1]) / (curve[right] - curve[right - 1])
    reached[inside] = labels[right - 1] + share * (labels[right] - labels[right - 1])
    return reached
