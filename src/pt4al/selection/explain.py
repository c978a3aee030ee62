"""Why these images: what they stand for, what they are like, where the ranking has them."""

import json
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd

NEIGHBOURS = 3
CHUNK = 4096  # images compared at once: the bound of the memory, times what they are compared with


def explain(
    query: pd.DataFrame,
    ranking: Iterable[pd.DataFrame],
    labelled: pd.Series,
    find: Callable[[pd.Series], np.ndarray],
    features: np.ndarray,
) -> pd.DataFrame:
    """Return one row for each image of a query, in its order.

    Parameters
    ----------
    query
        `id`, `score`, `batch`.
    ranking
        Parts of it: `id`, `pretext_loss`, `batch`, first in the ranking first.
    labelled
        Ids that had a label before the query.
    find
        Returns the rows of ids among the features, -1 where there is none.
    features
        (N, D), perhaps memory-mapped. Images are near whose features point the same way (cosine).

    Returns
    -------
    `id`, `score`, `pretext_loss`, `batch`, `place` (in its batch, from 1) of `places`, `stands_for`
    (unlabelled images, itself included, that are nearer to it than to any other of the query),
    `neighbours` (ids of the nearest labelled images, nearest first, as a JSON list).

    Raises
    ------
    ValueError
        If an image of the query, or a labelled one, has no features.

    Memory beside the features: some 40 bytes for each pair of a query's image and one of 4,096
    others. A query of 1,000 from a million with 20,000 labels takes 8 seconds on two cores.
    """
    own = _rows(find, query["id"])
    labelled_rows = _rows(find, labelled)
    chosen = _directions(features[own])
    table = query[["id", "score"]].merge(_places(ranking, query["id"]), on="id", how="left")
    return table.assign(
        stands_for=_stands_for(features, chosen, own, labelled_rows),
        neighbours=_neighbours(features, chosen, labelled_rows, labelled),
    )


def _places(ranking: Iterable[pd.DataFrame], ids: pd.Series) -> pd.DataFrame:
    """Return what the ranking says of some ids, and their places in their batches, from 1."""
    ranked = []
    sizes = pd.Series(dtype="int64")
    for part in ranking:
        there = part["id"].isin(ids)
        some = part[there]
        places = part.groupby("batch").cumcount()[there] + 1
        before = some["batch"].map(sizes).fillna(0).astype("int64")
        ranked.append(some.assign(place=places + before))
        sizes = sizes.add(part["batch"].value_counts(), fill_value=0).astype("int64")
    table = pd.concat(ranked, ignore_index=True)
    return table.assign(places=table["batch"].map(sizes))


def _rows(find: Callable[[pd.Series], np.ndarray], ids: pd.Series) -> np.ndarray:
    rows = find(ids)
    if (rows < 0).any():
        raise ValueError(
            f"id {ids.iloc[int(np.argmin(rows))]!r} has no features: it is not in the pool"
        )
    return rows


def _stands_for(
    features: np.ndarray, chosen: np.ndarray, own: np.ndarray, labelled_rows: np.ndarray
) -> np.ndarray:
    unlabelled = np.ones(len(features), bool)
    unlabelled[labelled_rows] = False
    unlabelled[own] = False
    counts = np.ones(len(chosen), np.int64)
    for some in _chunks(np.flatnonzero(unlabelled)):
        nearest = (_directions(features[some]) @ chosen.T).argmax(axis=1)
        counts += np.bincount(nearest, minlength=len(chosen))
    return counts


def _neighbours(
    features: np.ndarray, chosen: np.ndarray, labelled_rows: np.ndarray, labelled: pd.Series
) -> list[str]:
    best = np.full((len(chosen), 0), -np.inf)
    names = np.empty((len(chosen), 0), np.int64)
    for some in _chunks(np.arange(len(labelled_rows))):
        likeness = chosen @ _directions(features[labelled_rows[some]]).T
        best = np.hstack([best, likeness])
        names = np.hstack([names, np.broadcast_to(some, likeness.shape)])
        kept = np.argsort(-best, axis=1, kind="stable")[:, :NEIGHBOURS]
        best = np.take_along_axis(best, kept, 1)
        names = np.take_along_axis(names, kept, 1)
    ids = labelled.to_numpy(object)
    return [json.dumps(list(ids[row])) for row in names]


def _directions(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, np.float32)
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)


def _chunks(rows: np.ndarray) -> Iterator[np.ndarray]:
    for first in range(0, len(rows), CHUNK):
        yield rows[first : first + CHUNK]
