"""Choose from more images than can be compared: in random parts, then among their winners."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from pt4al.cluster.seam import Cluster, in_shards
from pt4al.selection.strategies import coverage
from pt4al.selection.strategies.coverage import (
    Choose,
    Covered,
    choose_from_sample,
    lazy_greedy,
    sample,
)
from pt4al.selection.strategies.distances import read_on_grid
from pt4al.selection.strategies.kernel import between

PART = 5_000  # images of a part, unless four times what is chosen of each are more


def choice(in_parts: bool, cluster: Cluster) -> Choose:
    """Return what chooses of more images than fit: in parts, or of a sample."""
    return partial(choose_in_parts, cluster=cluster) if in_parts else choose_from_sample


@dataclass(frozen=True)
class Part:
    """Some of the pool, which is covered by some of its own.

    Attributes
    ----------
    rows, weights
        Positions of its images, in order, and the weight of each.
    """

    rows: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Union:
    """What was chosen of several parts, from which as many are chosen as of one.

    Attributes
    ----------
    solutions
        Positions that were chosen of each part, the best first.
    judges
        What they are to cover.
    """

    solutions: list[np.ndarray]
    judges: Part


def choose_in_parts(
    covered: Covered,
    left: np.ndarray,
    weights: np.ndarray,
    number: int,
    rng: np.random.Generator,
    cluster: Cluster,
) -> np.ndarray:
    """Return up to `number` positions of those left, each of which could have been chosen.

    Those left are divided at random into parts of 5,000, or four times `number` if that is more.
    Of each part `number` are chosen greedily, judged by the part itself. Of the union of as many
    choices as make 20,000 candidates, `number` are chosen greedily, judged by 20,000 images that
    priority sampling draws; if one of the choices does better by itself, it is taken. So again,
    until there is one. Up to 20,000 images are compared with each other as ever.

    Which parts there are is drawn here, and nothing is drawn in them: the same images are chosen
    whatever the number of workers.

    Sources: RandGreeDi (Barbosa, Ene, Nguyen, Ward, ICML 2015), which is GreeDi (Mirzasoleiman,
    Karbasi, Sarkar, Krause, NeurIPS 2013) with random parts. With one union of all parts and one
    judge of all choices the expected sum of what is covered is at least (1 - 1/e) / 2 of the best
    possible (for random parts, see also Mirrokni, Zadimoghaddam, STOC 2015). Here parts are judged
    by samples of the pool, each an unbiased estimate of that sum but for a factor, so that it holds
    up to their errors; more than one round of unions is GreedyML (Gopal, Ferdous, Maji, Pothen,
    arXiv 2403.10332), whose guarantee falls with the number of rounds.
    """
    if len(left) <= coverage.MOST:
        return choose_from_sample(covered, left, weights, number, rng)
    if not weights.any():
        return left[:0]
    places = rng.permutation(len(left))
    size = min(coverage.MOST, max(PART, coverage.PARTS * number))
    parts = [np.sort(some) for some in np.array_split(places, -(-len(left) // size))]
    judges = Part(*sample(left, weights, rng))

    def chosen(work: Callable, tasks: Iterable, title: str) -> list[np.ndarray]:
        solutions = []
        shards = ([task] for task in tasks)
        work = partial(work, number=number)
        for _, some in in_shards(work, shards, cluster, lambda: covered, title):
            solutions += [rows for rows in some if len(rows)]
        return solutions

    solutions = chosen(_of_part, (Part(left[some], weights[some]) for some in parts), "parts")
    while len(solutions) > 1:
        together = max(2, coverage.MOST // max(map(len, solutions)))
        starts = range(0, len(solutions), together)
        unions = (Union(solutions[start : start + together], judges) for start in starts)
        solutions = chosen(_of_union, unions, "unions of parts")
    return solutions[0] if solutions else left[:0]


def _of_part(covered: Covered, shard: list[Part], number: int) -> list[np.ndarray]:
    return [covered.add(part.rows, part.weights, number) for part in shard]


def _of_union(covered: Covered, shard: list[Union], number: int) -> list[np.ndarray]:
    return [_best_of(covered, union, number) for union in shard]


def _best_of(covered: Covered, union: Union, number: int) -> np.ndarray:
    """Return the greedy choice of all candidates, or the solution of one part that covers more."""
    if len(union.solutions) == 1:
        return union.solutions[0]
    candidates = np.sort(np.concatenate(union.solutions))
    judges = read_on_grid(covered.features, union.judges.rows)
    own = read_on_grid(covered.features, candidates)
    kernel = between(own, judges, covered.scale)
    before = covered.of(judges)
    greedy = candidates[lazy_greedy(kernel, before, union.judges.weights, number)]

    def value(rows: np.ndarray) -> float:
        near = kernel[np.searchsorted(candidates, rows)]
        return float(np.maximum(before, near.max(0, initial=0)) @ union.judges.weights)

    return max([greedy, *union.solutions], key=value)  # the first, where they are equal
