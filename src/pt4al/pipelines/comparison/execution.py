"""Run cells side by side: what several need is made once, before them."""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

from pt4al.pipelines.comparison.plan import Cell
from pt4al.plots.style import duration

logger = logging.getLogger(__name__)

# What cells share, and the pipelines that make it.
SHARED = {
    "pool": ["pool"],
    "features": ["pool", "features"],
    "pretext": ["pool", "features", "pretext"],
}

Run = Callable[[Cell, list[str]], str | None]  # of some pipelines of a cell; returns why it failed


def run_all(
    cells: list[Cell], workers: int, run: Run, shared_made: Callable[[], None] = lambda: None
) -> Iterator[tuple[Cell, str | None]]:
    """Run cells, and yield each with the reason why it failed, or None, as they end.

    What several cells share is made first, each by the first cell that needs it: the pool,
    features, then the pretext networks; `shared_made` is called when that is done. A cell whose
    share failed is not tried.
    """
    for share, pipelines in SHARED.items():
        shared: dict[str, list[Cell]] = {}
        for cell in cells:
            if getattr(cell, share) is not None:
                shared.setdefault(getattr(cell, share), []).append(cell)
        first = {members[0].run: members for members in shared.values() if len(members) > 1}
        if first:
            logger.info("%s: %d to make for several cells, or to find made", share, len(first))
        for cell, reason in _side_by_side(
            [members[0] for members in first.values()], workers, run, pipelines
        ):
            if reason is not None:
                failed = first[cell.run]
                cells = [cell for cell in cells if cell not in failed]
                yield from ((member, f"{share} of {cell.run}: {reason}") for member in failed)
    shared_made()
    yield from _side_by_side(cells, workers, run, ["cell"])


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


def _side_by_side(
    cells: list[Cell], workers: int, run: Run, pipelines: list[str]
) -> Iterator[tuple[Cell, str | None]]:
    with ThreadPoolExecutor(workers) as threads:
        started = {threads.submit(run, cell, pipelines): cell for cell in cells}
        yield from ((started[ended], ended.result()) for ended in as_completed(started))
