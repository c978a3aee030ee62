"""Choose the images of one cycle: which may be chosen, and which of them are."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from pt4al.errors import InputError, counted
from pt4al.selection.ranking import check_batches


def candidates(ranking: pd.DataFrame, labelled: pd.Series, scope: str, cycle: int) -> pd.DataFrame:
    """Return the rows of the ranking that may be chosen, in its order.

    Parameters
    ----------
    labelled
        Ids that have a label already.
    scope
        `batch`: the cycle's own batch (PT4AL). `pool`: everything.
    """
    unlabelled = ranking[~ranking["id"].isin(labelled)]
    return unlabelled if scope == "pool" else unlabelled[unlabelled["batch"] == cycle]


def pick(candidates: pd.DataFrame, chosen: np.ndarray, scores: np.ndarray | None = None) -> pd.DataFrame:
    """Return candidates by their positions as a query: `id`, `score` (missing without scores), `batch`."""
    known = np.nan if scores is None else np.asarray(scores, np.float64)[chosen]
    return candidates.iloc[chosen].assign(score=known)[["id", "score", "batch"]].reset_index(drop=True)


def check_budget(images: int, cycles: int, budget: int, scope: str, drop: float = 0.0) -> None:
    """Raise InputError if a pool of so many images, less `drop` at either end, can't feed every cycle's query."""
    smallest = check_batches(images, cycles, drop)
    if scope == "batch" and budget > smallest:
        raise InputError(
            f"`cycles.budget` {budget} exceeds the smallest batch, which holds {smallest} of "
            f"{counted(images, 'image')}: lower it, or `cycles.number`"
        )
    if budget * cycles > images:
        raise InputError(
            f"`cycles.budget` {budget} in {counted(cycles, 'cycle')} asks for {counted(budget * cycles, 'label')}; "
            f"the pool holds {counted(images, 'image')}: lower it, or `cycles.number`"
        )


def check_enough(candidates: pd.DataFrame, budget: int) -> None:
    """Raise InputError if there are fewer candidates than the budget."""
    if budget > len(candidates):
        raise InputError(
            f"`cycles.budget` {budget} exceeds the {counted(len(candidates), 'image')} that may still be chosen"
        )


def _even_intervals(size: int, budget: int, rng: np.random.Generator) -> np.ndarray:
    return np.arange(budget) * size // budget


def _random(size: int, budget: int, rng: np.random.Generator) -> np.ndarray:
    return np.sort(rng.choice(size, budget, replace=False))


# Each takes (how many candidates, budget, generator) and returns positions among them.
STARTS: dict[str, Callable[[int, int, np.random.Generator], np.ndarray]] = {
    "even_intervals": _even_intervals,
    "random": _random,
}


def start(candidates: pd.DataFrame, rule: str, budget: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return the query of cycle 0, in which there is no main model to ask; scores are missing.

    Rule `even_intervals` within the first batch is PT4AL's.
    """
    check_enough(candidates, budget)
    return pick(candidates, STARTS[rule](len(candidates), budget, rng))


def with_reserve(
    size: int, budget: int, reserve: int, choose: Callable[[np.ndarray, int], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of `budget` of `size` candidates, and then, by the same rule, of up to `reserve` of the rest.

    Parameters
    ----------
    choose
        Takes positions of candidates and how many to choose; returns which, as places among those positions.
    """
    every = np.arange(size)
    chosen = choose(every, budget)
    rest = np.setdiff1d(every, chosen)
    spare = min(reserve, len(rest))
    return chosen, rest[choose(rest, spare)] if spare else rest[:0]
