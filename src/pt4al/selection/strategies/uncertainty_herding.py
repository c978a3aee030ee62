"""Strategy `uncertainty_herding`: the images that cover best what the model is uncertain of."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.stats import rankdata

from pt4al.errors import InputError, did_you_mean
from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.coverage import cover
from pt4al.selection.strategies.options import check, check_switch
from pt4al.selection.strategies.parts import choice

# Each takes the evidence and returns how much it matters that a candidate is covered, (N,).
WEIGHTS = {
    "uncertainty": lambda evidence: evidence.scores,
    "loss": lambda evidence: evidence.scores * rankdata(evidence.losses) / len(evidence),
}


@dataclass(frozen=True)
class UncertaintyHerding:
    """Herding in which each candidate weighs as much as the model is uncertain of it.

    UHerding of Bae, Noh, Sutherland, "Uncertainty Herding: One Active Learning Method for All Label
    Budgets", ICLR 2025 (arXiv 2412.20644), with measure `margin`. Theirs shrinks the kernel as
    labels come in and calibrates the model; ours keeps the width of `herding`. `weight` loss:
    uncertainty times the rank of the pretext loss, from above 0 to 1 (PT4AL's idea as a weight:
    ours). `parts`: as of `herding`.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"scores", "features", "labelled"})
    width: float = 0.5
    weight: str = "uncertainty"
    parts: bool = False

    def __post_init__(self) -> None:
        check("width", self.width, 0.01, 100)
        check_switch("parts", self.parts)
        if self.weight not in WEIGHTS:
            raise InputError(
                f"`query.options.weight` is {self.weight!r}: {did_you_mean(self.weight, WEIGHTS)}"
            )

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        weights = np.maximum(WEIGHTS[self.weight](evidence), 0)
        return cover(
            evidence.features,
            evidence.labelled,
            weights,
            self.width,
            evidence.budget,
            evidence.rng,
            choice(self.parts, evidence.cluster),
        )
