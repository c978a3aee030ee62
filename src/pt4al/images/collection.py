"""Collection: what a source returns, a table of pictures and the pictures in its order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pt4al.errors import InputError
from pt4al.text import named_well, normalised

# Encoded bytes; decoded pixels (height, width) or (height, width, 3), uint8; or a function that
# returns the encoded bytes, called in the thread that decodes them: `path.read_bytes`.
Picture = bytes | np.ndarray | Callable[[], bytes]
Pictures = Callable[[np.ndarray], Iterator[Picture]]

COLUMNS = ("id", "source", "split", "label", "stamp")


@dataclass(frozen=True)
class Reading:
    """How a source was read, in words for a person.

    Attributes
    ----------
    layout
        Name of the layout: `class folders`.
    detail
        Which column holds what, where names are not this project's own.
    place
        Path of the source.
    left_out
        What was not taken, each with its number: `3 files that are no pictures (notes.txt ...)`.
    notes
        Sentences on what was read, and on what a person may have meant otherwise.
    """

    layout: str = "pictures"
    detail: str = ""
    place: str = ""
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Collection:
    """Pictures that are not decoded yet.

    Attributes
    ----------
    index
        One row a picture, all text: `id` (unique, the same when other pictures come or go),
        `source` (the file it is in), `split` (as the source names it: train, val, test; missing
        where it has no splits), `label` (class name; missing without one), `stamp` (changes with
        the picture's file).
    classes
        Names of the classes, in the order of the network's outputs; empty if the source doesn't
        know them.
    pictures
        Called with row numbers (ascending), yields each one's picture.
    masks
        The same for masks: images of one channel (grey or palette) whose values are numbers of
        classes, or ignored. Called only with rows of `masked`.
    masked
        Whether each row has a mask, (N,) bool; None without masks.
    reading
        How the source was read.
    """

    index: pd.DataFrame
    classes: list[str]
    pictures: Pictures
    masks: Pictures | None = None
    masked: np.ndarray | None = None
    reading: Reading = Reading()

    def __post_init__(self) -> None:
        twice = self.index["id"][self.index["id"].duplicated()]
        if len(twice):
            places = self.index["source"][self.index["id"] == twice.iloc[0]]
            raise InputError(
                f"id {twice.iloc[0]!r} stands for {len(places)} pictures ({places.iloc[0]} and "
                f"{places.iloc[-1]}): each needs an id of its own"
            )

    def __len__(self) -> int:
        return len(self.index)

    @property
    def labels(self) -> pd.DataFrame:
        """The oracle's table: `id`, `label`, without the pictures that have none."""
        return self.index[["id", "label"]].dropna().reset_index(drop=True)

    def spelled(self) -> "Collection":
        """Return the same pictures with one spelling a name; ids that would collide stay.

        Raises
        ------
        InputError
            If a class's name has no visible letter, or holds a line break or control character.
        """
        ids = self.index["id"].map(normalised)
        ids = ids.where(~ids.duplicated(keep=False), self.index["id"])
        labels = {name: normalised(name) for name in self.index["label"].dropna().unique()}
        index = self.index.assign(id=ids, label=self.index["label"].map(labels))
        classes = list(dict.fromkeys(map(normalised, self.classes)))
        strange = next(
            (name for name in [*classes, *labels.values()] if not named_well(name)), None
        )
        if strange is not None:
            raise InputError(
                f"{self.reading.place or self.index['source'].iloc[0]}: {strange!r} can't be the "
                "name of a class: it needs a visible letter, and neither line breaks nor control "
                "characters; rename it"
            )
        return replace(self, index=index.astype("str"), classes=classes)

    def named(self, names: list[str] | None) -> "Collection":
        """Return the same pictures with other names for the classes; None keeps them."""
        if names is None:
            return self
        if self.classes and len(names) != len(self.classes):
            raise InputError(
                f"`pool.classes` names {len(names)} classes; the source has {len(self.classes)}"
            )
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"`pool.classes` names {twice!r} twice: each class needs its own name")
        if not self.classes:
            return replace(self, classes=list(names))
        new_names = dict(zip(self.classes, names, strict=True))
        renamed = self.index.assign(label=self.index["label"].map(new_names))
        return replace(self, index=renamed, classes=list(names))

    def take(self, rows: np.ndarray) -> "Collection":
        """Return these pictures alone, in the given order; an ascending one is read fastest."""
        masks = None if self.masks is None else (lambda places: self.masks(rows[places]))
        return replace(
            self,
            index=self.index.iloc[rows].reset_index(drop=True),
            pictures=lambda places: self.pictures(rows[places]),
            masks=masks,
            masked=None if self.masked is None else self.masked[rows],
        )

    def sample(self, size: int | None) -> "Collection":
        """Return `size` pictures in their order, all of them for None.

        The choice depends on ids alone: when other pictures come or go, these stay.
        """
        if size is None:
            return self
        if size > len(self):
            raise InputError(
                f"`pool.limit` asks for {size} pictures of a source that has {len(self)}"
            )
        return self.take(
            np.sort(np.argsort(stable_uniform(self.index["id"]), kind="stable")[:size])
        )


def stable_uniform(ids: pd.Series) -> np.ndarray:
    """Return a number in [0, 1) for each id, as if drawn at random, but the same on any machine."""
    return pd.util.hash_array(ids.to_numpy(object), categorize=False) / 2.0**64
