"""Run tasks in threads, with results in order; bound what threads hold together."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Condition
from typing import Any

AHEAD = 16  # results that wait to be taken


def in_order(
    function: Callable[..., Any], tasks: Iterable[tuple], most: int = AHEAD
) -> Iterator[Any]:
    """Yield `function(*task)` for each task, from as many threads as torch uses (`engine.threads`).

    Threads are enough, since PIL and numpy release the interpreter's lock.

    Parameters
    ----------
    most
        How many results may wait to be taken.
    """
    import torch  # takes a second: what only looks at pictures does without

    most = min(AHEAD, most)
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        waiting: deque[Future] = deque()
        for task in tasks:
            waiting.append(threads.submit(function, *task))
            if len(waiting) > most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class Room:
    """A bound on what threads hold together; one that needs more than all of it runs alone."""

    def __init__(self, size: int):
        self._size = size
        self._left = size
        self._changed = Condition()

    @contextmanager
    def taken(self, need: int) -> Iterator[None]:
        """Wait until there is room for `need`, and hold it in the context."""
        need = min(need, self._size)
        with self._changed:
            self._changed.wait_for(lambda: self._left >= need)
            self._left -= need
        try:
            yield
        finally:
            with self._changed:
                self._left += need
                self._changed.notify_all()
