"""What one query asks for: which images may be chosen, how many, and how what was chosen becomes a query."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pt4al.project.configuration.parameters import Control, Cycles, Oracle, Query, Run
from pt4al.randomness import stream
from pt4al.selection import candidates as selection
from pt4al.selection import control as controls
from pt4al.selection.evidence import Evidence


@dataclass(frozen=True)
class Request:
    """A query to be made.

    Attributes
    ----------
    candidates
        Rows of the ranking that may be chosen.
    budget, reserve
        How many the strategy chooses, and how many more in case somebody skips one.
    control
        The cycle's control slice, as rows of the ranking; None if there is none.
    rng
        Draws the places of the control slice.
    roles
        Whether the query says why each image is in it.
    """

    candidates: pd.DataFrame
    budget: int
    reserve: int
    control: pd.DataFrame | None
    rng: np.random.Generator
    roles: bool

    @classmethod
    def of(
        cls,
        ranking: pd.DataFrame,
        known: pd.Series,
        query: Query,
        cycles: Cycles,
        oracle: Oracle,
        control: Control,
        run: Run,
        slices: pd.DataFrame | None,
        cycle: int,
    ) -> "Request":
        """Return the request of a cycle; InputError if it asks for more images than there are.

        `known`: ids that have a label or have been asked for.
        """
        apart = known if slices is None else pd.concat([known, slices["id"]])
        candidates = selection.candidates(ranking, apart, query.scope, cycle)
        budget = cycles.budgets[cycle]
        if slices is not None:
            budget -= controls.size(budget, control.share)
        selection.check_enough(candidates, budget)
        people = oracle.kind == "people"
        return cls(
            candidates,
            budget,
            math.ceil(oracle.reserve * budget) if people else 0,
            None if slices is None else _slice(ranking, slices, cycle),
            stream(run.seed, "control places", cycle),
            people or slices is not None,
        )

    def choose(self, choose: Callable[[Evidence], np.ndarray], evidence: Evidence) -> pd.DataFrame:
        """Return the query that a strategy chooses from its evidence."""

        def some(positions: np.ndarray, budget: int) -> np.ndarray:
            whole = len(positions) == len(evidence)
            return choose(
                evidence
                if whole and budget == evidence.budget
                else evidence.take(positions, budget)
            )

        chosen = selection.with_reserve(len(self.candidates), self.budget, self.reserve, some)
        return self.query(
            *(selection.pick(self.candidates, some, evidence.scores) for some in chosen)
        )

    def query(self, chosen: pd.DataFrame, spare: pd.DataFrame) -> pd.DataFrame:
        """Return `id`, `score`, `batch`, and `role` where there are several: query, control, reserve."""
        if not self.roles:
            return chosen
        both = pd.concat(
            [chosen.assign(role="query"), spare.assign(role="reserve")], ignore_index=True
        )
        return both if self.control is None else controls.mix(both, self.control, self.rng)


def _slice(ranking: pd.DataFrame, slices: pd.DataFrame, cycle: int) -> pd.DataFrame:
    """The cycle's slice in the order in which it was drawn."""
    drawn = slices[slices["cycle"] == cycle][["id"]].merge(ranking[["id", "batch"]], on="id")
    return drawn.assign(score=np.nan, role="control")[["id", "score", "batch", "role"]]
