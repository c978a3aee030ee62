"""Where the versions of a file are, which of them is the newest, and a new version's name."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

FOLDER = "versions"  # beside a file that people open: its versions, by its name
PATTERN = "[0-9][0-9][0-9][0-9]-*T*Z"
DEPTHS = ("*", "*/*", "*/*/*")  # of what a run has: <file>, <cycle>/<file>, <cycle>/versions/<file>
FORMAT = "%Y-%m-%dT%H.%M.%S.%fZ"  # Kedro's


def kept(path: Path) -> Path:
    """Return the folder of the versions of a file that lies at its plain path."""
    return path.parent / FOLDER / path.name


def versions(path: Path) -> list[Path]:
    """Return the versions of a catalog's file or folder, the newest last.

    They are in a folder of the file's name: where the file would be, or, if the newest lies there,
    beside it.
    """
    found = [*path.glob(f"*/{path.name}"), *kept(path).glob(f"*/{path.name}")]
    return sorted(found, key=lambda version: version.parent.name)


def newest(path: Path) -> Path | None:
    """Return the newest version, or a file without versions; None where there is neither."""
    found = versions(path)
    if found:
        return found[-1]
    return path if path.is_file() else None


def later(version: str, folders: Iterable[Path]) -> str:
    """Return a new version's name: this one, or one after the newest in folders of runs, where a clock was set back."""
    found = [
        path.name
        for folder in folders
        for depth in DEPTHS
        for path in folder.glob(f"{depth}/{PATTERN}")
    ]
    last = max(found, default="")
    if version > last:
        return version
    after = datetime.strptime(last, FORMAT) + timedelta(milliseconds=1)
    return f"{after:%Y-%m-%dT%H.%M.%S}.{after.microsecond // 1000:03d}Z"
