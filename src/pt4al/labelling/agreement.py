"""How far people agree who have labelled the same images."""

import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa

from pt4al.labelling.answers import effective

FEWEST = 10  # images, below which nothing is said


def agreement(history: pd.DataFrame) -> str | None:
    """Say in a sentence how far people agree; None if fewer than two have labelled anything in common.

    Cohen's kappa (1960) for two people; Fleiss's (1971) for more, over the images that most of them have labelled
    as often as each other. Skips and masks are left out, and so are reviews, which are made knowing the others.

    Parameters
    ----------
    history
        As `AnswerLog.read` returns it.
    """
    standing = effective(history)
    labels = standing[standing["label"].notna() & ~standing["review"]]
    newest = labels.drop_duplicates(["id", "annotator"], keep="last")
    table = newest.set_index(["id", "annotator"])["label"].unstack()  # noqa: PD010
    shared = table[table.notna().sum(axis=1) >= 2]
    if shared.empty:
        return None
    people = shared.columns[shared.notna().any()]
    same = shared.nunique(axis=1).eq(1)
    told = (
        f"{len(people)} people labelled {len(shared)} images in common and agree on {100 * same.mean():.0f} % of them"
    )
    if len(shared) < FEWEST:
        return f"{told}; that is too few to say more."
    return f"{told}; {_kappa(shared[people])} 0 is what chance gives, 1 is always."


def _kappa(shared: pd.DataFrame) -> str:
    if shared.shape[1] == 2:
        first, second = (shared[name] for name in shared)
        if len(set(first) | set(second)) == 1:
            return "kappa can't be computed, since only one class was named:"
        return f"Cohen's kappa is {cohen_kappa_score(first, second):.2f}:"
    raters = shared.notna().sum(axis=1)
    usual = int(raters.mode().iloc[-1])
    compared = shared[raters == usual]
    counts = compared.apply(lambda row: row.value_counts(), axis=1).fillna(0).to_numpy(np.int64)
    if counts.shape[1] == 1:
        return "kappa can't be computed, since only one class was named:"
    return f"Fleiss's kappa over the {len(compared)} images that {usual} labelled is {fleiss_kappa(counts):.2f}:"
