"""Strategy `cluster_margin`: the best scored, spread over clusters."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.clusters import assign, in_turn, kmeans
from pt4al.selection.strategies.distances import read
from pt4al.selection.strategies.options import check
from pt4al.selection.strategies.top import best

MOST_LINKED = 4_000  # features that average linkage compares in pairs: 64 MB of distances


@dataclass(frozen=True)
class ClusterMargin:
    """One of each cluster of the `multiple` x budget best scored, smallest cluster first.

    Citovsky et al., "Batch Active Learning at Scale", NeurIPS 2021. The paper clusters the whole
    pool once, by average linkage, to clusters of ten images; we cluster the best scored of each
    query, to as many clusters as the budget (`clusters` 0), which is `multiple` images each.
    Average linkage up to 4,000 of them, k-means beyond. With measure `margin` it is the paper's;
    any other will do.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"scores", "features"})
    multiple: int = 10
    clusters: int = 0

    def __post_init__(self) -> None:
        check("multiple", self.multiple, 1, whole=True)
        check("clusters", self.clusters, 0, whole=True)

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        best_scored = best(evidence.scores, self.multiple * evidence.budget)
        features = read(evidence.features, best_scored)
        clusters = _clusters(
            features, min(self.clusters or evidence.budget, len(best_scored)), evidence.rng
        )
        sizes = np.bincount(clusters)
        smallest_first = np.argsort(np.argsort(sizes, kind="stable"))[clusters]
        return best_scored[
            in_turn(smallest_first, evidence.rng.random(len(best_scored)))[: evidence.budget]
        ]


def _clusters(features: torch.Tensor, number: int, rng: np.random.Generator) -> np.ndarray:
    if number == len(features):
        return np.arange(number)
    if len(features) <= MOST_LINKED:
        from sklearn.cluster import AgglomerativeClustering

        return AgglomerativeClustering(number, linkage="average").fit_predict(features.numpy())
    return assign(features.numpy(), kmeans(features.numpy(), number, rng))[0]
