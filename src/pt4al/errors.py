"""The one exception that people see, and words for its messages."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """A person's mistake: what is wrong, where, and the way out; shown without a traceback."""


def counted(number: int, thing: str) -> str:
    """Return a number of things: `1 cycle`, `5 cycles`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def did_you_mean(word: object, names: Iterable[str]) -> str:
    """End an error message with the nearest of the valid names, or with all of them."""
    names = sorted(names)
    near = difflib.get_close_matches(str(word), names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
