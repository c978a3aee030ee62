"""Compare arms over seeds: summarise cells, test differences, apply the rule stated before."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pt4al.errors import InputError
from pt4al.statistics.label_savings import savings
from pt4al.statistics.paired import interval, noise_floor, paired, penalties
from pt4al.statistics.ranks import ranks
from pt4al.statistics.verdict import CURVE_SUMMARIES, Rule, Verdict, best, verdict

CELL = ["arm", "seed", "repeat", "run"]


@dataclass(frozen=True)
class ComparisonSettings:
    """How cells are compared.

    Attributes
    ----------
    metric
        The metric's column.
    reference
        The arm that all others are compared with.
    rule
        Who wins, stated before the run.
    low_budget
        Number of initial cycles averaged for the low-budget score.
    others
        Cells of comparisons on other data, by name.
    """

    metric: str
    reference: str
    rule: Rule
    low_budget: int
    others: dict[str, pd.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """What the cells of a comparison say.

    Attributes
    ----------
    summary, arms
        See the functions `summary` and `by_arm`.
    paired
        Tests by the rule's metric, against the reference and the rule's opponents.
    penalties, savings, floor, verdict, best, ranks
        See the functions of these names; `floor`: `noise_floor`.
    """

    summary: pd.DataFrame
    arms: pd.DataFrame
    paired: pd.DataFrame
    penalties: pd.DataFrame
    savings: pd.DataFrame
    floor: dict | None
    verdict: Verdict
    best: str
    ranks: dict | None


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
        Number of initial cycles averaged for the low-budget score.

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
    for key, cell in cells.groupby(CELL, sort=False):
        names = dict(zip(CELL, key, strict=True))
        cell = cell.sort_values("cycle")
        labels = cell["labels"].to_numpy(float)
        values = cell[metric].to_numpy(float)
        grids.setdefault(tuple(cell["labels"]), names["run"])
        width = labels[-1] - labels[0]
        area = np.trapezoid(values, labels) / width if width else values.mean()
        low = values[:low_budget].mean()
        rows.append({**names, "area": area, "final": values[-1], "low_budget": low})
    if len(grids) > 1:
        (one, run), (other, other_run), *_ = grids.items()
        raise InputError(
            "cells were evaluated at different numbers of labels and can't be compared: "
            f"{run} at {', '.join(map(str, one))}; {other_run} at {', '.join(map(str, other))}"
        )
    return pd.DataFrame(rows, columns=[*CELL, *CURVE_SUMMARIES])


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
        for metric in CURVE_SUMMARIES:
            mean, low, high = interval(cells[metric].to_numpy())
            row |= {metric: mean, f"{metric}_low": low, f"{metric}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def compare(
    cells: pd.DataFrame, settings: ComparisonSettings, rng: np.random.Generator
) -> Comparison:
    """Return what the cells say. `cells`: as for `summary`; `rng`: draws the bootstrap's seeds."""
    metric = settings.metric
    rule = settings.rule
    table = summary(cells, metric, settings.low_budget)
    floor = noise_floor(table, rule.metric)
    opponents = list(dict.fromkeys([settings.reference, *rule.against]))
    data_sets = {"this one": table}
    for name, other in settings.others.items():
        data_sets[name] = summary(other, metric, settings.low_budget)
    return Comparison(
        summary=table,
        arms=by_arm(table),
        paired=paired(table, rule.metric, opponents),
        penalties=penalties(cells, metric),
        savings=savings(cells, metric, settings.reference, rng),
        floor=floor,
        verdict=verdict(table, rule, floor),
        best=best(table, rule),
        ranks=ranks(data_sets, rule.metric),
    )
