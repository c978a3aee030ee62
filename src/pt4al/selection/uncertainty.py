"""Uncertainty measures: higher means more uncertain; the highest is labelled first.

Each takes probabilities (B, classes, ...) and returns (B, ...): one number an image, or one a
pixel.
"""

from collections.abc import Callable

import numpy as np
import torch

Measure = Callable[[torch.Tensor], torch.Tensor]

RANDOM = "random"  # the baseline: a random number, so no function of probabilities
BALD = "bald"  # of several answers of a network with dropout: see `bald`
LEARNING_LOSS = "learning_loss"  # the network's own guess at its loss (Yoo and Kweon 2019)
DRAWN = 2**20  # random numbers that are drawn at once


def as_they_are(probabilities: torch.Tensor) -> torch.Tensor:
    """Return the probabilities: what a measure would see."""
    return probabilities


def least_confidence(probabilities: torch.Tensor) -> torch.Tensor:
    """One less the highest probability (Lewis and Gale 1994); PT4AL's measure."""
    return 1 - probabilities.amax(1)


def margin(probabilities: torch.Tensor) -> torch.Tensor:
    """One less the difference of the two highest probabilities (Scheffer et al. 2001)."""
    first, second = probabilities.topk(2, dim=1).values.unbind(1)
    return 1 - (first - second)


def entropy(probabilities: torch.Tensor) -> torch.Tensor:
    """Entropy in nats (Shannon 1948)."""
    return torch.special.entr(probabilities).sum(1)


def bald(probabilities: torch.Tensor) -> torch.Tensor:
    """Entropy of the mean answer less mean entropy of the answers, in nats: how much they disagree.

    Probabilities are (T, B, classes, ...), of T passes with dropout; returns (B, ...). Houlsby,
    Huszár, Ghahramani, Lengyel 2011 (arXiv 1112.5745); with dropout: Gal, Islam, Ghahramani, ICML
    2017.
    """
    entropies = torch.special.entr(probabilities).sum(2)
    difference = entropy(probabilities.mean(0)) - entropies.mean(0)
    return difference.clamp(min=0)  # it is below 0 by rounding alone


MEASURES: dict[str, Measure] = {
    "least_confidence": least_confidence,
    "margin": margin,
    "entropy": entropy,
}


def random_scores(rows: np.ndarray, images: int, rng: np.random.Generator) -> np.ndarray:
    """Return random numbers for rows of a pool of so many images, float64; `rows` ascend.

    One is drawn for each image of the pool: whatever the candidates, an image's stays the same.
    """
    scores = np.empty(len(rows))
    for first in range(0, images, DRAWN):
        drawn = rng.random(min(DRAWN, images - first))
        # Of the rows' own type: else all of them would be converted each time.
        ends = np.array([first, first + len(drawn)], rows.dtype)
        start, stop = np.searchsorted(rows, ends)
        scores[start:stop] = drawn[rows[start:stop] - first]
    return scores
