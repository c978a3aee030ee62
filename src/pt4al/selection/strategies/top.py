"""Strategy `top`: the candidates that the measure ranks highest."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pt4al.selection.evidence import Evidence


def best(scores: np.ndarray, number: int) -> np.ndarray:
    """Return the positions of the highest scores, highest first; ties to the first."""
    return np.argsort(-scores, kind="stable")[:number]


@dataclass(frozen=True)
class Top:
    """Highest score first (Lewis and Gale 1994)."""

    needs: ClassVar[frozenset[str]] = frozenset({"scores"})

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        return best(evidence.scores, evidence.budget)
