"""State that a cycle starts from."""

from dataclasses import dataclass

import pandas as pd

from pt4al.annotation.log import AnswerLog
from pt4al.features.vectors import Features
from pt4al.files.stored_table import StoredTable
from pt4al.images.pool import ImagePool
from pt4al.selection.ranked import RankedRows
from pt4al.training.networks import Network


@dataclass(frozen=True)
class CycleState:
    """State of a run before a cycle's query is chosen.

    Attributes
    ----------
    features
        Features of the whole pool, computed before the first cycle.
    ranking
        None where nothing is ranked: for a rehearsal.
    network, images
        The newest main network, and what it reads: the pool, or features. None before cycle 0.
    slices
        What control slices are taken from, `id` in random order; None if there are none.
    asked
        What people have been asked so far, `id` among its columns; None before cycle 0.
    suspects, answer_log
        Labels that are likely wrong, and people's answers; None unless labels are asked for again.
    """

    pool: ImagePool
    features: Features
    ranking: StoredTable | None
    label_set: pd.DataFrame
    classes: list[str]
    network: Network | None = None
    images: ImagePool | Features | None = None
    slices: pd.DataFrame | None = None
    asked: pd.DataFrame | None = None
    suspects: pd.DataFrame | None = None
    answer_log: AnswerLog | None = None

    @property
    def used(self) -> pd.Series:
        """Ids that are labelled, or were asked for."""
        tables = [self.label_set, self.asked]
        return pd.concat([table["id"] for table in tables if table is not None])

    @property
    def apart(self) -> pd.Series:
        """Ids that no strategy may choose: labelled, asked for, or set apart for control slices."""
        return self.used if self.slices is None else pd.concat([self.used, self.slices["id"]])

    def ranked_rows(self, columns: list[str]) -> RankedRows:
        """Return what columns of the ranking say of each image, by its row in the pool."""
        parts = self.ranking.portions(["id", *columns])
        return RankedRows.gather(parts, self.pool.rows, len(self.pool))
