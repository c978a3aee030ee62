"""Names of classes as people and programs write them: which class is meant, or what comes near."""

from collections.abc import Iterable

from pt4al.errors import did_you_mean
from pt4al.text import confusable, normalised


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

    def hint(self, name: object) -> str:
        """End a message about a name that is no class: by the class that looks like it, the nearest one, or all."""
        alike = confusable([*self.classes, str(name)])
        near = [group[0] for group in alike if str(name) in group]
        return f"write {near[0]!r}" if near else did_you_mean(name, self.classes)
