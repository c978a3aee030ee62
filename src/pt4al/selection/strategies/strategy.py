"""The interface of strategies."""

from typing import Protocol

import numpy as np

from pt4al.selection.evidence import Evidence


class Strategy(Protocol):
    """A frozen dataclass; its fields are what `query.options` may set."""

    needs: frozenset[str]  # of the fields of Evidence from `scores` on

    def choose(self, evidence: Evidence) -> np.ndarray:
        """Return positions of `evidence.budget` different candidates, the most wanted first."""
        ...
