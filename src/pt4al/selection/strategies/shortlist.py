"""Strategy `shortlist`: a random choice of the best scored."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.options import check
from pt4al.selection.strategies.top import best


@dataclass(frozen=True)
class Shortlist:
    """So many of the `multiple` x budget best scored, drawn at random: uncertain, yet not all alike.

    A simple relative of stochastic batch acquisition: Kirsch et al., "Stochastic Batch Acquisition:
    A Simple Baseline for Deep Active Learning", TMLR 2023.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"scores"})
    multiple: int = 3

    def __post_init__(self) -> None:
        check("multiple", self.multiple, 1, whole=True)

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        wanted = best(evidence.scores, self.multiple * evidence.budget)
        return wanted[np.sort(evidence.rng.choice(len(wanted), evidence.budget, replace=False))]
