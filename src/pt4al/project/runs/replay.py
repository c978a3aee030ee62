"""The commands that make a run again, from its history alone."""

from typing import Any

from pt4al.project.configuration.dotted import flat, nested
from pt4al.project.configuration.identity import POLICIES, identity
from pt4al.project.configuration.next_commands import command_line
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.history import History


def commands(
    history: History, defaults: dict[str, Any], oracle: dict[str, Any] | None = None
) -> list[str]:
    """Return one command a chapter, in their order.

    Each goes as far as the chapter did: to the first query of the next one.

    Parameters
    ----------
    defaults
        Settings of conf/base: a command has those that differ from them.
    oracle
        Block `oracle` of the newest command of a run that people label: what of it may change
        within the run is the same in each command.
    """
    parsed = parse(defaults)
    usual = identity(parsed)
    asked = _policies(oracle or {}, parsed.oracle.model_dump(mode="json"))
    lines = []
    chapters = history.chapters
    for number, chapter in enumerate(chapters):
        typed = {
            name: value for name, value in chapter.settings.items() if usual.get(name) != value
        }
        if number + 1 < len(chapters):
            typed |= _shorter(chapter.settings, chapters[number + 1].asks_from)
        typed |= asked
        if number:
            typed["run.change"] = True
        lines.append(command_line(None, nested(typed)))
    return lines


def _policies(oracle: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """Return what differs from the defaults, by dotted name; sentences have commas, and stay away."""
    apart = flat({name: oracle[name] for name in POLICIES & oracle.keys() - {"descriptions"}})
    own = flat(usual)
    differing = {name: value for name, value in sorted(apart.items()) if own.get(name) != value}
    return {f"oracle.{name}": value for name, value in differing.items()}


def _shorter(settings: dict[str, Any], cycles: int) -> dict[str, Any]:
    """Return the settings with which a run ends after so many cycles."""
    shorter = {"cycles.number": cycles}
    budget = settings["cycles.budget"]
    if isinstance(budget, list):
        shorter["cycles.budget"] = budget[:cycles]
    return shorter
