"""Names that people typed: one spelling each, and groups that only look alike."""

import re
import unicodedata
from collections.abc import Iterable

# Blanks of any kind, and what has no width: a byte order mark, zero-width space and joiners.
BLANK = r"[\s\ufeff\u200b\u200c\u200d\u2060]"
ENDS = re.compile(f"^{BLANK}+|{BLANK}+$")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,15})?")
BETWEEN = re.compile(f"(?:{BLANK}|_)+")


def normalised(name: str) -> str:
    """Return a name in one spelling: composed letters (Unicode's NFC), and no blanks at its ends.

    `cafe` with a combining accent, as macOS writes names of files, and `café` are one name then.
    Upper and lower case, and blanks within a name, stay as they are: see `confusable`.
    """
    if name.isascii() and name == name.strip():  # nearly all of a million
        return name
    return ENDS.sub("", unicodedata.normalize("NFC", name))


def named_well(name: str) -> bool:
    """Tell whether a class can have this name: one line, with something to be seen on it."""
    return bool(name) and not CONTROL.search(name)


def confusable(names: Iterable[str]) -> list[list[str]]:
    """Return groups of names that differ in case, or in the kind of blank, alone: `Cat` and `cat`.

    They may be meant to be one: people are warned, nothing is merged. An underscore counts as a
    blank, letters of another width or style (`Ｃat`) as the plain ones; `1`, `01` and `1.0` are one
    number.
    """
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        plain = unicodedata.normalize("NFKC", name).casefold()
        key = BETWEEN.sub(" ", plain).strip()
        if NUMBER.fullmatch(key):
            key = str(float(key))
        groups.setdefault(key, []).append(name)
    return [group for group in groups.values() if len(group) > 1]
