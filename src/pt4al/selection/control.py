"""The control slices: images drawn at random before any strategy chooses, to measure the model on.

A strategy asks for what the model finds hard, so its images say little of the pool. The slices of
all cycles together are a simple random sample of the pool, because they are set apart before the
first query and no strategy is offered them.
"""

import numpy as np
import pandas as pd

from pt4al.errors import InputError, counted


def size(budget: int, share: float) -> int:
    """Return how many images of a cycle's budget are its control slice.

    At least one, and not all, unless the share is 0.
    """
    return min(max(1, round(share * budget)), budget - 1) if share else 0


def draw(ids: pd.Series, sizes: list[int], rng: np.random.Generator) -> pd.DataFrame:
    """Return `id`, `cycle`: a slice of so many ids for each cycle, drawn without replacement."""
    images = sum(sizes)
    if images > len(ids):
        raise InputError(
            f"`control.share` asks for {counted(images, 'image')} in "
            f"{counted(len(sizes), 'cycle')}; "
            f"{len(ids)} have no label yet"
        )
    chosen = rng.choice(len(ids), images, replace=False)
    return pd.DataFrame(
        {"id": ids.to_numpy()[chosen], "cycle": np.repeat(np.arange(len(sizes)), sizes)}
    )


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
