"""Strategy `top`: the candidates that the measure ranks highest."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pt4al.selection.evidence import Evidence

COMPARED = 2**20  # scores that are sorted at once, unless more are wanted


def best(scores: np.ndarray, number: int) -> np.ndarray:
    """Return the positions of the highest scores, highest first; ties to the first.

    Parameters
    ----------
    scores
        (N,), perhaps memory-mapped; what is held of them does not grow with N.
    number
        How many; all if there are fewer.

    Returns
    -------
    (number,) int64.
    """
    best_so_far = np.empty(0, np.int64)
    lowest = np.nan
    step = max(COMPARED, number)
    for first in range(0, len(scores), step):
        better = ~(scores[first : first + step] <= lowest)  # all, as long as nothing is the lowest
        positions = np.concatenate([best_so_far, first + np.flatnonzero(better)])
        order = np.argsort(-scores[positions], kind="stable")
        best_so_far = positions[order[:number]]
        if 0 < number <= len(best_so_far):
            lowest = scores[best_so_far[-1]]
    return best_so_far


@dataclass(frozen=True)
class Top:
    """Highest score first (Lewis and Gale 1994)."""

    needs: ClassVar[frozenset[str]] = frozenset({"scores"})

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        return best(evidence.scores, evidence.budget)
