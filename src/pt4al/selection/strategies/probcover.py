"""Strategy `probcover`: cover as many candidates as possible by balls of one radius."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.clusters import kmeans
from pt4al.selection.strategies.distances import OTHERS, ROWS, nearest, read, squared
from pt4al.selection.strategies.options import check

CANDIDATES = 20_000  # compared with each other: as many, drawn at random, if there are more
JUDGED = 2_000  # balls by which the radius is chosen
PURITY = 0.95


@dataclass(frozen=True)
class ProbCover:
    """Again and again the candidate whose ball holds most candidates not yet covered.

    Yehuda, Dekel, Hacohen, Weinshall, "Active Learning Through a Covering Lens", NeurIPS 2022.
    Features have length 1. `radius` 0 means the largest at which 95 % of balls hold but one
    cluster of k-means with as many clusters as classes, as in the paper. Ties, and what is left
    when all is covered, are drawn at random. Of more than 20,000 candidates (or twice the budget)
    only so many, drawn at random, are looked at.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"features", "labelled"})
    radius: float = 0.0

    def __post_init__(self) -> None:
        check("radius", self.radius, 0)

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        size = min(len(evidence), max(CANDIDATES, 2 * evidence.budget))
        drawn = evidence.rng.choice(len(evidence), size, replace=False)
        features = read(evidence.features, drawn, unit=True)
        labelled = read(evidence.labelled, slice(None), unit=True)
        limit = self.radius or pure_radius(features, evidence.classes, evidence.rng)
        free = nearest(features, labelled)[0] >= limit**2  # not covered
        gains = _neighbours(features, features[free], limit)
        chosen = []
        for _ in range(evidence.budget):
            position = int(gains.argmax())
            chosen.append(position)
            covered = free & (squared(features, features[position : position + 1])[:, 0] < limit**2)
            gains -= _neighbours(features, features[covered], limit)
            gains[position] = -torch.inf
            free &= ~covered
        return drawn[chosen]


def pure_radius(features: torch.Tensor, classes: int, rng: np.random.Generator) -> float:
    """Return the largest radius at which 95 % of (open) balls hold one cluster alone.

    A ball is pure up to the distance of the nearest feature of another cluster, so that the radius
    is a quantile of those: a thousandth less, so that rounding can't let that very feature in.
    """
    centres = kmeans(features.numpy(), min(classes, len(features)), rng)
    clusters = nearest(features, centres)[1]
    judged = min(JUDGED, len(features))
    reach = []
    for cluster in clusters[:judged].unique():
        others = features[clusters != cluster]
        reach.append(nearest(features[:judged][clusters[:judged] == cluster], others)[0])
    return 0.999 * float(torch.cat(reach).sort().values[int((1 - PURITY) * judged)].sqrt())


def _neighbours(features: torch.Tensor, others: torch.Tensor, limit: float) -> torch.Tensor:
    """Return how many of the others are within reach of each feature."""
    numbers = torch.zeros(len(features))
    for start in range(0, len(features), ROWS):
        for first in range(0, len(others), OTHERS):
            near = (
                squared(features[start : start + ROWS], others[first : first + OTHERS]) < limit**2
            )
            numbers[start : start + ROWS] += near.sum(1)
    return numbers
