"""Which labels to ask for again: those that are most likely wrong, each of them once."""

import pandas as pd

CONTROL = "control"  # column `why` of images that measure the model
RELABEL = "relabel"  # column `role` of images that were asked for again


def choose(
    suspects: pd.DataFrame, label_set: pd.DataFrame, asked: pd.DataFrame, most: int
) -> pd.Series:
    """Return the ids of up to `most` images whose labels are asked for again.

    Control images are none of them: corrected where the model disagrees, they would flatter it.

    Parameters
    ----------
    suspects
        `id`, `suspicious`, the worst first.
    label_set
        `id`, `why`.
    asked
        `id`, `role` of what was asked so far.
    """
    measuring = label_set["id"][label_set["why"] == CONTROL]
    before = asked["id"][asked["role"] == RELABEL]
    apart = suspects["id"].isin(measuring) | suspects["id"].isin(before)
    return suspects["id"][suspects["suspicious"] & ~apart].head(most).reset_index(drop=True)
