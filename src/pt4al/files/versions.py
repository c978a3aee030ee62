"""Versions of a file: where they are, which is the newest, and the next one's name."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path

FOLDER = "versions"  # beside a file that people open: holds its versions, by its name
PATTERN = "[0-9][0-9][0-9][0-9]-*T*Z"
# In a run: <file>, <cycle>/<file>, <cycle>/versions/<file>.
DEPTHS = ("*", "*/*", "*/*/*")
FORMAT = "%Y-%m-%dT%H.%M.%S.%fZ"  # Kedro's


def kept(path: Path) -> Path:
    """Return the folder of the versions of a file that lies at its plain path."""
    return path.parent / FOLDER / path.name


def versions(path: Path) -> list[Path]:
    """Return the versions of a catalog's file or folder, the newest last.

    They are in a folder of the file's name: where the file would be, or beside it if the newest
    lies there.
    """
    files = [*path.glob(f"*/{path.name}"), *kept(path).glob(f"*/{path.name}")]
    return sorted(files, key=lambda version: version.parent.name)


def newest(path: Path) -> Path | None:
    """Return the newest version, or a file without versions; None if there is neither."""
    files = versions(path)
    if files:
        return files[-1]
    return path if path.is_file() else None


def version_of(name: str) -> str | None:
    """Return the folder of the version that a file is of, a/b/<time>; None of a file without.

    Parameters
    ----------
    name
        Of the file, with slashes.
    """
    folders = name.split("/")[:-1]
    for number, folder in enumerate(folders, 1):
        if fnmatch(folder, PATTERN):
            return "/".join(folders[:number])
    return None


def later(version: str, folders: Iterable[Path]) -> str:
    """Return this version's name, or one after the folders' newest if a clock was set back."""
    names = [
        path.name
        for folder in folders
        for depth in DEPTHS
        for path in folder.glob(f"{depth}/{PATTERN}")
    ]
    last = max(names, default="")
    if version > last:
        return version
    after = datetime.strptime(last, FORMAT) + timedelta(milliseconds=1)
    return f"{after:%Y-%m-%dT%H.%M.%S}.{after.microsecond // 1000:03d}Z"
