"""Strategy `centres`: the images in the middle of clusters."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.clusters import assign, in_turn, kmeans


@dataclass(frozen=True)
class Centres:
    """k-means with as many clusters as the budget; of each the candidate nearest to its centre.

    Zhdanov, "Diverse mini-batch Active Learning", 2019 (arXiv 1901.05954), without its weights. If
    a cluster is empty, the second nearest of others follow.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"features"})

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        centres = kmeans(evidence.features, evidence.budget, evidence.rng)
        return in_turn(*assign(evidence.features, centres))[: evidence.budget]
