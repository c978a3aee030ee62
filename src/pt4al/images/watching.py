"""Watch pictures while a pool is built of them, so that each file is read once."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from pt4al.images.collection import Picture

Look = Callable[[Picture], Any]


class Watch(Protocol):
    """What `building.build` shows each picture that it decodes.

    Attributes
    ----------
    size
        Bytes of what `look` returns for a picture.
    """

    size: int

    def look(self, picture: Picture) -> Any:
        """Return what the watch needs of a picture; called in the threads that decode."""

    def add(self, rows: np.ndarray, seen: list[Any]) -> None:
        """Take what `look` returned for decoded rows of the collection, in order."""


class Once:
    """A picture whose file is read once, however often it is decoded."""

    def __init__(self, picture: Picture):
        self._picture = picture
        self._data = None

    def __call__(self) -> bytes:
        if self._data is None:
            self._data = self._picture()
        return self._data
