"""Plan a query: which images may be chosen, how many, and how they become a table."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pt4al.annotation.progress import RELABEL
from pt4al.images.pool import ImagePool
from pt4al.pipelines.cycle.state import CycleState
from pt4al.project.configuration.parameters import Parameters
from pt4al.randomness import stream
from pt4al.selection import candidates, control, relabel
from pt4al.selection.evidence import Evidence
from pt4al.selection.ranked import UNRANKED, RankedRows


@dataclass(frozen=True)
class QueryPlan:
    """A query before its images are chosen.

    Attributes
    ----------
    ids
        Of the whole pool, by row number.
    candidates
        Images that may be chosen, in the order of the pool: `id` (row number there),
        `pretext_loss`, `batch`, and `rank` in cycle 0, whose rule may go by it.
    budget, reserve
        Number of images the strategy chooses, and of spare ones in case somebody skips one.
    control
        The cycle's control slice, as rows of the query; None if there is none.
    again
        Images whose labels are asked for again, as rows of the query; None if none ever are.
    rng
        Generator for the places of the control slice.
    roles
        Whether the query says why each image is in it.
    """

    ids: pd.Series
    candidates: pd.DataFrame
    budget: int
    reserve: int
    control: pd.DataFrame | None
    again: pd.DataFrame | None
    rng: np.random.Generator
    roles: bool

    @classmethod
    def make(cls, state: CycleState, settings: Parameters, cycle: int) -> "QueryPlan":
        """Return the plan of a cycle; InputError if it asks for more images than there are."""
        ranking = state.ranked_rows(["pretext_loss", "batch"] + ["rank"] * (cycle == 0))
        apart = state.pool.find(state.apart)
        offered = ranking.unlabelled(apart, settings.query.scope, cycle)
        budget = settings.cycles.budgets[cycle]
        drawn = None
        if state.slices is not None:
            images = control.size(budget, settings.control.share)
            budget -= images
            taken = control.take(state.slices, state.used, images)
            drawn = _unscored(ranking, state.pool, taken["id"], "control")
        again = None
        if state.suspects is not None:
            most = min(round(settings.oracle.relabel * settings.cycles.budgets[cycle]), budget - 1)
            again = _again(ranking, state, most)
            budget -= len(again)
        candidates.check_enough(offered, budget)
        people = settings.oracle.kind == "people"
        return cls(
            ids=state.pool.ids,
            candidates=offered,
            budget=budget,
            reserve=math.ceil(settings.oracle.reserve * budget) if people else 0,
            control=drawn,
            again=again,
            rng=stream(settings.run.seed, "control places", cycle),
            roles=people or drawn is not None,
        )

    def start(self, rule: str, rng: np.random.Generator) -> pd.DataFrame:
        """Return the query that a rule chooses which needs no evidence, one of `STARTS`."""
        chosen = candidates.start(self.candidates, rule, self.budget, rng)
        spare = chosen.head(0)
        if self.reserve:
            rest = self.candidates[~self.candidates["id"].isin(chosen["id"])]
            spare = candidates.start(rest, rule, min(self.reserve, len(rest)), rng)
        return self._query(chosen, spare)

    def choose(self, choose: Callable[[Evidence], np.ndarray], evidence: Evidence) -> pd.DataFrame:
        """Return the query that a strategy chooses from its evidence."""

        def some(positions: np.ndarray | None, budget: int) -> np.ndarray:
            if positions is None:
                return choose(evidence)
            return choose(evidence.take(positions, budget))

        size = len(self.candidates)
        chosen, spare = candidates.with_reserve(size, self.budget, self.reserve, some)
        return self._query(
            candidates.pick(self.candidates, chosen, evidence.scores),
            candidates.pick(self.candidates, spare, evidence.scores),
        )

    def _query(self, chosen: pd.DataFrame, spare: pd.DataFrame) -> pd.DataFrame:
        """`id`, `score`, `batch`; and `role` where there are several: query, control, reserve.

        Where labels are asked for again, role relabel, and `answers_before`: see `answers_since`.
        """
        chosen, spare = self._named(chosen), self._named(spare)
        if not self.roles:
            return chosen
        roles = [chosen.assign(role="query"), spare.assign(role="reserve")]
        if self.again is not None:
            roles = [table.assign(answers_before=0) for table in roles]
            roles.insert(1, self.again)
        query = pd.concat(roles, ignore_index=True)
        return query if self.control is None else control.mix(query, self.control, self.rng)

    def _named(self, query: pd.DataFrame) -> pd.DataFrame:
        """The query with ids in place of row numbers, and numbers as wide as in the ranking."""
        ids = self.ids.iloc[query["id"].to_numpy()].array
        return query.assign(id=ids, batch=query["batch"].astype("int64"))


def _again(ranking: RankedRows, state: CycleState, most: int) -> pd.DataFrame:
    """The images whose labels are asked for again, the most suspicious first."""
    ids = relabel.choose(state.suspects, state.label_set, state.asked, most)
    lines = state.answer_log.read()["id"].value_counts()
    rows = _unscored(ranking, state.pool, ids, RELABEL)
    return rows.assign(answers_before=rows["id"].map(lines).fillna(0).astype("int64"))


def _unscored(ranking: RankedRows, pool: ImagePool, ids: pd.Series, role: str) -> pd.DataFrame:
    """Images of the ranking, in the order of `ids`, as rows of a query."""
    batches = ranking.batches(pool.find(ids))
    ranked = batches != UNRANKED
    table = pd.DataFrame({"id": ids.array[ranked], "score": np.nan})
    return table.assign(batch=batches[ranked], role=role)
