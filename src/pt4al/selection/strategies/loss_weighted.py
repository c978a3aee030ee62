"""Strategy `loss_weighted`: the measure, with pretext loss as a second opinion."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.stats import rankdata

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.options import check
from pt4al.selection.strategies.top import best


@dataclass(frozen=True)
class LossWeighted:
    """Highest (1 - `weight`) x rank of the score + `weight` x rank of the pretext loss; equal values share a rank.

    Ours: PT4AL (Yi et al., ECCV 2022) holds that pretext loss goes with main loss; here it is a
    weight instead of hard batches.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"scores"})
    weight: float = 0.3

    def __post_init__(self) -> None:
        check("weight", self.weight, 0, 1)

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        score = rankdata(evidence.scores)
        loss = rankdata(evidence.losses)
        return best((1 - self.weight) * score + self.weight * loss, evidence.budget)
