"""Leave out images of some classes, so that a pool is as imbalanced as a person wants it."""

import numpy as np

from pt4al.errors import InputError
from pt4al.images.collection import Collection, stable_uniform


def subsample_classes(collection: Collection, kind: str, factor: float) -> Collection:
    """Return the collection with fewer images of some classes, in its order.

    Parameters
    ----------
    kind
        `none`; `long_tail`: exponentially fewer from the first class to the last (Cui et al. 2019);
        `steps`: more in equal steps, from the first class to the last.
    factor
        Ratio of the most frequent class's images to the rarest one's, at least 1.

    Notes
    -----
    Counts are exact: rounded shares of the largest class's images, or all that a class has if
    those are fewer. Which images stay depends on their ids alone.

    Raises
    ------
    InputError
        If an image has no label. Masks show many classes, and can't be subsampled by class.

    Source: Cui et al., "Class-Balanced Loss Based on Effective Number of Samples", CVPR 2019.
    """
    if kind == "none":
        return collection
    labels = collection.index["label"]
    if labels.isna().any() or not collection.classes:
        message = (
            f"`pool.imbalance.kind` {kind} needs one class an image: "
            f"{labels.isna().sum()} of {len(labels)} have none"
        )
        if labels.isna().any():
            message += f", the first is {collection.index['id'][labels.isna()].iloc[0]!r}"
        raise InputError(message)
    counts = labels.value_counts().reindex(collection.classes, fill_value=0).to_numpy()
    kept = np.rint(shares(kind, factor, len(counts)) * counts.max()).astype(int)
    # Numbers of their own: `sample` keeps the images with the lowest plain ones, and would undo
    # the imbalance.
    drawn = np.argsort(stable_uniform("thinned " + collection.index["id"]), kind="stable")
    drawn_labels = labels.iloc[drawn]
    # How many images of its class were drawn before each image.
    places = drawn_labels.groupby(drawn_labels).cumcount().sort_index().to_numpy()
    limits = labels.map(dict(zip(collection.classes, kept, strict=True))).to_numpy()
    return collection.take(np.flatnonzero(places < limits))


def shares(kind: str, factor: float, classes: int) -> np.ndarray:
    """Return the share of the largest class's images that each class keeps, (classes,)."""
    places = np.linspace(0, 1, classes)
    return factor**-places if kind == "long_tail" else (1 + (factor - 1) * places) / factor
