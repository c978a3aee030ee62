"""What a source hands to the pool: a table of pictures, and the pictures in its order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pt4al.errors import InputError


@dataclass(frozen=True)
class Collection:
    """Pictures that are not decoded yet.

    Attributes
    ----------
    index
        One row a picture: `id` (text, unique), `source` (where it came from), `split`, and
        `label` (class name, or missing).
    classes
        Names of the classes, in the order of the network's outputs; empty without labels.
    pictures
        Called with row numbers (ascending), yields each one's encoded bytes or pixels.
    """

    index: pd.DataFrame
    classes: list[str]
    pictures: Callable[[np.ndarray], Iterator[bytes | np.ndarray]]

    def __post_init__(self) -> None:
        twice = self.index["id"][self.index["id"].duplicated()]
        if len(twice):
            raise InputError(f"id {twice.iloc[0]!r} stands for {len(twice) + 1} pictures: ids must be unique")

    def __len__(self) -> int:
        return len(self.index)

    @property
    def labels(self) -> pd.DataFrame:
        """The oracle's table: `id`, `label`, without the pictures that have none."""
        return self.index[["id", "label"]].dropna().reset_index(drop=True)

    def named(self, names: list[str] | None) -> "Collection":
        """Return the same pictures with other names for the classes, in their order; None keeps them."""
        if names is None:
            return self
        if len(names) != len(self.classes):
            raise InputError(f"`pool.classes` names {len(names)} classes; the source has {len(self.classes)}")
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"`pool.classes` names {twice!r} twice: each class needs its own name")
        renamed = self.index.assign(label=self.index["label"].map(dict(zip(self.classes, names, strict=True))))
        return replace(self, index=renamed, classes=list(names))

    def sample(self, size: int | None, rng: np.random.Generator) -> "Collection":
        """Return `size` pictures drawn at random, in their order; all of them for None."""
        if size is None:
            return self
        if size > len(self):
            raise InputError(f"`pool.limit` asks for {size} pictures of a source that has {len(self)}")
        kept = np.sort(rng.choice(len(self), size, replace=False))
        return replace(
            self,
            index=self.index.iloc[kept].reset_index(drop=True),
            pictures=lambda rows: self.pictures(kept[rows]),
        )
