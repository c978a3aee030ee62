"""Strategy `coreset`: cover all candidates by balls as small as possible."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.distances import chunks, nearest, read

SPAN = 256  # candidates that are brought up to date together


@dataclass(frozen=True)
class Coreset:
    """Again and again the candidate farthest from all labelled and chosen ones; ties to the first.

    k-center greedy of Sener and Savarese, "Active Learning for Convolutional Neural Networks: A
    Core-Set Approach", ICLR 2018. If nothing is labelled, the candidate nearest to the mean of all
    is the first: ours, since the paper starts from labels.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"features", "labelled"})

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        covering = _Covering(evidence.features, evidence.labelled, evidence.budget)
        chosen = [] if len(evidence.labelled) else [_central(evidence.features)]
        for position in chosen:
            covering.add(position)
        while len(chosen) < evidence.budget:
            chosen.append(covering.farthest())
            covering.add(chosen[-1])
        return np.array(chosen, np.int64)


class _Covering:
    """Distances of candidates to their nearest centre, updated only where that can matter.

    A distance never grows, so that an old one is an upper bound: spans whose largest bound is below
    another span's true largest distance needn't be read (lazy greedy, Minoux 1978). The choice is
    that of plain greedy.
    """

    def __init__(self, features: np.ndarray, labelled: np.ndarray, budget: int) -> None:
        self.features = features
        self.centres = torch.zeros(len(labelled) + budget, features.shape[1])
        self.centres[: len(labelled)] = read(labelled, slice(None))
        self.number = len(labelled)
        self.distances = torch.full((len(features),), torch.inf)  # squared; -inf: chosen
        self.bounds = np.full(-(-len(features) // SPAN), np.inf)  # of each span
        self.compared = np.zeros(len(self.bounds), int)  # centres that each span knows

    def add(self, position: int) -> None:
        """Make a candidate a centre."""
        self.centres[self.number] = read(self.features, slice(position, position + 1))[0]
        self.number += 1
        self.distances[position] = -torch.inf
        self.bounds[position // SPAN] = float(self._part(position // SPAN).max())

    def farthest(self) -> int:
        """Return the candidate farthest from its nearest centre."""
        while self.compared[span := int(self.bounds.argmax())] < self.number:
            rows = read(self.features, slice(span * SPAN, (span + 1) * SPAN))
            distances, _ = nearest(rows, self.centres[self.compared[span] : self.number])
            part = self._part(span)
            torch.minimum(part, distances, out=part)
            self.bounds[span] = float(part.max())
            self.compared[span] = self.number
        return span * SPAN + int(self._part(span).argmax())

    def _part(self, span: int) -> torch.Tensor:
        return self.distances[span * SPAN : (span + 1) * SPAN]


def _central(features: np.ndarray) -> int:
    mean = sum(chunk.double().sum(0) for _, chunk in chunks(features)) / len(features)
    distances = torch.cat([nearest(chunk, mean.float()[None])[0] for _, chunk in chunks(features)])
    return int(distances.argmin())
