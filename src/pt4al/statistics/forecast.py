"""Say how good the model will be with more labels, from how good it was with fewer."""

import numpy as np
import pandas as pd

from pt4al.statistics.intervals import LEVEL

FEWEST = 3  # points that a power law can be fitted to
RESAMPLES = 300
# What a power law is off by, a cycle ahead, where the points have no noise of their own:
# docs/studies/2026-11-25-people_study.md.
MODEL_ERROR = 0.015
# What is missing shrinks by this power of the labels. All of it is tried: the other two parameters
# then have a closed form, and a band of hundreds of fits takes milliseconds.
RATES = np.geomspace(0.05, 2, 40)


def forecast(
    labels: np.ndarray,
    values: np.ndarray,
    images: np.ndarray | None,
    ahead: np.ndarray,
    rng: np.random.Generator,
    nested: bool = False,
) -> pd.DataFrame | None:
    """Continue a learning curve; None if it has fewer than three points.

    A power law, ceiling - drop * labels^-rate (Hestness et al. 2017), is fitted by least squares to
    the curve redrawn hundreds of times with the points' own noise, each weighted by its precision.
    The forecast is the mean of the fits, which back-tests found better than one fit; the 95 % band
    is theirs, widened by the model's error, which grows with the root of the cycles ahead. It
    supposes that queries go on as they did.

    Parameters
    ----------
    values
        Accuracy or mean IoU, 0 to 1, at these labels, which rise.
    images
        How many each was measured on, from which their noise is that of a share of right answers
        (of a mean IoU, whose images count by parts, it is less, and the band too wide); None: so
        many that it is small.
    ahead
        Labels to forecast for, which rise; the newest point's own are allowed.
    nested
        Each was measured on the images of the one before, and more: they are wrong together.

    Returns
    -------
    `labels`, `value`, `low`, `high`; and what that is above the fitted curve at the newest point:
    `gain`, and `most`, the upper end of the 95 % of fits that gain less, narrower than the band:
    how good the model is now cancels.
    """
    if len(labels) < FEWEST:
        return None
    noise = _noise(labels, values, images)
    drawn = (values + _drawn(noise, images if nested else None, rng)).clip(0, 1)
    everywhere = np.concatenate([labels[-1:], ahead]).astype(float)
    fitted = power_law(labels, drawn, noise, everywhere).clip(0, 1)
    cycles = (everywhere - labels[-1]) / np.diff(labels).mean()
    off = MODEL_ERROR * np.sqrt(cycles.clip(0)) * rng.normal(size=(RESAMPLES, 1))
    low, high = np.quantile((fitted + off)[:, 1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0).clip(
        0, 1
    )
    value = fitted[:, 1:].mean(axis=0)
    gain = (fitted[:, 1:] - fitted[:, :1]).mean(axis=0)
    most = np.quantile(fitted[:, 1:] - fitted[:, :1], LEVEL, axis=0)
    return pd.DataFrame(
        {"labels": ahead, "value": value, "low": low, "high": high, "gain": gain, "most": most}
    )


def together(
    labels: np.ndarray, values: np.ndarray, images: np.ndarray, rng: np.random.Generator
) -> dict[str, float] | None:
    """Return the newest cycle's `value` with a narrower interval, `low` and `high`.

    Uses the slices of earlier cycles, too. Supposes that the truth rises with the labels by a power
    law, and that no image is in two slices; None if there are fewer than three. In simulated runs
    it covered as often as the plain interval should: docs/studies/2026-11-25-people_study.md.
    """
    newest = forecast(labels, values, images, labels[-1:], rng)
    return None if newest is None else newest[["value", "low", "high"]].iloc[0].to_dict()


def power_law(
    labels: np.ndarray,
    values: np.ndarray,
    noise: np.ndarray,
    ahead: np.ndarray,
    rates: np.ndarray = RATES,
) -> np.ndarray:
    """Fit a power law to each of some curves, (curves, labels); return its values, (curves, ahead).

    It never falls and stays below 1; the least squares are the best within these bounds, of all
    `rates`.
    """
    weights = noise**-2.0 / (noise**-2.0).sum()
    steps = (labels / labels[-1]) ** -rates[:, None]  # (rates, labels)
    middle = steps @ weights
    mean = values @ weights
    apart = steps - middle[:, None]
    falls = -(values - mean[:, None]) @ (weights * apart).T / (weights * apart**2).sum(axis=1)
    drop = falls.clip(0)  # (curves, rates); 0: as good as its mean, for ever
    ceiling = mean[:, None] + drop * middle
    at_one = (1 - values) @ (weights * steps).T / (weights * steps**2).sum(axis=1)
    drop = np.where(ceiling > 1, at_one, drop)
    ceiling = ceiling.clip(max=1)
    missed = values[:, None] - ceiling[..., None] + drop[..., None] * steps
    curves = np.arange(len(values))
    best = (weights * missed**2).sum(axis=-1).argmin(axis=1)
    ceiling = ceiling[curves, best, None]
    drop = drop[curves, best, None]
    return ceiling - drop * (ahead / labels[-1]) ** -rates[best, None]


def _noise(labels: np.ndarray, values: np.ndarray, images: np.ndarray | None) -> np.ndarray:
    """Return each point's standard deviation: of its sample, and of what training runs vary by."""
    own = np.full(len(values), MODEL_ERROR)
    if images is None:
        return own
    # By a first fit: a lucky sample is no more precise than an unlucky one, and would pull the
    # curve up if it were.
    fitted = power_law(labels, values[None], np.sqrt(own**2 + 0.25 / images), labels)[0].clip(0, 1)
    smoothed = (fitted * images + 1) / (images + 2)
    return np.sqrt(own**2 + smoothed * (1 - smoothed) / images)


def _drawn(noise: np.ndarray, nested: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """Draw the points' errors, (draws, points); those of `nested` samples are growing sums."""
    independent = rng.normal(size=(RESAMPLES, len(noise)))
    if nested is None:
        return noise * independent
    added = np.diff(nested, prepend=0).clip(0)
    return noise * (independent * np.sqrt(added)).cumsum(axis=1) / np.sqrt(added.cumsum())
