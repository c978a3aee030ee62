"""Leave images of some classes out, so that a pool is as uneven as a person wants it."""

import numpy as np

from pt4al.errors import InputError
from pt4al.images.collection import Collection, lots


def thin(collection: Collection, kind: str, factor: float) -> Collection:
    """Return the collection with fewer images of some classes, in its order.

    Parameters
    ----------
    kind
        `none`; `long_tail`: exponentially fewer from the first class to the last (Cui et al. 2019);
        `steps`: in equal steps more, from the first class to the last.
    factor
        How many times more images the most frequent class keeps than the rarest, at least 1.

    Notes
    -----
    Counts are exact: shares, rounded, of the largest class's images, or all that a class has where
    that is fewer. Which images stay is a matter of their ids alone.

    Raises
    ------
    InputError
        If an image has no label: masks, with many classes an image, can't be thinned out by class.

    Source: Cui et al., "Class-Balanced Loss Based on Effective Number of Samples", CVPR 2019.
    """
    if kind == "none":
        return collection
    labels = collection.index["label"]
    if labels.isna().any() or not collection.classes:
        first = collection.index["id"][labels.isna()].head(1).to_list()
        raise InputError(
            f"`pool.imbalance.kind` {kind} needs one class an image: {labels.isna().sum()} of {len(labels)} have none"
            + "".join(f", the first is {name!r}" for name in first)
        )
    counts = labels.value_counts().reindex(collection.classes, fill_value=0).to_numpy()
    wanted = np.rint(shares(kind, factor, len(counts)) * counts.max()).astype(int)
    # Lots of their own: `sample` keeps the images with the lowest plain ones, and would undo the
    # imbalance.
    drawn = np.argsort(lots("thinned " + collection.index["id"]), kind="stable")
    drawn_labels = labels.iloc[drawn]
    places = (
        drawn_labels.groupby(drawn_labels).cumcount().sort_index()
    )  # images of its class drawn before it
    keeps = (
        places.to_numpy()
        < labels.map(dict(zip(collection.classes, wanted, strict=True))).to_numpy()
    )
    return collection.take(np.flatnonzero(keeps))


def shares(kind: str, factor: float, classes: int) -> np.ndarray:
    """Return the share of the largest class's images that each class keeps, (classes,)."""
    places = np.linspace(0, 1, classes)
    return factor**-places if kind == "long_tail" else (1 + (factor - 1) * places) / factor
