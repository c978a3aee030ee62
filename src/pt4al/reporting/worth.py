"""What the labels bought: how good the model is, what more would bring, what it cost, and what can't be said."""

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from pt4al.reporting.forecast import forecast
from pt4al.reporting.stopping import advise


def worth(
    curve: pd.DataFrame,
    reference: pd.DataFrame | None,
    ahead: np.ndarray,
    thresholds: dict[str, float | None],
    price: dict[str, float | str | None],
    seconds: pd.Series,
    rng: np.random.Generator,
) -> dict:
    """Return the facts of the report's section.

    Parameters
    ----------
    curve
        One row a cycle: `labels`, `value`, `low`, `high`, `images` (measured on; missing: a test split).
    reference
        `labels`, `value` of a run that chose at random from the same pool; None where there is none.
    ahead
        Labels after each cycle to come.
    thresholds
        See `stopping.advise`.
    price
        Of a `label` and of an `hour`, each perhaps None, in a `currency`.
    seconds
        That people looked at each image they answered.
    """
    images = curve["images"].to_numpy() if curve["images"].notna().all() else None
    found = forecast(curve["labels"].to_numpy(float), curve["value"].to_numpy(float), images, ahead, rng)
    return {
        "curve": curve.to_dict("records"),
        "forecast": [] if found is None else found.to_dict("records"),
        "advice": advise(curve, found, thresholds),
        "cost": cost(int(curve["labels"].iloc[-1]), price, seconds),
        "savings": savings(curve, reference),
    }


def cost(labels: int, price: dict[str, float | str | None], seconds: pd.Series) -> list[str]:
    """Return sentences on hours and money; what nobody has set a price for is left out."""
    found = []
    known = seconds.dropna()
    hours = None
    if len(known):
        # The median: who leaves for lunch with an image open has not looked at it for an hour.
        hours = float(known.median()) * labels / 3600
        found.append(
            f"About {hours:.1f} hours of labelling: {known.median():.1f} seconds an image (median of {len(known):,})."
        )
    by_label, by_hour, currency = price["label"], price["hour"], price["currency"]
    if by_label is not None:
        found.append(f"{labels * by_label:,.2f} {currency} at {by_label:g} a label.")
    if by_hour is not None and hours is not None:
        found.append(f"{hours * by_hour:,.2f} {currency} at {by_hour:g} an hour.")
    return found


def savings(curve: pd.DataFrame, reference: pd.DataFrame | None) -> str:
    """Say how many labels random choice would have needed for the same, as far as the data can say."""
    if reference is None or reference.empty:
        return (
            "Whether choosing saved labels can't be said: that takes a run on the same pool whose images were drawn "
            "at random, and labels for it. The control slices measure the model, they don't replace that run."
        )
    labels, values = reference["labels"].to_numpy(float), isotonic_regression(reference["value"]).x
    last = curve.iloc[-1]
    if last["value"] > values[-1]:
        return (
            f"The random run never got as far with its {labels[-1]:,.0f} labels ({100 * values[-1]:.1f} %): it would "
            "need more. One run each: another seed may say otherwise."
        )
    needed = float(np.interp(last["value"], values, labels))
    return (
        f"For the same {100 * last['value']:.1f} % the random run needed about {needed:,.0f} labels, this one "
        f"{last['labels']:,.0f}. One run each, and straight lines between its points: another seed may say otherwise."
    )
