"""The one exception that a person may see."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """A person's mistake: says what is wrong, where, and what would be right. Shown without a traceback."""


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """End an error message with the nearest known name, or with all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(str(word), known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
