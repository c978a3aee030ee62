"""Audit the ranking: does a high pretext loss go with a high loss of the main model?"""

import math

import numpy as np
import pandas as pd
from scipy.stats import norm, spearmanr

# An interval wholly above this says that the ranking carries information.
INFORMATIVE = 0.3


def rank_correlation(first: np.ndarray, second: np.ndarray) -> dict:
    """Return Spearman's rank correlation with its 95 % interval.

    Parameters
    ----------
    first, second
        One number an image, (N,). Pairs in which one is not a number are left out.

    Returns
    -------
    `correlation`, `low`, `high` in [-1, 1] and `images`, the number of pairs used. The first
    three are None with fewer than 4 images or when one side is constant.

    Raises
    ------
    ValueError
        If there are not as many of one as of the other.

    Source: Bonett and Wright 2000: Fisher's z with the wider variance that ranks need. Without
    it, an interval at a correlation of 0.79 covers the truth 93 times in 100.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} numbers can't be paired with {len(second)}")
    pairs = np.array([first, second], np.float64)
    pairs = pairs[:, ~np.isnan(pairs).any(axis=0)]
    images = pairs.shape[1]
    if images < 4 or (pairs == pairs[:, :1]).all(axis=1).any():
        return {"correlation": None, "low": None, "high": None, "images": images}
    correlation = float(np.clip(spearmanr(*pairs).statistic, -1, 1))
    # At +-1 Fisher's z is infinite and the interval has no width.
    centre = math.copysign(math.inf, correlation)
    if abs(correlation) < 1:
        centre = math.atanh(correlation)
    half = float(norm.ppf(0.975)) * math.sqrt((1 + correlation**2 / 2) / (images - 3))
    return {
        "correlation": correlation,
        "low": math.tanh(centre - half),
        "high": math.tanh(centre + half),
        "images": images,
    }


def audit_sentence(row: dict) -> str:
    """Say in one sentence what the correlation of pretext loss and main loss means for the user.

    Parameters
    ----------
    row
        `correlation`, `low`, `high` (None or NaN where unknown) and `images`.

    Notes
    -----
    The images are those just labelled, which the main model had not been trained on. Unless they
    were chosen at random they are no random sample of the pool: a measure of uncertainty keeps the
    images with high main losses and scope `batch` those with similar pretext losses. Both restrict
    the range, and a restricted range makes a correlation look weaker than it is over the pool.
    """
    if pd.isna(row["correlation"]):
        return (
            f"Nothing can be said from {row['images']:,} images: it takes at least 4, "
            "and losses that are not all the same."
        )
    low = row["low"]
    high = row["high"]
    facts = (
        f"pretext loss and the main model's loss correlate at {row['correlation']:.2f} "
        f"(95 % interval {low:.2f} to {high:.2f}, {row['images']:,} images)"
    )
    if low > INFORMATIVE:
        return (
            f"Hard for the pretext task means hard for the model: {facts}. "
            "The ranking carries information."
        )
    if low > 0:
        return (
            f"Hard for the pretext task means somewhat hard for the model: {facts}. "
            "The ranking says a little."
        )
    if high < 0:
        return (
            f"Easy images of the pretext task are the hard ones for the model: {facts}. "
            "The ranking points away."
        )
    if high > INFORMATIVE:
        return f"These images are too few to tell whether the ranking carries information: {facts}."
    return (
        f"No evidence that the ranking helps: {facts}. "
        "Batches by pretext loss are little better than random ones here."
    )


def audit(tables: dict[int, pd.DataFrame]) -> pd.DataFrame:
    """Correlate pretext loss and main loss in each cycle.

    Parameters
    ----------
    tables
        For each cycle, its newly labelled images with the losses before the main model was trained
        on them: `id`, `pretext_loss`, `main_loss`.

    Returns
    -------
    One row a cycle, in order: `cycle`, `images`, `correlation`, `low`, `high` (NaN where unknown),
    `sentence`.
    """
    rows = []
    for cycle, table in sorted(tables.items()):
        result = rank_correlation(table["pretext_loss"], table["main_loss"])
        rows.append({"cycle": cycle, **result, "sentence": audit_sentence(result)})
    columns = {
        "cycle": "int64",
        "images": "int64",
        "correlation": "float64",
        "low": "float64",
        "high": "float64",
    }
    return pd.DataFrame(rows, columns=[*columns, "sentence"]).astype(columns | {"sentence": "str"})
