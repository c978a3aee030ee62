"""Names of classes as people and programs write them: which class is meant, or what comes near."""

from collections.abc import Iterable

from pt4al.errors import did_you_mean
from pt4al.text import confusable, normalised

SKIP = "(skip)"  # in the column of labels: nobody can say


def printable(text: object) -> str:
    """Return a text with halves of characters, which JSON may hold and no file could, spelt out."""
    return str(text).encode("utf-8", "backslashreplace").decode()


class Names:
    """The classes of a run, found by their names."""

    def __init__(self, classes: Iterable[str]):
        self.classes = list(classes)
        self._spellings: dict[str, list[str]] = {}
        for name in self.classes:
            self._spellings.setdefault(normalised(name), []).append(name)

    def find(self, name: object) -> str | None:
        """Return the class of that name, in whichever spelling of the same letters, with or without blanks around."""
        if not isinstance(name, str):
            return None
        meant = self._spellings.get(normalised(name), [])
        if name in meant:
            return name
        return meant[0] if len(meant) == 1 else None

    def alike(self, name: str) -> str | None:
        """Return a class that differs from a name in case, or in the kind of blank, alone."""
        groups = confusable([*self.classes, name])
        return next((group[0] for group in groups if name in group and group[0] != name), None)

    def hint(self, name: object) -> str:
        """End a message about a name that is no class: by the class that looks like it, the nearest one, or all."""
        near = self.alike(normalised(str(name)))
        return f"write {near!r}" if near else did_you_mean(name, self.classes)
