"""What decides which nodes a run has. Kedro passes no parameters to a registry: hooks.py sets it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """What a run's graph depends on.

    Attributes
    ----------
    cycles
        How many there are; of people's, as many as can be finished now.
    people
        People answer: the graph ends with a query that waits for them, unless all cycles are finished.
    waits
        Whether there is such a query, of cycle `cycles`.
    tested
        Whether there is a test split with labels.
    control
        Whether each query has a control slice.
    reasons
        Whether each query says why its images were chosen.
    """

    cycles: int = 5
    people: bool = False
    waits: bool = False
    tested: bool = True
    control: bool = False
    reasons: bool = True
