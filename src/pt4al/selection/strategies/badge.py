"""Strategy `badge`: gradients that are both large and unlike each other."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.distances import chunks, read

REFRESH = 64  # draws after which all distances are computed anew


@dataclass(frozen=True)
class Badge:
    """k-means++ over gradients of the last layer, as if the predicted class were right.

    Ash, Zhang, Krishnamurthy, Langford, Agarwal, "Deep Batch Active Learning by Diverse, Uncertain
    Gradient Lower Bounds", ICLR 2020. The largest gradient comes first, as in the authors' code;
    then candidates are drawn in proportion to their squared distance from the chosen ones.

    A gradient is an outer product (p - onehot(argmax p)) h, so that inner products are products of
    two inner products and no gradient is ever made. Distances only fall as more is chosen: a
    candidate drawn by its old distance and kept with probability new / old is drawn by its new one
    (rejection sampling, exact), and the features need to be read once in 64 draws.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"features", "probabilities"})

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        gradients = _Gradients(evidence.features, evidence.probabilities)
        rng = evidence.rng
        chosen = [int(gradients.norms.argmax())]
        compared = 0
        draws = 0
        distances = np.full(len(evidence), np.inf)
        free = np.ones(len(evidence), bool)
        distances[chosen] = 0
        free[chosen] = False
        while len(chosen) < evidence.budget:
            if draws % REFRESH == 0:
                distances = np.minimum(distances, gradients.distances(chosen[compared:]))
                compared = len(chosen)
            draws += 1
            if not distances.any():  # all that is left equals what was chosen: any will do
                drawn = int(rng.choice(np.flatnonzero(free)))
            else:
                drawn = int(rng.choice(len(distances), p=distances / distances.sum()))
                old = distances[drawn]
                distances[drawn] = min(
                    old, gradients.distances(chosen[compared:], np.array([drawn]))[0]
                )
                if rng.random() * old >= distances[drawn]:
                    continue
            chosen.append(drawn)
            distances[drawn] = 0
            free[drawn] = False
        return np.array(chosen, np.int64)


class _Gradients:
    """Gradients as two factors: `weights` (N, classes), and features (N, D) where they are."""

    def __init__(self, features: np.ndarray, probabilities: np.ndarray) -> None:
        self.features = features
        self.weights = torch.from_numpy(np.array(probabilities, np.float32))
        self.weights[torch.arange(len(self.weights)), self.weights.argmax(1)] -= 1
        lengths = torch.cat([chunk.square().sum(1) for _, chunk in chunks(features)])
        self.norms = lengths * self.weights.square().sum(1)  # squared

    def distances(self, chosen: list[int], positions: np.ndarray | None = None) -> np.ndarray:
        """Return squared distances, float64, to the nearest chosen one; inf if there is none."""
        if not chosen:
            return np.full(len(self.norms) if positions is None else len(positions), np.inf)
        centres = read(self.features, np.array(chosen))
        if positions is not None:
            return self._nearest(positions, read(self.features, positions), chosen, centres)
        parts = [
            self._nearest(rows, chunk, chosen, centres) for rows, chunk in chunks(self.features)
        ]
        return np.concatenate(parts)

    def _nearest(
        self,
        rows: slice | np.ndarray,
        features: torch.Tensor,
        chosen: list[int],
        centres: torch.Tensor,
    ) -> np.ndarray:
        products = (self.weights[rows] @ self.weights[chosen].T) * (features @ centres.T)
        squared = self.norms[rows][:, None] + self.norms[chosen] - 2 * products
        return squared.min(1).values.clamp(min=0).double().numpy()
