"""What is found out once: for a command, or by a comparison's worker for all of its runs.

A command of its own remembers until it ends: the next one looks again at what may have changed.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Result = TypeVar("Result")

_memory: ContextVar[dict[str, Any] | None] = ContextVar("memory", default=None)
_aside: ContextVar[ThreadPoolExecutor | None] = ContextVar("aside", default=None)


@contextmanager
def remembering(checked: Iterable[str] = (), aside: bool = True) -> Iterator[None]:
    """Remember what `once` finds out for as long as the block runs; `checked` is known already.

    The block ends when all that was left to `meanwhile` is done; nothing is if not `aside`.
    """
    token = _memory.set(dict.fromkeys(checked))
    with ThreadPoolExecutor(1) as thread:
        was_aside = _aside.set(thread if aside else None)
        try:
            yield
        finally:
            _aside.reset(was_aside)
            _memory.reset(token)


@contextmanager
def one_command() -> Iterator[None]:
    """Remember what `once` finds out until the block ends; a worker remembers it for longer."""
    if _memory.get() is not None:
        yield
        return
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def once(what: str, find_out: Callable[[], Result]) -> Result:
    """Return the result of `find_out`, which is called once for each `what` that is remembered.

    What it raises is not remembered.
    """
    memory = _memory.get()
    if memory is None:
        return find_out()
    if what not in memory:
        memory[what] = find_out()
    return memory[what]


def meanwhile(do: Callable[[], None]) -> None:
    """Do what the next run need not wait for; at once where there is no next one.

    Its errors end nothing.
    """
    thread = _aside.get()
    if thread is None:
        do()
    else:
        thread.submit(do)
