"""How far people agree who have labelled the same images."""

from collections import Counter
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa
from statsmodels.stats.proportion import proportion_confint

from pt4al.annotation.log import effective, stand_for_masks

FEWEST = 10  # images, below which nothing is said
DRAWS = 400  # of the bootstrap
OUTSIDE = [2.5, 97.5]  # percentiles between which 95 % of the draws lie


def agreement(history: pd.DataFrame, rng: np.random.Generator | None = None) -> str | None:
    """Say how far people agree; None if fewer than two have labelled anything in common.

    Cohen's kappa (1960) for two people; Fleiss's (1971) for more, over the images that most of them
    have labelled as often as each other. Skips and masks are left out, and so are reviews, which
    are made knowing the others. Intervals hold 95 %: Wilson's of the share, and of kappa the
    percentiles of a bootstrap over images.

    Parameters
    ----------
    history
        As `AnswerLog.read` returns it.
    rng
        Of the bootstrap. None: one that says the same of the same answers.
    """
    standing = effective(history)
    labels = standing[standing["label"].notna() & ~standing["review"]]
    labels = labels[~stand_for_masks(labels["label"])]
    newest = labels.drop_duplicates(["id", "annotator"], keep="last")
    table = newest.set_index(["id", "annotator"])["label"].unstack()  # noqa: PD010
    shared = table[table.notna().sum(axis=1) >= 2]
    if shared.empty:
        return None
    people = shared.columns[shared.notna().any()]
    same = shared.nunique(axis=1).eq(1)
    told = f"{len(people)} people labelled {len(shared)} images in common and agree on {100 * same.mean():.0f} % of them"
    if len(shared) < FEWEST:
        return f"{told}; that is too few to say more."
    low, high = proportion_confint(same.sum(), len(same), method="wilson")
    kappa = _kappa(shared[people], rng or np.random.default_rng(0))
    return (
        f"{told} (95 % interval {100 * low:.0f} to {100 * high:.0f}); {kappa} 0 is what chance gives, 1 is always."
        f"{_confused(shared)}"
    )


def _kappa(shared: pd.DataFrame, rng: np.random.Generator) -> str:
    raters = shared.notna().sum(axis=1)
    usual = int(raters.mode().iloc[-1])
    compared = shared[raters == usual]
    numbers = compared.apply(lambda column: column.map(_numbering(compared))).to_numpy(np.float64)
    classes = len(_numbering(compared))
    if classes == 1:
        return "kappa can't be computed, since only one class was named:"
    if shared.shape[1] == 2:
        told = _with_interval(lambda rows: cohen_kappa_score(*numbers[rows].T), numbers, rng)
        return f"Cohen's kappa is {told}:"
    counts = np.stack([(numbers == one).sum(axis=1) for one in range(classes)], axis=1)
    told = _with_interval(lambda rows: fleiss_kappa(counts[rows]), numbers, rng)
    return f"Fleiss's kappa over the {len(compared)} images that {usual} labelled is {told}:"


def _numbering(labels: pd.DataFrame) -> dict[str, int]:
    return {name: number for number, name in enumerate(sorted(labels.stack().dropna().unique()))}  # noqa: PD013


def _with_interval(
    kappa: Callable[[np.ndarray], float], labels: np.ndarray, rng: np.random.Generator
) -> str:
    """Return kappa over all images, and where it lies for most samples of them, unless it is the same for all."""
    rows = rng.integers(len(labels), size=(DRAWS, len(labels)))
    several = [one for one in rows if np.unique(labels[one][~np.isnan(labels[one])]).size > 1]
    low, high = np.percentile([kappa(one) for one in several], OUTSIDE)
    told = f"{kappa(np.arange(len(labels))):.2f}"
    return told if low == high else f"{told} ({low:.2f} to {high:.2f})"


def _confused(shared: pd.DataFrame) -> str:
    """Name the two classes that stand most often against each other."""
    pairs = Counter(
        pair
        for labels in shared.to_numpy()
        for pair in combinations(sorted({x for x in labels if isinstance(x, str)}), 2)
    )
    if not pairs:
        return ""
    (one, other), images = pairs.most_common(1)[0]
    return f" Most often {one!r} stands against {other!r}: on {images} image{'s' if images > 1 else ''}."
