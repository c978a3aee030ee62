"""The control slices: images drawn at random before any strategy chooses, to measure the model on.

A strategy asks for what the model finds hard, so its images say little of the pool. A share of the
pool is set apart before the first query, and no strategy is ever offered it: in random order, it is
what the cycles' slices are taken from, one after another. So each slice is a simple random sample
of the pool, however many cycles there will be, and whatever their budgets.
"""

import math

import numpy as np
import pandas as pd

from pt4al.errors import InputError, counted


def size(budget: int, share: float) -> int:
    """Return how many images of a cycle's budget are its control slice.

    At least one, and not all, unless the share is 0.
    """
    return min(max(1, round(share * budget)), budget - 1) if share else 0


def reserved(images: int, budgets: list[int], share: float) -> int:
    """Return how many of so many unlabelled images are set apart for slices; see `set_apart`."""
    needed = sum(size(budget, share) for budget in budgets)
    spare = images - (sum(budgets) - needed)
    return max(needed, min(math.ceil(share * images), spare))


def set_apart(
    ids: pd.Series, budgets: list[int], share: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Return `id`: the images that slices are taken from, in random order.

    They are the share of all images that slices are of each budget, so that they last until the
    whole pool is labelled; fewer where the planned queries would lack images.

    Parameters
    ----------
    ids
        Those that have no label.
    budgets
        Labels that each planned cycle asks for.

    Raises
    ------
    InputError
        If the planned slices need more images than there are.
    """
    images = reserved(len(ids), budgets, share)
    if images > len(ids):
        raise InputError(
            f"`control.share` asks for {counted(images, 'image')} in "
            f"{counted(len(budgets), 'cycle')}; "
            f"{len(ids)} have no label yet"
        )
    chosen = rng.choice(len(ids), images, replace=False)
    return pd.DataFrame({"id": ids.iloc[chosen].array})


def take(apart: pd.DataFrame, used: pd.Series, images: int) -> pd.DataFrame:
    """Return the next slice: the first of what was set apart that has not been used.

    Parameters
    ----------
    apart
        See `set_apart`.
    used
        Ids that were asked for before.
    images
        Size of the slice.

    Raises
    ------
    InputError
        If fewer are left.
    """
    left = apart[~apart["id"].isin(used)]
    if images > len(left):
        raise InputError(
            f"the control slice needs {counted(images, 'image')}, and {len(left)} of the "
            f"{len(apart)} are left that were set apart before the first query: "
            "lower `control.share`"
        )
    return left.head(images)


def mix(query: pd.DataFrame, control: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Put a control slice into a query at random places, so that nobody can tell.

    A part of the query has its share of both. Both keep their own order; a reserve
    (`role`) stays at the end.
    """
    reserve = query["role"] == "reserve"
    asked = int((~reserve).sum()) + len(control)
    places = np.sort(rng.choice(asked, len(control), replace=False))
    order = np.empty(asked, np.int64)
    order[places] = np.arange(len(control))
    order[np.setdiff1d(np.arange(asked), places)] = len(control) + np.arange(asked - len(control))
    mixed = pd.concat([control, query[~reserve]], ignore_index=True).iloc[order]
    return pd.concat([mixed, query[reserve]], ignore_index=True)
