"""What a strategy may see of the images it chooses from: no label but the label set's."""

from dataclasses import dataclass, replace

import numpy as np

from pt4al.cluster.seam import ALONE, Cluster


@dataclass(frozen=True)
class Evidence:
    """Facts about N candidates, in the order given, and about the L images labelled so far.

    Only what a strategy `needs` is computed; the rest is None.

    Attributes
    ----------
    budget
        Number of candidates to choose, at most N.
    rng
        Generator of this query alone.
    cycle
        The query's number. In cycle 0 there is no main model: no scores, no probabilities.
    classes
        Number of classes.
    batches
        The batch of the ranking that each candidate is in, (N,) int.
    losses
        Pretext losses, (N,) float.
    scores
        The query's measure, (N,) float; higher is chosen first.
    features
        (N, D) float32, perhaps memory-mapped: read them chunk by chunk.
    probabilities
        Class probabilities, (N, classes) float32; rows add up to 1.
    labelled
        Features of the labelled images, (L, D) float32; L may be 0.
    counts
        Labels of each class so far, (classes,) int.
    head
        Weights (classes, D) and biases (classes,) of the linear classifier that reads `features`,
        float32: the model predicts the class of the largest `features @ weights.T + biases`.
    cluster
        Whose workers do what can be done in parts.
    """

    budget: int
    rng: np.random.Generator
    cycle: int
    classes: int
    batches: np.ndarray
    losses: np.ndarray
    scores: np.ndarray | None = None
    features: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    labelled: np.ndarray | None = None
    counts: np.ndarray | None = None
    head: tuple[np.ndarray, np.ndarray] | None = None
    cluster: Cluster = ALONE

    def __len__(self) -> int:
        return len(self.batches)

    def take(self, positions: np.ndarray, budget: int) -> "Evidence":
        """Return the evidence of some candidates alone, for a budget of their own."""
        taken = {
            name: None if getattr(self, name) is None else getattr(self, name)[positions]
            for name in ("batches", "losses", "scores", "features", "probabilities")
        }
        return replace(self, budget=budget, **taken)
