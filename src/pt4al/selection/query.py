"""Choose the images of one cycle: which may be chosen, and which of them are."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from pt4al.errors import InputError


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


def choose(candidates: pd.DataFrame, scores: np.ndarray, budget: int) -> pd.DataFrame:
    """Return the `budget` candidates of the highest scores; ties go to the first in the ranking.

    Returns
    -------
    `id`, `score`, `batch`, the highest score first.

    Raises
    ------
    InputError
        If there are fewer candidates than the budget.
    """
    _check_enough(candidates, budget)
    chosen = np.argsort(-np.asarray(scores), kind="stable")[:budget]
    query = candidates.iloc[chosen].assign(score=np.asarray(scores, np.float64)[chosen])
    return query[["id", "score", "batch"]].reset_index(drop=True)


def check_budget(images: int, cycles: int, budget: int, scope: str) -> None:
    """Raise InputError if a pool of so many images can't feed every cycle's query."""
    if cycles > images:
        raise InputError(f"`cycles.number` {cycles} exceeds the pool, which holds {images} images")
    smallest = images // cycles
    if scope == "batch" and budget > smallest:
        raise InputError(
            f"`cycles.budget` {budget} exceeds the smallest batch, which holds {smallest} of {images} images: "
            "lower it, or `cycles.number`"
        )
    if budget * cycles > images:
        raise InputError(
            f"`cycles.budget` {budget} in {cycles} cycles asks for {budget * cycles} labels; "
            f"the pool holds {images} images: lower it, or `cycles.number`"
        )


def _check_enough(candidates: pd.DataFrame, budget: int) -> None:
    if budget > len(candidates):
        raise InputError(f"`cycles.budget` {budget} exceeds the {len(candidates)} images that may still be chosen")


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
    _check_enough(candidates, budget)
    query = candidates.iloc[STARTS[rule](len(candidates), budget, rng)].assign(score=np.nan)
    return query[["id", "score", "batch"]].reset_index(drop=True)
