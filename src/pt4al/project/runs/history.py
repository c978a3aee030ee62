"""A run as a history: chapters of cycles, each with the settings that it was made with."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

# What may differ from the next cycle on, by how its dotted name begins: without a word, and with
# `run.change`.
FREE = ("cycles.number", "engine.")
CHANGEABLE = (*FREE, "cycles.budget", "query.", "main.", "features.", "control.")
FIXED = ("main.task",)
# Networks trained with others of these can't be asked any more.
TRAINED_WITH = ("main.", "features.")
LEARNING_LOSS = "learning_loss"  # the measure whose networks have a head more


@dataclass(frozen=True)
class Chapter:
    """Cycles in a row that have the same settings.

    Attributes
    ----------
    asks_from, trains_from
        The first cycle whose query, and the first whose network, is made with them.
    settings
        Those that make the run what it is, by dotted name; see `identity`.
    folders
        Names of the folders that it shares with other runs: `pool`, `features`, `pretext`. Empty in
        a run that has never changed: they follow from its settings.
    command
        Command that began it; empty where it was not written down.
    """

    asks_from: int
    trains_from: int
    settings: dict[str, Any]
    folders: dict[str, str]
    command: str = ""


@dataclass(frozen=True)
class History:
    """The chapters of a run, at least one, in their order."""

    chapters: tuple[Chapter, ...]

    @classmethod
    def begin(cls, settings: dict[str, Any]) -> "History":
        """Return the history of a run that has never changed."""
        return cls((Chapter(0, 0, settings, {}),))

    @classmethod
    def from_records(cls, records: list[dict[str, Any]]) -> "History":
        """Return what `records` gave."""
        return cls(tuple(Chapter(**record) for record in records))

    def records(self) -> list[dict[str, Any]]:
        """Return the chapters as a JSON file can hold them."""
        return [asdict(chapter) for chapter in self.chapters]

    @property
    def first(self) -> Chapter:
        """The chapter that the run began with."""
        return self.chapters[0]

    @property
    def now(self) -> Chapter:
        """The newest chapter."""
        return self.chapters[-1]

    def asked(self, cycle: int) -> Chapter:
        """Return the chapter that made a cycle's query."""
        return [chapter for chapter in self.chapters if chapter.asks_from <= cycle][-1]

    def trained(self, cycle: int) -> Chapter:
        """Return the chapter that trained a cycle's network."""
        return [chapter for chapter in self.chapters if chapter.trains_from <= cycle][-1]

    def budget(self, cycle: int) -> int:
        """Return how many labels a cycle asked for."""
        budget = self.asked(cycle).settings["cycles.budget"]
        return budget[cycle] if isinstance(budget, list) else budget

    def chosen_by(self, cycle: int) -> str:
        """Return what chose a cycle's query: a start rule, a strategy, or the measure itself."""
        settings = self.asked(cycle).settings
        if cycle == 0:
            return settings["query.start"]
        strategy = settings["query.strategy"]
        return settings["query.measure"] if strategy == "top" else strategy

    def go_on(self, chapter: Chapter) -> "History":
        """Return the history with one more chapter, in place of those it leaves no cycle to."""
        later = (chapter.asks_from, chapter.trains_from)
        kept = [
            earlier
            for earlier in self.chapters
            if (earlier.asks_from, earlier.trains_from) != later or earlier is self.first
        ]
        if len(kept) == 1 and later == (0, 0):  # nothing was made with the first one's settings
            return History((chapter,))
        return History((*kept, chapter))

    @property
    def closed(self) -> int:
        """Number of cycles that can't be made again: the settings of their networks are past."""
        turns = [0]
        for before, after in pairwise(self.chapters):
            if not is_free(before.settings, after.settings):
                turns.append(after.trains_from)
        return max(turns)

    @property
    def bridge(self) -> int | None:
        """The cycle before which the network that is asked is trained again; None: there is none.

        The newest network was trained with other settings than those of today, of what `main`
        and `features` say, and can't read what today's reads.
        """
        for before, after in reversed(list(pairwise(self.chapters))):
            if after.trains_from and _trains_otherwise(before.settings, after.settings):
                return after.trains_from
        return None

    def sentences(self) -> list[str]:
        """Return what has changed, one sentence a chapter after the first."""
        lines = []
        for before, after in pairwise(self.chapters):
            listed = [
                f"{name} {before.settings.get(name)} -> {after.settings.get(name)}"
                for name in changed(before.settings, after.settings)
            ]
            lines.append(f"{beginning(after)}: {', '.join(listed)}")
        return lines


def beginning(chapter: Chapter) -> str:
    """Return from when on a chapter's settings hold, in words."""
    if chapter.asks_from > chapter.trains_from:
        return f"from the training of cycle {chapter.trains_from} on, whose query was there already"
    return f"from cycle {chapter.asks_from} on"


def changed(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return the names of the settings that differ, in their order."""
    return [name for name in sorted(then.keys() | now.keys()) if then.get(name) != now.get(name)]


def is_free(then: dict[str, Any], now: dict[str, Any]) -> bool:
    """Return whether settings may become others without a word."""
    names = changed(then, now)
    if _is_longer(then.get("cycles.budget"), now.get("cycles.budget")):
        names.remove("cycles.budget")
    return all(name.startswith(FREE) for name in names)


def _is_longer(then: Any, now: Any) -> bool:
    """Return whether budgets, a list of one a cycle, are the same and more."""
    if not (isinstance(then, list) and isinstance(now, list)):
        return False
    return len(then) < len(now) and now[: len(then)] == then


def is_fixed(name: str) -> bool:
    """Return whether a setting can never change in a run."""
    return name in FIXED or not name.startswith(CHANGEABLE)


def _trains_otherwise(before: dict[str, Any], after: dict[str, Any]) -> bool:
    if any(name.startswith(TRAINED_WITH) for name in changed(before, after)):
        return True
    heads = [settings.get("query.measure") == LEARNING_LOSS for settings in (before, after)]
    return heads[0] != heads[1]
