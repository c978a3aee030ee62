"""How good a model is, by a random sample of the images that it has not learnt from."""

from collections.abc import Callable

import numpy as np
from scipy.stats import norm
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

LEVEL = 0.95
RESAMPLES = 1000


def share(right: float, images: float) -> dict[str, float]:
    """Return the 95 % interval, `low` and `high`, of a share in a simple random sample.

    Wilson's interval: of the four that were computed for 5 to 200 images (docs/studies/2026-11-25-people_study.md) it
    is the narrowest, and from 10 images on it covers between 90 and 99 % whatever the share, where
    Jeffreys's falls to 87 %. That the pool is finite is left out, which makes it a little wide.
    """
    low, high = proportion_confint(right, images, alpha=1 - LEVEL, method="wilson")
    return {"low": float(low), "high": float(high)}


def difference(right: float, other: float, images: int) -> dict[str, float]:
    """Return the 95 % interval of a difference of two shares, where it is not known image by image.

    Newcombe's interval (1998, method 10), by two Wilson's. The two are taken for independent, which
    two models on the same images are not: it is wider than `paired_difference`.
    """
    low, high = confint_proportions_2indep(
        right, images, other, images, method="newcomb", alpha=1 - LEVEL
    )
    return {"low": float(low), "high": float(high)}


def paired_difference(right: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """Return the 95 % interval of a difference of two shares on the same images.

    Parameters
    ----------
    right, other
        Whether each model is right about each image, (N,), bool.

    Source: Bonett and Price 2012: Wald's interval of the images that one model alone gets right,
    after one more of each kind.
    """
    images = len(right) + 2
    ahead = ((right & ~other).sum() + 1) / images
    behind = ((other & ~right).sum() + 1) / images
    middle = ahead - behind
    reach = norm.ppf((1 + LEVEL) / 2) * np.sqrt((ahead + behind - middle**2) / images)
    return {"low": float(max(middle - reach, -1)), "high": float(min(middle + reach, 1))}


def resampled(
    images: int, metric: Callable[[np.ndarray], float], rng: np.random.Generator
) -> dict[str, float]:
    """Return the interval of any metric by the percentile bootstrap over images.

    Parameters
    ----------
    metric
        Takes rows of the sample, some of them twice, and returns the metric on them.
    """
    values = [metric(rng.integers(images, size=images)) for _ in range(RESAMPLES)]
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"low": float(low), "high": float(high)}
