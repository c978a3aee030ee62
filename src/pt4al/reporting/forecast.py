"""Say how good the model will be with more labels, from how good it was with fewer."""

import numpy as np
import pandas as pd
from scipy.optimize import curve_fit

FEWEST = 3  # points that a power law can be fitted to
RESAMPLES = 300
# What a power law is off by where the points have no noise of their own, in back-tests: docs/people_study.md.
MODEL_ERROR = 0.01
BOUNDS = ([0.0, 0.0, 0.05], [1.0, 2.0, 2.0])


def power_law(labels: np.ndarray, ceiling: float, drop: float, rate: float) -> np.ndarray:
    """The usual shape of learning curves (Hestness et al. 2017): what is missing shrinks by a power of the labels."""
    return ceiling - drop * (labels / 100.0) ** -rate


def forecast(
    labels: np.ndarray, values: np.ndarray, images: np.ndarray | None, ahead: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame | None:
    """Continue a learning curve; None if it has fewer than three points.

    The curve is fitted by least squares, each point weighted by its precision. The 95 % band is of fits to curves
    redrawn with the points' own noise, widened by the model's error. It supposes that queries go on as they did.

    Parameters
    ----------
    values
        Accuracy or mean IoU, 0 to 1, at these labels.
    images
        How many each was measured on; None: so many that their noise is small.
    ahead
        Labels to forecast for.

    Returns
    -------
    `labels`, `value`, `low`, `high`; its attribute `now` is the fitted value of the newest point.
    """
    if len(labels) < FEWEST:
        return None
    noise = np.full(len(values), MODEL_ERROR)
    if images is not None:
        # Of a sample that is all right, the variance is not 0: one more of each kind is added.
        smoothed = (values * images + 1) / (images + 2)
        noise = np.sqrt(noise**2 + smoothed * (1 - smoothed) / images)
    fitted = _fit(labels, values, noise)
    redrawn = [_fit(labels, values + noise * rng.normal(size=len(values)), noise) for _ in range(RESAMPLES)]
    found = np.array([power_law(ahead, *one) for one in redrawn]) + MODEL_ERROR * rng.normal(size=(RESAMPLES, 1))
    low, high = np.quantile(found, [0.025, 0.975], axis=0).clip(0, 1)
    found = pd.DataFrame({"labels": ahead, "value": power_law(ahead, *fitted), "low": low, "high": high})
    found.attrs["now"] = float(power_law(labels[-1:], *fitted)[0])
    return found


def back_test(curves: pd.DataFrame, metric: str, rng: np.random.Generator) -> pd.DataFrame:
    """Forecast each later point of recorded curves from the points before it.

    Parameters
    ----------
    curves
        `run`, `labels` and the metric, one row a cycle.

    Returns
    -------
    `run`, `known` (points), `ahead` (cycles), `truth`, and by `power_law`, by `last` value, by last `slope`: what each
    says; `inside`: whether the power law's band holds the truth.
    """
    rows = []
    for run, curve in curves.groupby("run", sort=False):
        labels, values = curve["labels"].to_numpy(float), curve[metric].to_numpy(float)
        for known in range(FEWEST, len(values)):
            found = forecast(labels[:known], values[:known], None, labels[known:], rng)
            slope = (values[known - 1] - values[known - 2]) / (labels[known - 1] - labels[known - 2])
            for step, row in enumerate(found.itertuples(), start=1):
                truth, last = values[known + step - 1], values[known - 1]
                rows.append(
                    {
                        "run": run,
                        "known": known,
                        "ahead": step,
                        "truth": truth,
                        "power_law": row.value,
                        "last": last,
                        "slope": min(1.0, last + slope * (row.labels - labels[known - 1])),
                        "inside": row.low <= truth <= row.high,
                    }
                )
    return pd.DataFrame(rows)


def _fit(labels: np.ndarray, values: np.ndarray, noise: np.ndarray) -> np.ndarray:
    start = [min(0.99, values.max() + 0.05), 0.2, 0.5]
    try:
        found, _ = curve_fit(power_law, labels, values, p0=start, sigma=noise, bounds=BOUNDS, max_nfev=2000)
    except RuntimeError:  # no fit: as good as it is now, for ever
        return np.array([np.clip(values[-1], 0, 1), 0.0, 1.0])
    return found
