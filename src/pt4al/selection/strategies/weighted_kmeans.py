"""Strategy `weighted_kmeans`: the images in the middle of clusters of uncertain ones."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.clusters import assign, in_turn, kmeans
from pt4al.selection.strategies.distances import Part
from pt4al.selection.strategies.near_duplicates import leave_out
from pt4al.selection.strategies.options import check
from pt4al.selection.strategies.top import best


@dataclass(frozen=True)
class WeightedKMeans:
    """Nearest to each centre of weighted k-means of the `multiple` x budget best scored.

    Zhdanov, "Diverse mini-batch Active Learning", 2019 (arXiv 1901.05954); minibatch k-means is
    ours. Near duplicates of chosen images are left out: the next of their clusters follow, then the
    next best scored.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"scores", "features"})
    multiple: int = 10

    def __post_init__(self) -> None:
        check("multiple", self.multiple, 1, whole=True)

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        order = best(evidence.scores, len(evidence))
        best_scored = order[: self.multiple * evidence.budget]
        features = Part(evidence.features, best_scored)
        centres = kmeans(
            features, evidence.budget, evidence.rng, weights=evidence.scores[best_scored]
        )
        clustered = best_scored[in_turn(*assign(features, centres))]
        order = np.concatenate([clustered, order[len(best_scored) :]])
        return leave_out(evidence.features, order, evidence.budget, evidence.rng)
