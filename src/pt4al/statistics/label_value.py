"""What the labels bought: how good the model is, what more would bring, and what it cost."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from pt4al.errors import counted
from pt4al.statistics.forecast import FEWEST, forecast, together
from pt4al.statistics.stopping import advise

# An interval that reaches further than this to either side hides what a cycle usually gains.
WIDE = 0.1


@dataclass(frozen=True)
class LabellingPlan:
    """How labelling is planned to go on.

    Attributes
    ----------
    ahead
        Labels after each cycle to come.
    thresholds
        When to stop: see `pt4al.statistics.stopping.advise`.
    price
        Of a `label` and of an `hour`, each perhaps None, in a `currency`.
    """

    ahead: np.ndarray
    thresholds: dict[str, float | None]
    price: dict[str, float | str | None]


def label_value(
    curve: pd.DataFrame,
    reference: pd.DataFrame | None,
    plan: LabellingPlan,
    given: pd.DataFrame | None,
    rng: np.random.Generator,
    nested: bool = False,
) -> dict:
    """Return what the labels bought, as `worth.html` shows it and JSON keeps it.

    Parameters
    ----------
    curve
        One row a cycle: `labels`, `value`, `low`, `high`, `images` (measured on; missing: a test
        split).
    reference
        `labels`, `value` of a run that chose at random from the same pool; None where there is
        none.
    plan
        What is to come.
    given
        People's answers, see `cost`; None: nobody was asked.
    nested
        Each cycle was measured on the images of the one before, and more: control slices that are
        never trained on.

    Returns
    -------
    `curve`; `together`, the newest value by all slices so far, or None (`forecast.together`);
    `forecast`, rows that may be none; `advice`, as `stopping.advise` returns it; `cost`, `savings`
    and `unsaid`: sentences.
    """
    images = curve["images"].to_numpy(float) if curve["images"].notna().all() else None
    labels = curve["labels"].to_numpy(float)
    values = curve["value"].to_numpy(float)
    ahead = forecast(labels, values, images, plan.ahead, rng, nested)
    narrower = None
    sharpest = curve
    if images is not None and not nested:
        narrower = together(labels, values, images, rng)
    if narrower is not None:
        sharpest = curve.assign(low=[*curve["low"][:-1], narrower["low"]])
    return {
        "curve": curve.to_dict("records"),
        "together": narrower,
        "forecast": [] if ahead is None else ahead.to_dict("records"),
        "advice": advise(sharpest, ahead, plan.thresholds),
        "cost": cost(int(labels[-1]), plan.price, given),
        "savings": labels_saved(curve, reference),
        "unsaid": unsaid(curve, ahead),
    }


def cost(
    labels: int, price: dict[str, float | str | None], given: pd.DataFrame | None
) -> list[str]:
    """Return sentences on hours and money, as far as times and prices are known.

    What is paid for is what people did: each of several people's answers on an image, and each
    label that is given once more.

    Parameters
    ----------
    labels
        What is paid for where nobody was asked.
    given
        One row an answer, without those that were taken back: `label` (missing: skipped), `seconds`
        (NaN: not known). None: nobody was asked.
    """
    sentences = []
    hours = None
    if given is not None:
        labels = int(given["label"].notna().sum())
        timed = given["seconds"].dropna()
        if len(timed):
            # The median: who leaves for lunch with an image open has not looked at it for an hour.
            median = timed.median()
            hours = float(median) * len(given) / 3600
            sentences.append(
                f"About {_time(hours)} of labelling: {counted(len(given), 'answer')}, "
                f"{median:.1f} seconds each, the median of {len(timed):,}, which pauses hardly "
                "move; loading, talking and looking twice are not in it."
            )
    by_label = price["label"]
    by_hour = price["hour"]
    currency = price["currency"]
    if by_label is not None:
        sentences.append(
            f"{labels * by_label:,.2f} {currency} for {counted(labels, 'label')}, {by_label:g} each."
        )
    if by_hour is not None and hours is not None:
        sentences.append(f"{hours * by_hour:,.2f} {currency} at {by_hour:g} an hour.")
    return sentences


def _time(hours: float) -> str:
    if hours < 0.1:
        return f"{max(round(60 * hours), 1)} min"
    return f"{hours:.1f} hours"


def labels_saved(curve: pd.DataFrame, reference: pd.DataFrame | None) -> str:
    """Say how many labels random choice would have needed for the same, as far as the data can say.

    Supposes that the reference, made monotone, runs straight between its points, and that both runs
    are measured on the same kind of images. Its own noise is left out; the newest interval's ends
    are looked up too.
    """
    if reference is None or reference.empty:
        return (
            "Whether choosing saved labels can't be said: that takes a run on the same pool whose "
            "images were drawn at random, and labels for it. The control slices measure the model, "
            "they don't replace that run: estimates from them were tried, and were wrong too often."
        )
    labels = reference["labels"].to_numpy(float)
    values = isotonic_regression(reference["value"]).x
    last = curve.iloc[-1]
    low, needed, high = (_needed(last[name], labels, values) for name in ("low", "value", "high"))
    ends = f"{low} at the lower end of its interval, {high} at the upper"
    if low == high:
        ends = "the same at both ends of its interval"
    return (
        f"For the same {100 * last['value']:.1f} % the random run needed {needed} ({ends}), this "
        f"one {last['labels']:,.0f}. One run each, and straight lines between the random run's "
        "points: another seed may say otherwise."
    )


def unsaid(curve: pd.DataFrame, ahead: pd.DataFrame | None) -> list[str]:
    """Return sentences on what these data can't say. `ahead`: the forecast, or None."""
    last = curve.iloc[-1]
    sentences = []
    if ahead is None:
        sentences.append(
            f"What more labels would bring: that takes {FEWEST} measured cycles, there are "
            f"{len(curve)}."
        )
    if max(last["high"] - last["value"], last["value"] - last["low"]) > WIDE:
        width = 100 * (last["high"] - last["low"])
        sentences.append(
            f"Whether a cycle helped: the newest interval is {width:.0f} points wide, and a cycle "
            "usually gains less. More control images narrow it: four times as many halve it."
        )
    sentences.append(
        "How good the model is on pictures unlike the pool's, or on one class: all is of the pool, "
        "as a whole."
    )
    return sentences


def _needed(value: float, labels: np.ndarray, values: np.ndarray) -> str:
    """Say at how many labels a rising curve reaches a value."""
    if value > values[-1]:
        return f"more than its {labels[-1]:,.0f} labels"
    if value <= values[0]:
        return f"{labels[0]:,.0f} labels or fewer"
    return f"about {np.interp(value, values, labels):,.0f} labels"
