"""What people are asked: which images of a query need an answer, and how many have one."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from pt4al.annotation.aggregation import LABELLED, REVIEW, SKIPPED, Policy

# why an image is in a query; column `role`
QUERY = "query"
CONTROL = "control"
RESERVE = "reserve"


@dataclass(frozen=True)
class Progress:
    """How far a query is answered.

    Attributes
    ----------
    images
        `id`, `role`, `state` (missing: nobody has answered), `label`, of the images that are asked
        for, in order.
    """

    images: pd.DataFrame

    def count(self, *states: str) -> int:
        """Return how many images are in one of these states."""
        return int(self.images["state"].isin(states).sum())

    @property
    def answered(self) -> int:
        """Images with an answer: a label, or that there is none."""
        return self.count(LABELLED, SKIPPED)

    @property
    def open(self) -> pd.DataFrame:
        """The images that nobody, or not everybody needed, has answered."""
        return self.images[~self.images["state"].isin([LABELLED, SKIPPED, REVIEW])]

    @property
    def finished(self) -> bool:
        """Whether nothing is left to answer or to review."""
        return self.answered == len(self.images)

    def __str__(self) -> str:
        """What is there and what is missing, in words: `37 of 100 answers, 2 skipped, 1 to review`."""
        parts = [f"{self.answered} of {len(self.images)} answers"]
        parts += [f"{self.count(SKIPPED)} skipped"] if self.count(SKIPPED) else []
        parts += [f"{self.count(REVIEW)} to review"] if self.count(REVIEW) else []
        return ", ".join(parts)


def enough(progress: Progress, share: float, after: datetime | None) -> bool:
    """Return whether a query has the answers to go on with: all, or `share` of them if it is later than `after`."""
    if progress.finished:
        return True
    late = after is None or datetime.now(UTC) >= after
    return (
        late and progress.count(LABELLED) > 0 and progress.answered >= share * len(progress.images)
    )


def assign(query: pd.DataFrame, settled: pd.DataFrame, policy: Policy) -> Progress:
    """Return which images of a query are asked for, and what they are.

    Each image of the query that is skipped brings in the next of its reserve, where the policy says
    so and as long as there is one. A control image is not replaced: another would have to be drawn
    at random.

    Parameters
    ----------
    query
        `id`, `role` (all are the query's own without that column), in order.
    settled
        As `policies.settle` returns it; of images outside the query too.
    """
    roles = query["role"] if "role" in query else pd.Series(QUERY, index=query.index)
    images = (
        query[["id"]]
        .assign(role=roles)
        .merge(settled[["id", "state", "label"]], on="id", how="left")
    )
    reserve = images["role"] == RESERVE
    wanted = 0
    if policy.skipped == "replace":
        # As many of the reserve as were skipped before them, those of the reserve included.
        skipped = int(((images["role"] == QUERY) & (images["state"] == SKIPPED)).sum())
        for state in images["state"][reserve]:
            if wanted == skipped:
                break
            wanted += 1
            skipped += state == SKIPPED
    spare = reserve & (reserve.cumsum() > wanted)
    return Progress(images[~spare].reset_index(drop=True))
