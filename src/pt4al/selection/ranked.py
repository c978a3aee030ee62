"""A ranking by the rows of a pool: what a query needs of it, in a few bytes an image."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

UNRANKED = -2  # batch of an image that the ranking does not have; -1 is that of one in no batch
NUMBERS = {"rank": np.int32, "batch": np.int32}  # types of columns here, where they are narrower


@dataclass(frozen=True)
class RankedRows:
    """What a ranking says of each row of a pool.

    Attributes
    ----------
    columns
        Arrays (N,) by name, `batch` among them.
    """

    columns: dict[str, np.ndarray]

    @classmethod
    def gather(
        cls,
        ranking: Iterable[pd.DataFrame],
        find: Callable[[pd.Series], np.ndarray],
        images: int,
    ) -> "RankedRows":
        """Take in a ranking, some of it at a time.

        Parameters
        ----------
        ranking
            Parts of the ranking: `id`, `batch`, and what else is wanted of its columns.
        find
            Returns the rows of ids in the pool.
        images
            Number of images in the pool.
        """
        columns = {"batch": np.full(images, UNRANKED, NUMBERS["batch"])}
        for part in ranking:
            rows = find(part["id"])
            for name in part.columns.drop("id"):
                if name not in columns:
                    columns[name] = np.zeros(images, NUMBERS.get(name, part[name].dtype))
                columns[name][rows] = part[name]
        return cls(columns)

    def batches(self, rows: np.ndarray) -> np.ndarray:
        """Return the batches of rows of the pool, int64; UNRANKED for those that are negative."""
        return np.where(rows < 0, UNRANKED, self.columns["batch"][rows])

    def unlabelled(self, labelled: np.ndarray, scope: str, cycle: int) -> pd.DataFrame:
        """Return the images that may be chosen, in the order of the pool: `id`, its row there.

        What is drawn of them at random knows nothing of the ranking: where a pretext loss differs
        by a rounding, it is the same images.

        Parameters
        ----------
        labelled
            Rows that have a label already; negative ones are no rows.
        scope
            `batch`: the cycle's own batch (PT4AL). `pool`: everything.

        Returns
        -------
        `id` and the columns, which are numbers.
        """
        batches = self.columns["batch"]
        offered = batches != UNRANKED if scope == "pool" else batches == cycle
        offered[labelled[labelled >= 0]] = False
        rows = np.flatnonzero(offered).astype(np.int32)
        columns = {name: values[offered] for name, values in self.columns.items()}
        return pd.DataFrame({"id": rows} | columns, copy=False)
