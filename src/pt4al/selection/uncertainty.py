"""Measures: how much a model's probabilities say that a label would teach it. The highest is labelled first."""

from collections.abc import Callable

import numpy as np
from scipy.special import entr

Measure = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def random(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A number drawn at random: the baseline."""
    return rng.random(len(probabilities))


def least_confidence(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One less the highest probability (Lewis and Gale 1994); PT4AL's measure."""
    return 1 - probabilities.max(axis=1)


def margin(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One less the difference of the two highest probabilities (Scheffer, Decomain, Wrobel 2001)."""
    second, first = np.partition(probabilities, -2, axis=1)[:, -2:].T
    return 1 - (first - second)


def entropy(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Entropy in nats (Shannon 1948)."""
    return entr(probabilities).sum(axis=1)


MEASURES: dict[str, Measure] = {
    "random": random,
    "least_confidence": least_confidence,
    "margin": margin,
    "entropy": entropy,
}
