"""Strategy `audited`: PT4AL's batches as long as an audit says that pretext loss is worth following."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.options import check
from pt4al.selection.strategies.top import best


@dataclass(frozen=True)
class Audited:
    """The best scored of the cycle's batch while the audited correlation exceeds `threshold`; else of all candidates.

    PT4AL (Yi et al., ECCV 2022) with its premise checked; the check is ours. `correlation` is the
    lower bound of its interval. A batch that holds fewer than the budget is left for all candidates
    too. Scope must be `pool`, or there is nothing to fall back on.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"scores", "correlation"})
    threshold: float = 0.3

    def __post_init__(self) -> None:
        check("threshold", self.threshold, -1, 1)

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        batch = np.flatnonzero(evidence.batches == evidence.cycle)
        trusted = evidence.correlation is not None and evidence.correlation > self.threshold
        if trusted and len(batch) >= evidence.budget:
            return batch[best(evidence.scores[batch], evidence.budget)]
        return best(evidence.scores, evidence.budget)
