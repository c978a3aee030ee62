"""State that a cycle starts from."""

from dataclasses import dataclass

import pandas as pd

from pt4al.features.vectors import Features
from pt4al.images.pool import ImagePool
from pt4al.training.networks import Network


@dataclass(frozen=True)
class CycleState:
    """State of a run before a cycle's query is chosen.

    Attributes
    ----------
    features
        Features of the whole pool, computed before the first cycle.
    network, images
        The newest main network, and what it reads: the pool, or features. None before cycle 0.
    slices
        Control slices of all cycles, `id` and `cycle`; None if there are none.
    asked
        What people have been asked so far, `id` among its columns; None before cycle 0.
    """

    pool: ImagePool
    features: Features
    ranking: pd.DataFrame
    label_set: pd.DataFrame
    classes: list[str]
    network: Network | None = None
    images: ImagePool | Features | None = None
    slices: pd.DataFrame | None = None
    asked: pd.DataFrame | None = None

    @property
    def apart(self) -> pd.Series:
        """Ids that no strategy may choose: labelled, asked for, or in a control slice."""
        tables = [self.label_set, self.asked, self.slices]
        return pd.concat([table["id"] for table in tables if table is not None])
