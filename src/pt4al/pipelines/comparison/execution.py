"""Run cells side by side: what several need is made once, before them."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pt4al.pipelines.comparison.plan import Cell
from pt4al.plots.style import duration

logger = logging.getLogger(__name__)

# What cells share, and the pipelines that make it.
SHARED = {
    "pool": ["pool"],
    "features": ["pool", "features"],
    "pretext": ["pool", "features", "pretext"],
}
WHOLE = "cell"  # the pipeline that runs all that is left of a cell


@dataclass(frozen=True)
class Errand:
    """Some pipelines of a cell, for a worker to run."""

    cell: Cell
    pipelines: list[str]


Shard = list[Errand]  # of one
# Runs errands side by side; yields each as it ends, with the reason why it failed. An errand that
# is None is asked for again once another has ended.
Run = Callable[[Iterable[Shard | None]], Iterable[tuple[Shard, str | None]]]


def run_all(
    cells: list[Cell], run: Run, shared_made: Callable[[], None] = lambda: None
) -> Iterator[tuple[Cell, str | None]]:
    """Run cells, and yield each with the reason why it failed, or None, as they end.

    What several cells share is made first, each by the first cell that needs it: the pool,
    features, then the pretext networks; `shared_made` is called when that is done. A cell whose
    share failed is not tried.
    """
    left = list(cells)
    waited_for: dict[str, list[Cell]] = {}  # by the cell that makes what they share

    def errands() -> Iterator[Shard | None]:
        for share, pipelines in SHARED.items():
            waited_for.update(_sharing(left, share))
            if waited_for:
                made = len(waited_for)
                logger.info("%s: %d to make for several cells, or to find made", share, made)
            yield from [[Errand(members[0], pipelines)] for members in waited_for.values()]
            while waited_for:
                yield None
        shared_made()
        yield from [[Errand(cell, [WHOLE])] for cell in left]

    for (errand,), reason in run(errands()):
        cell = errand.cell
        if errand.pipelines == [WHOLE]:
            yield cell, reason
            continue
        members = waited_for.pop(cell.run)
        if reason is not None:
            left = [member for member in left if member not in members]
            share = errand.pipelines[-1]
            yield from ((member, f"{share} of {cell.run}: {reason}") for member in members)


def _sharing(cells: list[Cell], share: str) -> dict[str, list[Cell]]:
    """Return the cells that share something, by the name of the first of them."""
    shared: dict[str, list[Cell]] = {}
    for cell in cells:
        if getattr(cell, share) is not None:
            shared.setdefault(getattr(cell, share), []).append(cell)
    return {members[0].run: members for members in shared.values() if len(members) > 1}


class Progress:
    """One line for each cell that has ended, with the time left."""

    def __init__(self, total: int):
        self._total = total
        self._ended = 0
        self.restart()

    def restart(self) -> None:
        """Count the time from now on: what cells share takes longer than a cell."""
        self._start = time.monotonic()

    def line(self, cell: Cell, what: str) -> str:
        """Return the line for a cell that has ended."""
        self._ended += 1
        left = (time.monotonic() - self._start) / self._ended * (self._total - self._ended)
        return f"{self._ended}/{self._total} {cell.run}: {what}; {duration(left)} left"
