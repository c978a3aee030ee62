"""Say in words what a single run has reached, and whether choosing helped."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pt4al.errors import counted
from pt4al.statistics import intervals
from pt4al.statistics.forecast import FEWEST
from pt4al.statistics.verdict import points

# Control images, or an interval of theirs, that say too little for a number to be shown first: from
# 10 images on Wilson's interval covers as it should, and one of 30 points hides what several cycles
# gain (docs/studies/2026-11-25-people_study.md).
FEWEST_IMAGES = 10
WIDEST = 0.3
NO_BASELINE = "No baseline yet: can't say whether choosing helped."


@dataclass(frozen=True)
class MeasuredRun:
    """A run as its test split, or its control images, show it.

    Attributes
    ----------
    name
        The run's name.
    curve
        `labels` and `value` (a share), one row a cycle; of control images also `low`, `high`,
        `images`.
    right
        Whether its last model is right about each test image, bool, by id; None where the value is
        no share of right answers, or that is not known.
    images
        Test images; None where the value is no share of right answers.
    """

    name: str
    curve: pd.DataFrame
    right: pd.Series | None = None
    images: int | None = None

    @property
    def controlled(self) -> bool:
        """Whether control images stand in for a test split."""
        return "images" in self.curve


def judge(
    run: MeasuredRun, random: MeasuredRun | None, metric: str, at_random: bool = False
) -> dict[str, Any]:
    """Return what a run has reached; against a run that chose at random, where there is one.

    Parameters
    ----------
    random
        On the same test split, with the same numbers of labels.
    metric
        In words: `accuracy`.
    at_random
        Whether the run itself chooses at random: it needs no other one.

    Returns
    -------
    `lead` and `rest`: a headline in two parts, the first of which is the result; `interval` and
    `note`: what there is to know of it, a clause and sentences; `outcome`: `above`, `below`,
    `level` (its interval holds 0) or None; `rows`: see `table`.
    """
    rows = table(run, random)
    last = rows[-1]
    rest = f"{metric} with {last['labels']:,} labels"
    if random is None or last["difference"] is None:
        note = NO_BASELINE
        lead = _share(last["value"])
        if at_random:
            note = "It chose at random: a baseline for other runs."
        elif run.controlled:
            note = ""
        if run.controlled and last["low"] is not None:  # so few images that their share says less
            lead = f"{100 * last['low']:.1f} to {_share(last['high'])}"
        return {
            "lead": lead,
            "rest": rest,
            "outcome": None,
            "interval": _own_interval(run, last),
            "note": note,
            "rows": rows,
        }
    return _against(run, random, last) | {"rows": rows}


def too_early(
    curve: pd.DataFrame, together: dict[str, float] | None, nested: bool, rounds_left: int
) -> dict[str, Any] | None:
    """Return, in place of a headline, that control images are too few to say anything; else None.

    Parameters
    ----------
    curve
        `low`, `high` and `images` by round, at least one.
    together
        `low` and `high` of all slices so far, if they can be put together (`forecast.together`).
    nested
        Whether each round is measured on the images of those before, too.
    rounds_left
        Rounds that the run still has.
    """
    last = curve.iloc[-1]
    images = last["images"]
    gathered = images if nested else curve["images"].sum()
    ends = last
    if together is not None:
        ends = together
        images = gathered
    width = ends["high"] - ends["low"]
    if images >= FEWEST_IMAGES and width <= WIDEST:
        return None
    a_round = max(gathered / len(curve), 1)
    missing = _needed((ends["low"] + ends["high"]) / 2) - gathered
    rounds = max(math.ceil(missing / a_round), 1)
    if not nested:  # slices of fewer rounds are not put together
        rounds = max(rounds, FEWEST - len(curve))
    way_out = "."
    if rounds > rounds_left:
        way_out = (
            f"; this run has {rounds_left or 'none'} to come. "
            "A larger `control.share`, in another run, gets there sooner."
        )
    return {
        "lead": "Too early to say:",
        "rest": counted(int(images), "control image"),
        "outcome": None,
        "interval": f"95 % interval {100 * ends['low']:.0f} to {100 * ends['high']:.0f} %",
        "note": f"A useful number needs about {counted(rounds, 'more round')}{way_out}",
    }


def table(run: MeasuredRun, random: MeasuredRun | None) -> list[dict[str, Any]]:
    """Return a row a cycle: `labels`, `value`, `low`, `high`, `random`, `difference`.

    What is not known is None; `difference` is a share. `random` is the other run's value with the
    same number of labels.
    """
    others = {}
    if random is not None:
        others = dict(zip(random.curve["labels"], random.curve["value"], strict=True))
    rows = []
    for point in run.curve.to_dict("records"):
        value = _known(point["value"])
        other = _known(others.get(point["labels"]))
        low = _known(point.get("low"))
        high = _known(point.get("high"))
        if run.images and value is not None:
            ends = intervals.share(round(value * run.images), run.images)
            low, high = ends["low"], ends["high"]
        apart = None
        if value is not None and other is not None:
            apart = value - other
        rows.append(
            {
                "labels": int(point["labels"]),
                "value": value,
                "low": low,
                "high": high,
                "random": other,
                "difference": apart,
            }
        )
    return rows


def in_words(verdict: dict[str, Any]) -> str:
    """Return a verdict as one line, for a terminal."""
    told = f" ({verdict['interval']})" if verdict["interval"] else ""
    note = f". {verdict['note']}" if verdict["outcome"] is None and verdict["note"] else ""
    return f"{verdict['lead']} {verdict['rest']}{told}{note}"


def _against(run: MeasuredRun, random: MeasuredRun, last: dict[str, Any]) -> dict[str, Any]:
    apart = last["difference"]
    outcome = "above" if apart > 0 else "below"
    rest = f"random with {last['labels']:,} labels"
    lead = f"{_points(apart)} {outcome}"
    ends, note = _difference_interval(run, random, last)
    interval = "one run each"
    if ends is not None:
        span = f"{points(100 * ends['low'])} to {points(100 * ends['high'])} points"
        interval = f"95 % interval {span}; one run each"
        if ends["low"] <= 0 <= ends["high"]:
            outcome = "level"
            rest = f"{rest}, which may be chance"
    if not apart:
        outcome = "level"
        lead = "No better and no worse than"
    return {"lead": lead, "rest": rest, "outcome": outcome, "interval": interval, "note": note}


def _difference_interval(
    run: MeasuredRun, random: MeasuredRun, last: dict[str, Any]
) -> tuple[dict[str, float] | None, str]:
    """Return the interval of the last difference, and what it is of in a sentence."""
    if not run.images:
        return (
            None,
            "The difference has no interval: the values are no shares of the same test images.",
        )
    seeds = "what another seed would change is not in it"
    if run.right is not None and random.right is not None:
        both = pd.concat([run.right, random.right], axis=1, join="inner")
        if len(both) == run.images == len(random.right):
            ends = intervals.paired_difference(*both.to_numpy(bool).T)
            return (
                ends,
                f"The interval is of the same {run.images:,} test images, in pairs; {seeds}.",
            )
    counts = [round(last[name] * run.images) for name in ("value", "random")]
    unpaired = "not in pairs, since it is not known which ones each run got right"
    note = f"The interval is of {run.images:,} test images, {unpaired}; {seeds}."
    return intervals.difference(*counts, run.images), note


def _own_interval(run: MeasuredRun, last: dict[str, Any]) -> str:
    if last["low"] is None:
        return ""
    if run.controlled:
        images = counted(int(run.curve["images"].iloc[-1]), "control image")
        return f"95 % interval of {images}, on which it is {_share(last['value'])}"
    span = f"95 % interval {100 * last['low']:.1f} to {100 * last['high']:.1f} %"
    sample = "the test images" if run.images is None else f"{run.images:,} test images"
    return f"{span}, of {sample} alone: another seed differs too"


def _needed(middle: float) -> int:
    """Return how many images narrow an interval around a share to `WIDEST`."""
    images = FEWEST_IMAGES
    while True:
        ends = intervals.share(middle * images, images)
        if ends["high"] - ends["low"] <= WIDEST:
            return images
        images += 1


def _points(share: float) -> str:
    size = f"{100 * abs(share):.1f}".removesuffix(".0")
    return f"{size} point" if size == "1" else f"{size} points"


def _share(value: float | None) -> str:
    return "Unknown" if value is None else f"{100 * value:.1f} %"


def _known(value: Any) -> float | None:
    """Return a number, or None for one that is missing."""
    if value is None or not np.isfinite(float(value)):
        return None
    return float(value)
