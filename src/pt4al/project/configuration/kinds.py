"""Kinds of settings that several blocks have."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from pt4al.errors import did_you_mean
from pt4al.project.configuration.paths import plain
from pt4al.text import normalised

MOMENT = "a time with its zone, such as 2026-12-01T17:00+01:00"
LONGEST_TEXT = 4096
MOST_IMAGES = 2**31
NOT_IN_A_LINE = {
    "Cc",
    "Cs",
    "Zl",
    "Zp",
}  # Unicode's categories of control characters, half ones, and separators


def _line(text: str) -> str:
    if not text.strip() or any(unicodedata.category(letter) in NOT_IN_A_LINE for letter in text):
        raise ValueError("it must be one line of text, without control characters")
    return text


def typed(values: Any) -> Any:
    """Return a list as it was typed: Kedro's --params splits at commas, so that it is cat/dog or 0/1."""
    if isinstance(values, str):
        return values.split("/")
    return [values] if isinstance(values, int) else values


def _different(values: list) -> list:
    twice = [value for value in values if values.count(value) > 1]
    if twice:
        raise ValueError(f"{twice[0]!r} stands there twice")
    return values


def _moment(value: Any) -> Any:
    # pydantic takes a number for seconds since 1970.
    if isinstance(value, int | float) or (
        isinstance(value, str) and re.fullmatch(r"[\s\d.+-]*", value)
    ):
        raise ValueError(f"say {MOMENT}")
    return value


Text = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_line)]
ClassName = Annotated[Text, AfterValidator(normalised)]
Place = Annotated[Text, AfterValidator(plain)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Images = Annotated[int, Field(gt=0, le=MOST_IMAGES)]


def several(kind: Any, least: int = 0) -> Any:
    """The type of a list of different values, which the command line can write."""
    return Annotated[
        list[kind], Field(min_length=least), BeforeValidator(typed), AfterValidator(_different)
    ]


def one_of(known: Iterable[str]) -> Any:
    """The type of a name that must be a key of a registry."""
    known = sorted(known)

    def check(name: str) -> str:
        if name not in known:
            raise ValueError(did_you_mean(name, known))
        return name

    return Annotated[str, AfterValidator(check)]
