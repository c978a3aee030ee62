"""Progress of a query: which images people are asked for, and which have an answer."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from pt4al.annotation.aggregation import LABELLED, REVIEW, SKIPPED, Policy, aggregate

# Why an image is in a query: column `role`.
QUERY = "query"
CONTROL = "control"
RESERVE = "reserve"
RELABEL = "relabel"  # it has a label that is likely wrong, and is asked for once more


@dataclass(frozen=True)
class Progress:
    """How far a query is answered.

    Attributes
    ----------
    images
        `id`, `role`, `state` (missing: nobody has answered) and `label` of the images that are
        asked for, in order.
    """

    images: pd.DataFrame

    def count(self, *states: str) -> int:
        """Return how many images are in one of these states."""
        return int(self.images["state"].isin(states).sum())

    @property
    def answered(self) -> int:
        """Number of images that are labelled or skipped."""
        return self.count(LABELLED, SKIPPED)

    @property
    def replaced(self) -> int:
        """Number of skipped images that others, of the reserve, have taken the place of."""
        return int((self.images["role"] == RESERVE).sum())

    @property
    def open(self) -> pd.DataFrame:
        """The images that still need answers, not counting those that need a review."""
        return self.images[~self.images["state"].isin([LABELLED, SKIPPED, REVIEW])]

    @property
    def finished(self) -> bool:
        """Whether nothing is left to answer or to review."""
        return self.answered == len(self.images)

    def __str__(self) -> str:
        """Progress in words: `37 of 100 answers, 2 skipped, 1 to review`."""
        parts = [f"{self.answered} of {len(self.images)} answers"]
        for state, words in ((SKIPPED, "skipped"), (REVIEW, "to review")):
            if self.count(state):
                parts.append(f"{self.count(state)} {words}")
        return ", ".join(parts)


def enough(progress: Progress, share: float, after: datetime | None) -> bool:
    """Return whether a run can resume: all is answered, or after `after` a `share` of it."""
    if progress.finished:
        return True
    if after is not None and datetime.now(UTC) < after:
        return False
    answered = progress.answered >= share * len(progress.images)
    return answered and progress.count(LABELLED) > 0


def answers_since(history: pd.DataFrame, query: pd.DataFrame) -> pd.DataFrame:
    """Return the answers that may answer a query: of images asked for again, those given since.

    Parameters
    ----------
    history
        As `AnswerLog.read` returns it.
    query
        `id`; perhaps `answers_before`: the lines of the log on each image that are older than the
        query, and answer an earlier one.
    """
    if "answers_before" not in query:
        return history
    before = history["id"].map(query.set_index("id")["answers_before"]).fillna(0)
    return history[history.groupby("id").cumcount() >= before]


def progress_of(query: pd.DataFrame, history: pd.DataFrame, policy: Policy) -> Progress:
    """Return how far a query is answered; see `answers_since` and `measure_progress`."""
    return measure_progress(query, aggregate(answers_since(history, query), policy), policy)


def measure_progress(query: pd.DataFrame, aggregated: pd.DataFrame, policy: Policy) -> Progress:
    """Return which images of a query are asked for, and their states.

    Each image of the query that is skipped is replaced by the next of its reserve, if the policy
    says so and one is left. A control image is not replaced: another would have to be drawn at
    random.

    Parameters
    ----------
    query
        `id`, `role` (without that column all are the query's own), in order.
    aggregated
        As `aggregation.aggregate` returns it; may hold images outside the query.
    """
    roles = query["role"] if "role" in query else pd.Series(QUERY, index=query.index)
    answers = aggregated[["id", "state", "label"]]
    images = query[["id"]].assign(role=roles).merge(answers, on="id", how="left")
    reserve = images["role"] == RESERVE
    used = 0
    if policy.skipped == "replace":
        # As many of the reserve as were skipped before them, those of the reserve included.
        skipped = int(((images["role"] == QUERY) & (images["state"] == SKIPPED)).sum())
        for state in images["state"][reserve]:
            if used == skipped:
                break
            used += 1
            skipped += state == SKIPPED
    spare = reserve & (reserve.cumsum() > used)
    return Progress(images[~spare].reset_index(drop=True))
