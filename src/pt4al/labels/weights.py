"""Weights by which statistics of labelled images speak for the whole pool."""

import numpy as np
import pandas as pd

from pt4al.labels.label_set import CONTROL, KNOWN


def sampling_weights(
    label_set: pd.DataFrame, population: pd.Series, drawn: pd.Series
) -> np.ndarray:
    """Return how many images of a pool each labelled image stands for, (N,) float64.

    What a strategy asks for is no sample of the pool: a mean over it says what the strategy likes.
    Control images are a simple random sample, set apart before anything is chosen, and so are
    images that the first cycles drew at random from all the others; both together are one. So each
    of n such images stands for (pool size - known) / n images, and an image that a strategy chose
    for none. Labels older than the run's first query (`known`) are a part of the pool that is known
    completely: each stands for itself. Without such labels the weight is pool size / n.

    The weighted mean of any number that images have, sum(weight x number) / pool size, is then on
    average, over all random choices, the mean over the pool. It is not where people skip images
    for what they show: those that are skipped have no label, and no weight.

    Parameters
    ----------
    label_set
        `id`, `why` of each labelled image.
    population
        Ids of the images that the run could ask for, each once.
    drawn
        Ids, beside the control images, that cycles drew at random from the whole population before
        any strategy chose: of each such query all, since part of one may be its beginning in the
        pool's order.

    Returns
    -------
    One weight an image, in the order of `label_set`; they add up to the pool's size. All are 0 if
    no image was drawn at random: nothing can be said of the pool then.
    """
    why = label_set["why"]
    inside = label_set["id"].isin(population)
    known = (inside & (why == KNOWN)).to_numpy()
    random = (inside & ((why == CONTROL) | label_set["id"].isin(drawn))).to_numpy() & ~known
    weights = np.zeros(len(label_set))
    if random.any():
        weights[known] = 1.0
        weights[random] = (len(population) - known.sum()) / random.sum()
    return weights
