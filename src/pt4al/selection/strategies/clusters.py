"""Clusters of features, and choosing from them in turn."""

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from pt4al.selection.strategies.distances import chunks, nearest, read

SAMPLE = 20_000  # features that k-means learns from, or 20 a cluster if that is more


def kmeans(
    features: np.ndarray,
    number: int,
    rng: np.random.Generator,
    unit: bool = False,
    labelled: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> torch.Tensor:
    """Return the centres of k-means (Sculley 2010), learnt from a random sample and all `labelled`.

    They are (number, D), or fewer: a centre that no feature of the sample is nearest to is left
    out, since it may be a copy of another. `unit`: of features divided by their length. There must
    be at least `number` features. `weights` of the features, (N,), count as a thousandth of the
    largest if they are less; not with `labelled`.
    """
    rows = slice(None)
    size = max(SAMPLE, 20 * number)
    if len(features) > size:
        rows = np.sort(rng.choice(len(features), size, replace=False))
    sample = read(features, rows, unit)
    if labelled is not None and len(labelled):
        sample = torch.cat([sample, read(labelled, slice(None), unit)])
    if weights is not None:
        weights = np.maximum(weights[rows], max(weights.max(), 1e-12) / 1000)
    seed = int(rng.integers(2**31))
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(
        number, max_iter=20, batch_size=max(1024, number), n_init=1, random_state=seed
    )
    with threadpool_limits(torch.get_num_threads()):  # scikit-learn would take all cores
        model.fit(sample.numpy(), sample_weight=weights)
    return torch.from_numpy(model.cluster_centers_[np.unique(model.labels_)])


def assign(
    features: np.ndarray, centres: torch.Tensor, unit: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest centre of each feature, (N,) int, and the squared distance to it."""
    clusters = np.zeros(len(features), np.int64)
    distances = np.zeros(len(features), np.float32)
    for rows, chunk in chunks(features, unit):
        best, which = nearest(chunk, centres)
        clusters[rows] = which.numpy()
        distances[rows] = best.numpy()
    return clusters, distances


def in_turn(clusters: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Return all positions: of each cluster in turn the one of lowest key, then again."""
    order = np.lexsort((key, clusters))
    grouped = clusters[order]
    turn = np.arange(len(order)) - np.searchsorted(grouped, grouped)
    return order[np.argsort(turn, kind="stable")]
