"""Share a query's budget among the classes that the model predicts, for any strategy."""

import numpy as np

from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.strategy import Strategy

# Fields of Evidence that balancing reads besides what the strategy needs.
BALANCED_NEEDS = frozenset({"probabilities", "counts"})


def balanced(strategy: Strategy, evidence: Evidence) -> np.ndarray:
    """Choose among predicted classes so that the label set becomes as even as it can.

    Positions are those of the rarest class first. One class's features are copied at a time.

    A greedy relative of Bengar, van de Weijer, Fuentes, Raducanu, "Class-Balanced Active Learning
    for Image Classification", WACV 2022, who solve one integer program for balance and
    informativeness together.
    """
    predicted = evidence.probabilities.argmax(1)
    shares = quotas(
        evidence.counts, np.bincount(predicted, minlength=len(evidence.counts)), evidence.budget
    )
    chosen = [np.zeros(0, np.int64)]
    for label in np.argsort(evidence.counts, kind="stable"):
        if shares[label]:
            positions = np.flatnonzero(predicted == label)
            chosen.append(positions[strategy.choose(evidence.take(positions, int(shares[label])))])
    return np.concatenate(chosen)


def quotas(counts: np.ndarray, available: np.ndarray, budget: int) -> np.ndarray:
    """Return how many to choose of each class.

    One at a time for the class with fewest that has any left. `counts` are labels so far,
    `available` candidates, all (classes,) int; ties go to the first class.
    """
    shares = np.zeros_like(available)
    for _ in range(budget):
        shares[np.where(shares < available, counts + shares, np.inf).argmin()] += 1
    return shares
