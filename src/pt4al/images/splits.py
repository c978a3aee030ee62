"""Divide a source into the pool and the test split."""

import numpy as np
import pandas as pd

from pt4al.errors import InputError, did_you_mean
from pt4al.images.collection import Collection, stable_uniform

HELD_OUT = 0.2  # of the pictures, where the source has no test split of its own


def divide(collection: Collection, test: str | float) -> dict[str, Collection]:
    """Return the collections `train` (the pool) and `test`.

    Parameters
    ----------
    test
        Name of a split of the source, or the share held out of its training pictures. `auto`: the
        split `test` if it has labels, else `val`, else a fifth; without labels nothing is held out.

    Notes
    -----
    What is held out depends on ids alone: it stays when other pictures come or go.
    """
    splits = collection.index["split"]
    answered = _answered(collection)
    train = np.ones(len(collection), bool)
    if splits.notna().any():
        train = (splits == "train").to_numpy(bool)
    chosen = _choose(splits[answered], answered.any()) if test == "auto" else test
    if isinstance(chosen, str):
        if not (splits == chosen).any():
            names = sorted(splits.dropna().unique())
            way_out = "it has none; say a share to hold out, such as 0.2"
            if names:
                way_out = did_you_mean(chosen, names)
            raise InputError(
                f"`pool.test` is {chosen!r}, which is no split of the source: {way_out}"
            )
        held = (splits == chosen).to_numpy(bool)
    else:
        held = train & (stable_uniform(collection.index["id"]) < chosen)
    return {
        "train": collection.take(np.flatnonzero(train & ~held)),
        "test": collection.take(np.flatnonzero(held)),
    }


def _choose(labelled: pd.Series, labels: bool) -> str | float:
    own = [name for name in ("test", "val") if (labelled == name).any()]
    return own[0] if own else HELD_OUT * labels


def _answered(collection: Collection) -> np.ndarray:
    """Return whether each picture has a label or a mask."""
    if collection.masked is not None:
        return collection.masked
    return collection.index["label"].notna().to_numpy(bool)
