"""Choose the images of one cycle among those that may be chosen."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from pt4al.errors import InputError, counted
from pt4al.selection.ranking import check_batches


def pick(
    candidates: pd.DataFrame, chosen: np.ndarray, scores: np.ndarray | None = None
) -> pd.DataFrame:
    """Return candidates by their positions as a query: `id`, `score`, `batch`.

    The score is missing where there are no scores.
    """
    values = np.nan if scores is None else scores[chosen].astype(np.float64)
    return (
        candidates.iloc[chosen]
        .assign(score=values)[["id", "score", "batch"]]
        .reset_index(drop=True)
    )


def check_budget(images: int, budgets: list[int], scope: str, drop: float = 0.0) -> None:
    """Raise InputError if a pool of so many images can't feed every cycle's query.

    `budgets` are the labels that each cycle asks for; `drop` is the share at either end that no
    batch holds.
    """
    smallest = check_batches(images, len(budgets), drop)
    largest = max(budgets)
    if scope == "batch" and largest > smallest:
        raise InputError(
            f"`cycles.budget` {largest} exceeds the smallest batch, which holds {smallest} of "
            f"{counted(images, 'image')}: lower it, or `cycles.number`"
        )
    if sum(budgets) > images:
        raise InputError(
            f"{asked_for(budgets)}; the pool holds {counted(images, 'image')}: lower it, or "
            "`cycles.number`"
        )


def asked_for(budgets: list[int]) -> str:
    """Begin an error message with what all cycles ask for together."""
    differ = len(set(budgets)) > 1
    each = "/".join(map(str, budgets if differ else budgets[:1]))
    return (
        f"`cycles.budget` {each} in {counted(len(budgets), 'cycle')} asks for "
        f"{counted(sum(budgets), 'label')}"
    )


def check_enough(candidates: pd.DataFrame, budget: int) -> None:
    """Raise InputError if there are fewer candidates than the budget."""
    if budget > len(candidates):
        raise InputError(
            f"`cycles.budget` {budget} exceeds the {counted(len(candidates), 'image')} that "
            "may still be chosen"
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


def start(
    candidates: pd.DataFrame, rule: str, budget: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the query of cycle 0, in which there is no main model to ask; scores are missing.

    Rule `even_intervals` within the first batch is PT4AL's; it alone goes by the ranking.
    """
    check_enough(candidates, budget)
    if rule == "even_intervals":
        candidates = candidates.sort_values("rank", kind="stable")
    return pick(candidates, STARTS[rule](len(candidates), budget, rng))


def with_reserve(
    size: int, budget: int, reserve: int, choose: Callable[[np.ndarray | None, int], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of `budget` candidates, then, by the same rule, of up to `reserve` more.

    Parameters
    ----------
    choose
        Takes positions of candidates, None for all, and how many to choose; returns which, as
        places among those positions.
    """
    chosen = choose(None, budget)
    if not reserve:
        return chosen, np.empty(0, np.int64)
    left = np.ones(size, bool)
    left[chosen] = False
    rest = np.flatnonzero(left)
    spare = min(reserve, len(rest))
    return chosen, rest[choose(rest, spare)] if spare else rest[:0]
