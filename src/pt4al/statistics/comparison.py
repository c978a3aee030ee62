"""Compare arms over seeds: sum cells up, test differences, and say by a rule stated before who wins."""

import numpy as np
import pandas as pd

from pt4al.errors import InputError
from pt4al.statistics.label_savings import savings
from pt4al.statistics.paired import interval, noise_floor, paired, penalties
from pt4al.statistics.ranks import ranks
from pt4al.statistics.verdict import METRICS, best, verdict

__all__ = [
    "METRICS",
    "best",
    "by_arm",
    "compare",
    "noise_floor",
    "paired",
    "penalties",
    "ranks",
    "savings",
    "summary",
    "verdict",
]


def summary(cells: pd.DataFrame, metric: str, low_budget: int) -> pd.DataFrame:
    """Sum up each cell's learning curve.

    Parameters
    ----------
    cells
        One row a cell and cycle: `arm`, `seed`, `repeat`, `run`, `cycle`, `labels` and the metric
        from 0 to 1.
    metric
        The metric's column, such as `accuracy`.
    low_budget
        Of how many first cycles the mean is the low-budget number.

    Returns
    -------
    One row a cell, in the order of first appearance: `arm`, `seed`, `repeat`, `run`; `area`, the
    mean height of the curve over the range of its labels; `final` and `low_budget`; all from 0 to
    1.

    Raises
    ------
    InputError
        If cells were not evaluated at the same numbers of labels: their areas can't be compared.

    Source: Yang and Loog 2018 and others: the normalised area under the learning curve.
    """
    rows = []
    grids = {}
    for (arm, seed, repeat, run), cell in cells.groupby(
        ["arm", "seed", "repeat", "run"], sort=False
    ):
        cell = cell.sort_values("cycle")
        labels = cell["labels"].to_numpy(float)
        values = cell[metric].to_numpy(float)
        grids.setdefault(tuple(cell["labels"]), run)
        width = labels[-1] - labels[0]
        area = np.trapezoid(values, labels) / width if width else values.mean()
        numbers = {"area": area, "final": values[-1], "low_budget": values[:low_budget].mean()}
        rows.append({"arm": arm, "seed": seed, "repeat": repeat, "run": run, **numbers})
    if len(grids) > 1:
        found = "; ".join(
            f"{run} at {', '.join(map(str, labels))}" for labels, run in list(grids.items())[:2]
        )
        raise InputError(
            f"cells were evaluated at different numbers of labels and can't be compared: {found}"
        )
    return pd.DataFrame(rows, columns=["arm", "seed", "repeat", "run", *METRICS])


def by_arm(summary: pd.DataFrame) -> pd.DataFrame:
    """Return each arm's means over seeds with their 95 % t-intervals; repetitions are left out.

    Returns
    -------
    One row an arm: `arm`, `seeds`, and for each of `area`, `final`, `low_budget` the mean and, with
    `_low` and `_high` after its name, the interval's ends (NaN with one seed), from 0 to 1.
    """
    rows = []
    for arm, cells in summary[summary["repeat"] == 0].groupby("arm", sort=False):
        row = {"arm": arm, "seeds": len(cells)}
        for metric in METRICS:
            row[metric], row[f"{metric}_low"], row[f"{metric}_high"] = interval(
                cells[metric].to_numpy()
            )
        rows.append(row)
    return pd.DataFrame(rows)


def compare(cells: pd.DataFrame, settings: dict, rng: np.random.Generator) -> dict:
    """Return all that the page says of the cells.

    Parameters
    ----------
    cells
        As for `summary`.
    settings
        `metric`: the metric's column; `reference`, `rule` (`claim`, `against`, `metric`, `alpha`,
        `least_gain`) and `low_budget` as in the block `comparison`; `others`: other comparisons'
        cells by name, the same columns.
    rng
        Draws the bootstrap's seeds.

    Returns
    -------
    `summary`, `arms`, `paired` (by the rule's metric, against the reference and the rule's
    opponents), `penalties`, `savings`: tables; `floor`: see `noise_floor`; `verdict`, `best`: see
    there; `ranks`: see there, or None.
    """
    metric = settings["metric"]
    rule = settings["rule"]
    low_budget = settings["low_budget"]
    table = summary(cells, metric, low_budget)
    floor = noise_floor(table, rule["metric"])
    opponents = list(dict.fromkeys([settings["reference"], *rule["against"]]))
    others = {
        name: summary(other, metric, low_budget) for name, other in settings["others"].items()
    }
    return {
        "summary": table,
        "arms": by_arm(table),
        "paired": paired(table, rule["metric"], opponents),
        "penalties": penalties(cells, metric),
        "savings": savings(cells, metric, settings["reference"], rng),
        "floor": floor,
        "verdict": verdict(table, rule, floor),
        "best": best(table, rule),
        "ranks": ranks({"this one": table, **others}, rule["metric"]),
    }
