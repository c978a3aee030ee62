"""Properties of features that need no labels: neighbours, hubs, effective dimension."""

import numpy as np
import torch
from torch.nn.functional import normalize

NEIGHBOURS = 10
HUBS = 0.01  # share of the images that are neighbours most often


def nearest(features: np.ndarray, neighbours: int = NEIGHBOURS) -> np.ndarray:
    """Return each image's nearest neighbours by cosine, (N, neighbours) int, or all other images.

    Parameters
    ----------
    features
        (N, D). All pairs are compared: some thousand images take a second.
    """
    units = normalize(torch.from_numpy(np.asarray(features, np.float32)))
    likeness = units @ units.T
    likeness.fill_diagonal_(-torch.inf)
    return likeness.topk(min(neighbours, len(units) - 1)).indices.numpy()


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Return the share of neighbours that two networks have in common, 0 to 1.

    Parameters
    ----------
    one, other
        Neighbours of the same images, as `nearest` returns them.
    """
    shared = [len(set(first) & set(second)) for first, second in zip(one, other, strict=True)]
    return float(np.mean(shared)) / one.shape[1]


def hub_share(neighbours: np.ndarray) -> float:
    """Return the share of all places among neighbours that the most frequent 1 % of images hold.

    Without hubs it is little above 0.01; where some images are near everything, queries by distance
    choose those first (Radovanović, Nanopoulos, Ivanović, JMLR 2010).
    """
    held = np.sort(np.bincount(neighbours.ravel(), minlength=len(neighbours)))[::-1]
    most = max(1, round(HUBS * len(held)))
    return float(held[:most].sum() / held.sum())


def effective_dimension(features: np.ndarray) -> float:
    """Return the participation ratio of the eigenvalues of features' covariance.

    (sum of eigenvalues)^2 / sum of their squares: D if features spread alike in all D directions, 1
    if there is only one direction.
    """
    centred = np.asarray(features, np.float64)
    centred = centred - centred.mean(0)
    small = centred @ centred.T if len(centred) < centred.shape[1] else centred.T @ centred
    return float(np.trace(small) ** 2 / np.square(small).sum())
