"""Names that would make two things of one: runs, comparisons and what runs share have folders side by side."""

import re
from pathlib import Path

from pt4al.errors import InputError
from pt4al.project.runs import guard

SHARED = re.compile(r"(pool|features|pretext)_[0-9a-f]{12}")


def check_run(root: Path, name: str) -> None:
    """Raise InputError if a run's files would lie among those of a comparison, or of what runs share."""
    if _plan(root, name).exists():
        raise InputError(
            f"`run.name` is {name!r}, as a comparison is called whose files are here: use another one"
        )
    _check_shared("run.name", name)


def check_comparison(root: Path, name: str) -> None:
    """Raise InputError if a comparison's files would lie among those of a run, or of what runs share."""
    if guard.configuration_file(root, name).exists():
        raise InputError(
            f"`comparison.name` is {name!r}, as a run is called whose files are here: use another one"
        )
    _check_shared("comparison.name", name)


def _check_shared(setting: str, name: str) -> None:
    if SHARED.fullmatch(name):
        raise InputError(
            f"`{setting}` is {name!r}, as folders are called that runs share: use another one"
        )


def _plan(root: Path, comparison: str) -> Path:
    return root / "08_reporting" / comparison / "plan.csv"
