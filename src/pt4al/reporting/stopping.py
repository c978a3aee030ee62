"""Advise when to stop labelling, by rules with names; and judge the rules on runs that went on."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from pt4al.reporting.forecast import forecast

Advice = tuple[bool | None, str]  # whether to stop, None if the data can't say; and a sentence


def target(curve: pd.DataFrame, ahead: pd.DataFrame | None, wanted: float) -> Advice:
    """Stop when the lower end of the interval of the newest value is above what was wanted."""
    low = curve["low"].iloc[-1]
    is_below = "is" if low >= wanted else "is not yet"
    told = (
        f"The target of {100 * wanted:.1f} % {is_below} below the newest interval, which begins at {100 * low:.1f} %."
    )
    return bool(low >= wanted), told


def gain(curve: pd.DataFrame, ahead: pd.DataFrame | None, least: float) -> Advice:
    """Stop when the next cycle is expected to gain less than a threshold."""
    if ahead is None or ahead.empty:
        return None, "What the next cycle would gain can't be said: it takes three cycles, and one to come."
    more = 100 * (ahead["value"].iloc[0] - _now(curve, ahead))
    return bool(more < least), f"The next cycle is expected to gain {more:.1f} points; the threshold is {least:g}."


def flat(curve: pd.DataFrame, ahead: pd.DataFrame | None, least: float) -> Advice:
    """Stop when even the upper end of the forecast gains less than a threshold in all the cycles to come."""
    if ahead is None or ahead.empty:
        return None, "Whether the curve is flat can't be said: it takes three cycles, and one to come."
    most = 100 * (ahead["high"].iloc[-1] - _now(curve, ahead))
    return (
        bool(most < least),
        f"All {len(ahead)} cycles to come would gain {max(0.0, most):.1f} points at most; the threshold is {least:g}.",
    )


STOP_RULES: dict[str, Callable[[pd.DataFrame, pd.DataFrame | None, float], Advice]] = {
    "target": target,
    "gain": gain,
    "flat": flat,
}


def advise(curve: pd.DataFrame, ahead: pd.DataFrame | None, thresholds: dict[str, float | None]) -> list[dict]:
    """Return `rule`, `stop`, `sentence` of each rule that has a threshold.

    Parameters
    ----------
    curve
        `labels`, `value`, `low`, `high`, one row a cycle.
    ahead
        As `forecast` returns it; its attribute `now`, if any, is the fitted value of the newest cycle.
    thresholds
        By rule: a value from 0 to 1 for `target`, points for the others.
    """
    found = []
    for name, threshold in thresholds.items():
        if threshold is not None:
            stop, sentence = STOP_RULES[name](curve, ahead, threshold)
            found.append({"rule": name, "stop": stop, "sentence": sentence})
    return found


def judge(curves: pd.DataFrame, metric: str, thresholds: dict[str, float], rng: np.random.Generator) -> pd.DataFrame:
    """Return where each rule would have stopped recorded runs.

    Parameters
    ----------
    curves
        `run`, `labels` and the metric, one row a cycle, measured without noise to speak of.

    Returns
    -------
    `run`, `rule`, `stopped_at` (labels), `saved` (labels), `lost` (points).
    """
    rows = []
    for run, curve in curves.groupby("run", sort=False):
        whole = pd.DataFrame(
            {"labels": curve["labels"], "value": curve[metric], "low": curve[metric], "high": curve[metric]}
        )
        for name, threshold in thresholds.items():
            at = _stopped(whole.reset_index(drop=True), name, threshold, rng)
            last, here = whole.iloc[-1], whole.iloc[at]
            rows.append(
                {
                    "run": run,
                    "rule": name,
                    "stopped_at": int(here["labels"]),
                    "saved": int(last["labels"] - here["labels"]),
                    "lost": 100 * float(last["value"] - here["value"]),
                }
            )
    return pd.DataFrame(rows)


def _stopped(curve: pd.DataFrame, rule: str, threshold: float, rng: np.random.Generator) -> int:
    for cycle in range(len(curve) - 1):
        known = curve.iloc[: cycle + 1]
        labels = curve["labels"].to_numpy(float)
        ahead = forecast(labels[: cycle + 1], known["value"].to_numpy(), None, labels[cycle + 1 :], rng)
        if STOP_RULES[rule](known, ahead, threshold)[0]:
            return cycle
    return len(curve) - 1


def _now(curve: pd.DataFrame, ahead: pd.DataFrame) -> float:
    return ahead.attrs.get("now", curve["value"].iloc[-1])
