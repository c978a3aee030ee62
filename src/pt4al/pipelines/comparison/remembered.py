"""What a process that makes one run after another, a comparison's worker, does once for all of them, or meanwhile.

A command of its own remembers until it ends: the next one looks again at what may have changed.
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
    """Remember, for as long as the block runs, what `once` finds out; `checked`: what is known already.

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


@contextmanager
def one_command() -> Iterator[None]:
    """Remember what `once` finds out until the block ends; a worker remembers it for longer."""
    if _known.get() is not None:
        yield
        return
    known = _known.set({})
    try:
        yield
    finally:
        _known.reset(known)


def once(what: str, find_out: Callable[[], Found]) -> Found:
    """Return what `find_out` returns, which is called once for each `what` where that is remembered.

    What it raises is not remembered.
    """
    known = _known.get()
    if known is None:
        return find_out()
    if what not in known:
        known[what] = find_out()
    return known[what]


def meanwhile(do: Callable[[], None]) -> None:
    """Do what the next run need not wait for, and whose errors end nothing: where there is no next one, at once."""
    thread = _aside.get()
    if thread is None:
        do()
    else:
        thread.submit(do)
