"""What a comparison's worker does once for all of its runs, or while the next one starts.

A command of its own remembers nothing: it looks again at what may have changed since the last one.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Found = TypeVar("Found")

_known: ContextVar[dict[str, Any] | None] = ContextVar("known", default=None)
_aside: ContextVar[ThreadPoolExecutor | None] = ContextVar("aside", default=None)


@contextmanager
def remembering(checked: Iterable[str] = ()) -> Iterator[None]:
    """Remember what `once` finds out for as long as the block runs; `checked` is known already.

    The block ends when all that was left to `meanwhile` is done.
    """
    known = _known.set(dict.fromkeys(checked))
    with ThreadPoolExecutor(1) as thread:
        aside = _aside.set(thread)
        try:
            yield
        finally:
            _aside.reset(aside)
            _known.reset(known)


def once(what: str, find_out: Callable[[], Found]) -> Found:
    """Return the result of `find_out`, which is called once for each `what` that is remembered.

    What it raises is not remembered.
    """
    known = _known.get()
    if known is None:
        return find_out()
    if what not in known:
        known[what] = find_out()
    return known[what]


def meanwhile(do: Callable[[], None]) -> None:
    """Do what the next run need not wait for; at once where there is no next one.

    Its errors end nothing.
    """
    thread = _aside.get()
    if thread is None:
        do()
    else:
        thread.submit(do)
