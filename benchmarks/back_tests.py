"""Forecast recorded curves from their beginnings, and say where each rule would have stopped them."""

import numpy as np
import pandas as pd

from pt4al.statistics.forecast import FEWEST, forecast, together
from pt4al.statistics.stopping import STOP_RULES

COLUMNS = ["run", "known", "ahead", "truth", "power_law", "last", "slope", "low", "high", "inside"]


def back_test(curves: pd.DataFrame, rng: np.random.Generator, nested: bool = False) -> pd.DataFrame:
    """Forecast each later point of recorded curves from the points before it.

    Parameters
    ----------
    curves
        One row a cycle: `run`, `labels`, `value`, and perhaps `images` (measured on) and `truth`
        (the value without noise; else the value stands for it).
    nested
        See `pt4al.statistics.forecast.forecast`.

    Returns
    -------
    `run`, `known` (points), `ahead` (cycles), `truth`, and what is said by the `power_law`, by the
    `last` value and by the last `slope`; `low` and `high` of the power law's band, and whether the
    truth is `inside`.
    """
    tests = [
        _back_test(curve, known, rng, nested).assign(run=run)
        for run, curve in curves.groupby("run", sort=False)
        for known in range(FEWEST, len(curve))
    ]
    if not tests:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat(tests, ignore_index=True)[COLUMNS]


def _back_test(curve: pd.DataFrame, known: int, rng: np.random.Generator, nested: bool) -> pd.DataFrame:
    labels = curve["labels"].to_numpy(float)
    values = curve["value"].to_numpy(float)
    images = curve["images"].to_numpy(float)[:known] if "images" in curve else None
    truth = curve["truth" if "truth" in curve else "value"].to_numpy(float)[known:]
    said = forecast(labels[:known], values[:known], images, labels[known:], rng, nested)
    last = values[known - 1]
    before = values[known - 2]
    slope = (last - before) / (labels[known - 1] - labels[known - 2])
    return said.rename(columns={"value": "power_law"}).assign(
        known=known,
        ahead=np.arange(1, len(truth) + 1),
        truth=truth,
        last=last,
        slope=np.minimum(1.0, last + slope * (labels[known:] - labels[known - 1])),
        inside=(said["low"] <= truth) & (truth <= said["high"]),
    )


def judge(
    curves: pd.DataFrame,
    thresholds: dict[str, float],
    rng: np.random.Generator,
    nested: bool = False,
) -> pd.DataFrame:
    """Return where each rule would have stopped recorded runs.

    Parameters
    ----------
    curves
        One row a cycle: `run`, `labels`, `value`; and perhaps, as a control slice gives them,
        `low`, `high`, `images` (measured on), which the rules then see, and `truth`, by which what
        is lost is counted. Without them, the value is taken as exact.
    nested
        See `pt4al.statistics.forecast.forecast`.

    Returns
    -------
    `run`, `rule`, `stopped_at` (labels), `truth` there, `saved` (labels), `lost` (points).
    """
    rows = []
    for run, curve in curves.groupby("run", sort=False):
        exact = {name: curve["value"] for name in ("low", "high", "truth") if name not in curve}
        whole = curve.assign(**exact).reset_index(drop=True)
        for name, threshold in thresholds.items():
            here = whole.iloc[_stopped(whole, name, threshold, rng, nested)]
            last = whole.iloc[-1]
            saved = int(last["labels"] - here["labels"])
            lost = 100 * float(last["truth"] - here["truth"])
            stopped = {"stopped_at": int(here["labels"]), "truth": float(here["truth"])}
            rows.append({"run": run, "rule": name, **stopped, "saved": saved, "lost": lost})
    return pd.DataFrame(rows)


def _stopped(curve: pd.DataFrame, rule: str, threshold: float, rng: np.random.Generator, nested: bool) -> int:
    """Return the cycle after which the rule would have stopped, the last one if never."""
    labels = curve["labels"].to_numpy(float)
    values = curve["value"].to_numpy(float)
    for known in range(1, len(curve)):
        images = curve["images"].to_numpy(float)[:known] if "images" in curve else None
        seen = curve.iloc[:known]
        ahead = forecast(labels[:known], values[:known], images, labels[known:], rng, nested)
        if images is not None and not nested:
            narrower = together(labels[:known], values[:known], images, rng)
            seen = seen if narrower is None else seen.assign(low=narrower["low"])
        if STOP_RULES[rule](seen, ahead, threshold)[0]:
            return known - 1
    return len(curve) - 1
