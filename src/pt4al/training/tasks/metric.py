"""Name a metric of a task in words."""

from typing import NamedTuple


class Metric(NamedTuple):
    """A metric that pages show.

    Attributes
    ----------
    key
        Its name in what `evaluate` returns.
    name
        In words.
    share
        Whether it is a share of 1, shown in percent; else a plain number.
    """

    key: str
    name: str
    share: bool = True
