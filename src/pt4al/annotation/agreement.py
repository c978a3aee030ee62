"""Agreement between people who have labelled the same images."""

from collections import Counter
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd

from pt4al.annotation.annotators import FEWEST, labels_in_common
from pt4al.errors import counted

DRAWS = 400  # of the bootstrap
OUTSIDE = [2.5, 97.5]  # percentiles between which 95 % of the draws lie
# Landis and Koch (1977): kappa up to each is called so.
WORDS = {0.0: "poor", 0.2: "slight", 0.4: "fair", 0.6: "moderate", 0.8: "substantial"}


def agreement(history: pd.DataFrame, rng: np.random.Generator | None = None) -> str | None:
    """Say how far people agree; None if no two have labelled an image in common.

    Cohen's kappa (1960) for two people; Fleiss's (1971) for more, over the images with the most
    common number of labels. Intervals are at 95 %: Wilson's for the share, percentiles of a
    bootstrap over images for kappa.

    Parameters
    ----------
    history
        As `AnswerLog.read` returns it; `labels_in_common` says what of it counts.
    rng
        For the bootstrap. Defaults to a fixed seed.
    """
    shared = labels_in_common(history)
    if shared.empty:
        return None
    same = shared.nunique(axis=1).eq(1)
    message = (
        f"{shared.shape[1]} people labelled {len(shared)} images in common "
        f"and agree on {100 * same.mean():.0f} % of them"
    )
    if len(shared) < FEWEST:
        return f"{message}; that is too few to say more."
    from statsmodels.stats.proportion import proportion_confint  # imports scipy

    low, high = proportion_confint(same.sum(), len(same), method="wilson")
    kappa = _kappa(shared, rng or np.random.default_rng(0))
    return (
        f"{message} (95 % interval {100 * low:.0f} to {100 * high:.0f}); "
        f"{kappa} 0 is what chance gives, 1 is always.{_confused(shared)}"
    )


def _kappa(shared: pd.DataFrame, rng: np.random.Generator) -> str:
    from sklearn.metrics import cohen_kappa_score
    from statsmodels.stats.inter_rater import fleiss_kappa

    raters = shared.notna().sum(axis=1)
    usual = int(raters.mode().iloc[-1])
    compared = shared[raters == usual]
    names = sorted(compared.stack().dropna().unique())  # noqa: PD013
    numbering = {name: number for number, name in enumerate(names)}
    numbers = compared.apply(lambda column: column.map(numbering)).to_numpy(np.float64)
    if len(names) == 1:
        return "kappa can't be computed, since only one class was named:"
    if shared.shape[1] == 2:
        value = _with_interval(lambda rows: cohen_kappa_score(*numbers[rows].T), numbers, rng)
        return f"Cohen's kappa is {value}:"
    counts = np.stack([(numbers == one).sum(axis=1) for one in range(len(names))], axis=1)
    value = _with_interval(lambda rows: fleiss_kappa(counts[rows]), numbers, rng)
    return f"Fleiss's kappa over the {len(compared)} images that {usual} labelled is {value}:"


def _with_interval(
    kappa: Callable[[np.ndarray], float], labels: np.ndarray, rng: np.random.Generator
) -> str:
    """Return kappa over all images, with its interval unless that is a single value."""
    rows = rng.integers(len(labels), size=(DRAWS, len(labels)))
    several = [one for one in rows if np.unique(labels[one][~np.isnan(labels[one])]).size > 1]
    low, high = np.percentile([kappa(one) for one in several], OUTSIDE)
    value = float(kappa(np.arange(len(labels))))
    interval = "" if low == high else f" ({low:.2f} to {high:.2f})"
    return f"{value:.2f}{interval}, {in_words(value)} in Landis and Koch's words"


def in_words(kappa: float) -> str:
    """Return what an agreement of this kappa is commonly called."""
    return next((word for most, word in WORDS.items() if kappa <= most), "almost perfect")


def _confused(shared: pd.DataFrame) -> str:
    """Name the two classes that stand most often against each other."""
    pairs = Counter()
    for labels in shared.to_numpy():
        names = {label for label in labels if isinstance(label, str)}
        pairs.update(combinations(sorted(names), 2))
    if not pairs:
        return ""
    (one, other), images = pairs.most_common(1)[0]
    return f" Most often {one!r} stands against {other!r}: on {counted(images, 'image')}."
