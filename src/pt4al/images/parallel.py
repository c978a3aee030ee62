"""Do a task many times on all cores, with the results in order and few of them waiting."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

AHEAD = 16  # results that wait to be taken


def in_order(function: Callable[..., Any], tasks: Iterable[tuple]) -> Iterator[Any]:
    """Yield `function(*task)` for each task; threads, since PIL and numpy let other threads run meanwhile."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        waiting: deque[Future] = deque()
        for task in tasks:
            waiting.append(threads.submit(function, *task))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
