"""Check the options of a strategy."""

import math

from pt4al.errors import InputError


def check(
    name: str, value: object, least: float, most: float = math.inf, whole: bool = False
) -> None:
    """Raise InputError unless an option is a (whole) number in a range."""
    kinds = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
        kind = "a whole number" if whole else "a number"
        upper = "" if most == math.inf else f" and at most {most}"
        raise InputError(
            f"`query.options.{name}` is {value!r}: it must be {kind} of at least {least}{upper}"
        )


def check_switch(name: str, value: object) -> None:
    """Raise InputError unless an option is true or false."""
    if not isinstance(value, bool):
        raise InputError(f"`query.options.{name}` is {value!r}: it must be true or false")
