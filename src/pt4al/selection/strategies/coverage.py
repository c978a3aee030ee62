"""Cover images with a kernel: choose those with the most uncovered neighbours."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from pt4al.selection.strategies.distances import ROWS, median_squared, nearest, read_on_grid
from pt4al.selection.strategies.kernel import exponential, gaussian

MOST = 20_000  # images that are compared with each other: a kernel of 1.6 GB
PARTS = 4  # of more images than that, a sample gives at most a fourth of itself
RECOMPUTED = 16  # gains brought up to date at once


@dataclass(frozen=True)
class Covered:
    """What covers images already: labelled ones, and rows of the features themselves.

    Attributes
    ----------
    features, labelled
        (N, D) and (L, D), of any length; perhaps memory-mapped.
    chosen
        Positions among the features.
    scale
        s2 of the kernel.
    """

    features: np.ndarray
    labelled: np.ndarray
    chosen: np.ndarray
    scale: float

    def of(self, own: torch.Tensor) -> np.ndarray:
        """Return how well images are covered, (len(own),) float32, from 0 to 1."""
        return np.maximum(
            _covered(own, self.labelled, np.arange(len(self.labelled)), self.scale),
            _covered(own, self.features, self.chosen, self.scale),
        )

    def add(self, rows: np.ndarray, weights: np.ndarray, number: int) -> np.ndarray:
        """Return up to `number` of some positions, those that cover all of them best."""
        own = read_on_grid(self.features, rows)
        return rows[lazy_greedy(gaussian(own, self.scale), self.of(own), weights, number)]


# What chooses some more: of what is covered, these positions, their weights, so many.
Choose = Callable[[Covered, np.ndarray, np.ndarray, int, np.random.Generator], np.ndarray]


def choose_from_sample(
    covered: Covered, left: np.ndarray, weights: np.ndarray, number: int, rng: np.random.Generator
) -> np.ndarray:
    """Return up to `number` positions of those left, of a sample if they are too many."""
    return covered.add(*sample(left, weights, rng), number)


def cover(
    features: np.ndarray,
    labelled: np.ndarray,
    weights: np.ndarray,
    width: float,
    budget: int,
    rng: np.random.Generator,
    choose: Choose = choose_from_sample,
) -> np.ndarray:
    """Return positions of `budget` images, greedily those that add most to what is covered.

    Image z is covered by c(z), the largest k(l, z) of a labelled or chosen l, where k(x, z) =
    exp(-|f(x) - f(z)|^2 / s2), f are features of unit length and s2 is `width` times the median
    squared distance of the pool. An image x gains the sum over z of w(z) max(k(x, z) - c(z), 0).
    Equal gains go to the first position.

    Parameters
    ----------
    features, labelled
        (N, D) and (L, D), of any length; perhaps memory-mapped.
    weights
        w, (N,), none below 0.
    choose
        Chooses of more images than can be compared with each other.

    When nothing with a weight is left to cover, the rest is chosen as if all weights were 1, and
    then, when only copies are left, in order.

    Bounds: up to 20,000 images all are compared with all, and the choice is that of plain greedy.
    Of more, 20,000 are drawn, which are both what may be chosen and what is to be covered: by
    priority sampling (Duffield, Lund, Thorup 2007), which estimates the sums over all of them
    without bias, and is a plain random sample if weights are equal. A budget above 5,000 is then
    chosen in parts, each from a new sample. So memory is about 2 GB at most, whatever N, L and the
    budget.

    Greedy choice with a kernel: Bae et al., ECCV 2024 (arXiv 2407.12212).
    """
    scale = width * median_squared(features, labelled, rng)
    chosen = np.zeros(0, np.int64)
    for importance in (np.asarray(weights, np.float64), np.ones(len(features))):
        while len(chosen) < budget:
            left = np.setdiff1d(np.arange(len(features)), chosen)
            number = budget - len(chosen)
            if len(left) > MOST:
                number = min(number, -(-MOST // PARTS))
            covered = Covered(features, labelled, chosen, scale)
            gained = choose(covered, left, importance[left], number, rng)
            chosen = np.concatenate([chosen, gained])
            if len(gained) < number:
                break
    rest = np.setdiff1d(np.arange(len(features)), chosen)
    return np.concatenate([chosen, rest[: budget - len(chosen)]])


def lazy_greedy(
    kernel: np.ndarray, covered: np.ndarray, weights: np.ndarray, number: int
) -> list[int]:
    """Return up to `number` rows of a kernel, each the one that gains most after those before.

    A gain only falls as more is covered, so an old one is a bound: only rows whose bound is the
    largest are computed anew (lazy greedy, Minoux 1978). The choice is that of plain greedy; it
    ends when no row gains anything.

    NumPy's one thread does it: pieces are so small that threads of torch would wait more than work.

    Parameters
    ----------
    kernel
        (candidates, images) float32, from 0 to 1.
    covered, weights
        (images,). `covered` is left as it was.
    """
    weights = weights.astype(np.float32)
    gains = []
    for start in range(0, len(kernel), RECOMPUTED):
        gains += _gains(kernel[start : start + RECOMPUTED], covered, weights)
    queue = [(-gain, row) for row, gain in enumerate(gains)]
    heapq.heapify(queue)
    chosen_then = np.zeros(len(kernel), np.int64)  # how many were chosen when the gain was computed
    chosen: list[int] = []
    while queue and len(chosen) < number:
        gain, row = queue[0]
        if gain == 0:  # and so is every other
            break
        if chosen_then[row] == len(chosen):
            heapq.heappop(queue)
            chosen.append(row)
            covered = np.maximum(covered, kernel[row])
            continue
        old = []
        while queue and len(old) < RECOMPUTED and chosen_then[queue[0][1]] < len(chosen):
            old.append(heapq.heappop(queue)[1])
        chosen_then[old] = len(chosen)
        for row, gain in zip(old, _gains(kernel[old], covered, weights), strict=True):
            heapq.heappush(queue, (-gain, row))
    return chosen


def _gains(rows: np.ndarray, covered: np.ndarray, weights: np.ndarray) -> list[float]:
    added = rows - covered
    np.maximum(added, 0, out=added)
    added *= weights
    return added.sum(1, dtype=np.float64).tolist()


def _covered(own: torch.Tensor, others: np.ndarray, rows: np.ndarray, scale: float) -> np.ndarray:
    """Return how well some rows of the others cover features: 0 if there are none."""
    distances = torch.full((len(own),), torch.inf)
    for start in range(0, len(rows), ROWS):
        some = read_on_grid(others, rows[start : start + ROWS])
        distances = torch.minimum(distances, nearest(own, some)[0])
    return exponential(distances, scale).numpy()


def sample(
    left: np.ndarray, weights: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return some positions, in order, and the weight of each for those not drawn."""
    if len(left) <= MOST:
        return left, weights
    priorities = weights / (1 - rng.random(len(left)))
    order = np.argsort(-priorities, kind="stable")
    drawn = np.sort(order[:MOST])
    return left[drawn], np.maximum(weights[drawn], priorities[order[MOST]])
