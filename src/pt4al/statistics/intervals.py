"""How good a model is, by a random sample of the images that it has not learnt from."""

from collections.abc import Callable

import numpy as np
from statsmodels.stats.proportion import proportion_confint

LEVEL = 0.95
RESAMPLES = 1000


def share(right: float, images: float) -> dict[str, float]:
    """Return the 95 % interval, `low` and `high`, of a share that was found on a simple random sample.

    Wilson's interval: of the four that were computed for 5 to 200 images (docs/people_study.md) it
    is the narrowest, and from 10 images on it covers between 90 and 99 % whatever the share, where
    Jeffreys's falls to 87 %. That the pool is finite is left out, which makes it a little wide.
    """
    low, high = proportion_confint(right, images, alpha=1 - LEVEL, method="wilson")
    return {"low": float(low), "high": float(high)}


def accuracy(correct: np.ndarray, weights: np.ndarray | None = None) -> dict[str, float]:
    """Return the share of a population that a model gets right, and its 95 % interval, by a random sample.

    Parameters
    ----------
    correct
        Whether the model is right about each image of the sample, (n,).
    weights
        How many images of the population each stands for, (n,): where parts of a pool were sampled
        at different rates, because it grew, a part's images over its sampled ones. The same for all
        by default. The interval is that of a simple random sample of the effective size (sum of
        weights)^2 / sum of their squares (Kish 1965).

    Returns
    -------
    `accuracy`, `low`, `high`, and `images`: n, or the effective size.

    Raises
    ------
    ValueError
        If there is no image, or a weight that is not above 0.
    """
    weights = np.ones(len(correct)) if weights is None else np.asarray(weights, dtype=float)
    if not len(correct):
        raise ValueError("no control image: an accuracy takes at least one")
    if len(weights) != len(correct) or not (weights > 0).all():
        raise ValueError(f"weights must be {len(correct)} numbers above 0, they are {weights}")
    weights = weights / weights.max()  # squares of large ones would overflow
    found = float(np.average(correct, weights=weights))
    images = float(weights.sum() ** 2 / (weights**2).sum())
    return {"accuracy": found, **share(found * images, images), "images": images}


def resampled(
    images: int, metric: Callable[[np.ndarray], float], rng: np.random.Generator
) -> dict[str, float]:
    """Return the interval of any metric by the percentile bootstrap over images.

    Parameters
    ----------
    metric
        Takes rows of the sample, some of them twice, and returns the metric on them.
    """
    found = [metric(rng.integers(images, size=images)) for _ in range(RESAMPLES)]
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"low": float(low), "high": float(high)}
