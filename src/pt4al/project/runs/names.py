"""Refuse a name that two things would share: runs and comparisons have folders side by side."""

import re
from pathlib import Path

from pt4al.errors import InputError, did_you_mean
from pt4al.project.runs.folder import RECORDS, RunFolder

SHARED = re.compile(r"(pool|features|pretext)_[0-9a-f]{12}")


def check_run(root: Path, name: str) -> None:
    """Raise InputError if a run has the name of a comparison, or of what runs share."""
    if (RunFolder(root, name).reports / "plan.csv").exists():
        raise InputError(
            f"`run.name` is {name!r}, as a comparison is called whose files are here: "
            "use another one"
        )
    _check_shared("run.name", name)


def check_comparison(root: Path, name: str) -> None:
    """Raise InputError if a comparison has the name of a run, or of what runs share."""
    if RunFolder(root, name).configuration_file.exists():
        raise InputError(
            f"`comparison.name` is {name!r}, as a run is called whose files are here: "
            "use another one"
        )
    _check_shared("comparison.name", name)


def check_begun(root: Path, name: str, first: str) -> None:
    """Raise InputError if there is no such run: a report would leave one behind that is none.

    `first`: the command that makes the run.
    """
    if RunFolder(root, name).configuration_file.exists():
        return
    known = sorted(file.parent.name for file in root.glob(f"{RECORDS}/*/configuration.json"))
    hint = f" ({did_you_mean(name, known)})" if known else ""
    raise InputError(
        f"run {name!r} has nothing to report yet: no cycle is finished{hint}. "
        f"Type `{first}` first, which makes all of it"
    )


def _check_shared(setting: str, name: str) -> None:
    if SHARED.fullmatch(name):
        raise InputError(
            f"`{setting}` is {name!r}, as folders are called that runs share: use another one"
        )
