"""Strategy `typiclust`: the most typical image of each cluster that has no label yet."""

import heapq
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.clusters import assign, kmeans
from pt4al.selection.strategies.distances import read, squared

MOST_CLUSTERS = 500
SMALL = 5
NEIGHBOURS = 20
MEMBERS = 4_000  # images of a cluster that are compared with each other, drawn at random


@dataclass(frozen=True)
class TypiClust:
    """The most typical image of the largest of the least covered clusters.

    Hacohen, Dekel, Weinshall, "Active Learning on a Budget: Opposite Strategies Suit High and Low
    Budgets", ICML 2022: features of length 1, as many clusters as labels afterwards, 500 at most;
    clusters of fewer than 5 images come last; typicality is the inverse of the mean distance to the
    20 nearest candidates of the cluster.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"features", "labelled"})

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        features = evidence.features
        labelled = evidence.labelled
        rng = evidence.rng
        number = min(len(labelled) + evidence.budget, MOST_CLUSTERS)
        centres = kmeans(features, number, rng, unit=True, labelled=labelled)
        number = len(centres)
        clusters, _ = assign(features, centres, unit=True)
        covered = np.bincount(assign(labelled, centres, unit=True)[0], minlength=number)
        sizes = np.bincount(clusters, minlength=number) + covered
        members = np.split(
            np.argsort(clusters, kind="stable"),
            np.cumsum(np.bincount(clusters, minlength=number))[:-1],
        )
        queue = [
            (sizes[cluster] < SMALL, covered[cluster], -sizes[cluster], cluster)
            for cluster in range(number)
            if len(members[cluster])
        ]
        heapq.heapify(queue)
        chosen = []
        while len(chosen) < evidence.budget:
            small, labels, size, cluster = heapq.heappop(queue)
            some = members[cluster]
            if len(some) > MEMBERS:
                some = np.sort(rng.choice(some, MEMBERS, replace=False))
            chosen.append(some[typicality(read(features, some, unit=True)).argmax()])
            members[cluster] = members[cluster][members[cluster] != chosen[-1]]
            if len(members[cluster]):
                heapq.heappush(queue, (small, labels + 1, size, cluster))
        return np.array(chosen, np.int64)


def typicality(features: torch.Tensor) -> torch.Tensor:
    """Return the inverse mean distance of each feature to its nearest neighbours."""
    if len(features) == 1:
        return torch.ones(1)
    distances = squared(features, features).sqrt_()
    distances.fill_diagonal_(torch.inf)
    near = distances.topk(min(NEIGHBOURS, len(features) - 1), largest=False).values
    return 1 / (near.mean(1) + 1e-7)  # copies of one image have no distance
