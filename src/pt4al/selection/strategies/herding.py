"""Strategy `herding`: the images that cover the pool best."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.coverage import cover
from pt4al.selection.strategies.options import check, check_switch
from pt4al.selection.strategies.parts import choice


@dataclass(frozen=True)
class Herding:
    """Again and again the candidate that adds most to how well all candidates are covered.

    MaxHerding of Bae et al., "Generalized Coverage for More Robust Low-Budget Active Learning",
    ECCV 2024 (arXiv 2407.12212), with a Gaussian kernel of features of length 1. Its s2 is `width`
    times the median squared distance of the pool: the rule is ours. No chance is in it up to
    20,000 candidates; of more, so many are drawn, or all are chosen from in random parts (`parts`:
    slower, and covers more). What is computed, and its bounds: `coverage.cover`,
    `parts.choose_in_parts`. A copy of a chosen image gains nothing, so it comes last.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"features", "labelled"})
    width: float = 0.5
    parts: bool = False

    def __post_init__(self) -> None:
        check("width", self.width, 0.01, 100)
        check_switch("parts", self.parts)

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        weights = np.ones(len(evidence))
        return cover(
            evidence.features,
            evidence.labelled,
            weights,
            self.width,
            evidence.budget,
            evidence.rng,
            choice(self.parts, evidence.cluster),
        )
