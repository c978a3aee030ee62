"""Names of classes as people and programs write them: the class that is meant, or a near one."""

from collections.abc import Iterable

from pt4al.errors import did_you_mean
from pt4al.text import confusable, normalised

SKIP = "(skip)"  # as a label: the image was skipped


def printable(text: object) -> str:
    """Return a text with half characters, which JSON may hold and files can't, spelt out."""
    return str(text).encode("utf-8", "backslashreplace").decode()


class Names:
    """The classes of a run, found by their names."""

    def __init__(self, classes: Iterable[str]):
        self.classes = list(classes)
        self._spellings: dict[str, list[str]] = {}
        for name in self.classes:
            self._spellings.setdefault(normalised(name), []).append(name)

    def find(self, name: object) -> str | None:
        """Return the class of a name, in any spelling, with or without blanks around."""
        if not isinstance(name, str):
            return None
        candidates = self._spellings.get(normalised(name), [])
        if name in candidates:
            return name
        return candidates[0] if len(candidates) == 1 else None

    def alike(self, name: str) -> str | None:
        """Return a class that differs from a name only in case, or in the kind of blank."""
        groups = confusable([*self.classes, name])
        return next((group[0] for group in groups if name in group and group[0] != name), None)

    def hint(self, name: object) -> str:
        """End a message on a name that is no class: name a class that looks like it, or all."""
        near = self.alike(normalised(str(name)))
        return f"write {near!r}" if near else did_you_mean(name, self.classes)
