"""Strategy `strata`: the best scored of each part of the ranking."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.clusters import in_turn
from pt4al.selection.strategies.options import check


@dataclass(frozen=True)
class Strata:
    """The best scored of each of `number` equal strata of the ranking, then the second best.

    Ours: PT4AL's batches as something to spread over, not to march through. Where the budget isn't
    a multiple, chance says which strata give one more; a budget below `number` makes so many
    strata.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"scores"})
    number: int = 20

    def __post_init__(self) -> None:
        check("number", self.number, 1, whole=True)

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        number = min(self.number, evidence.budget)
        strata = np.arange(len(evidence)) * number // len(evidence)
        return in_turn(evidence.rng.permutation(number)[strata], -evidence.scores)[
            : evidence.budget
        ]
