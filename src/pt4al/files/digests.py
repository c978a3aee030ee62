"""Digests beside files, by which a file that was damaged since it was written is an error.

`x.parquet.sha256` beside `x.parquet` has the lines of `sha256sum`: of the file, or of a folder's
files. A file without one, as older versions left them, is read as it is.
"""

import errno
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pt4al.errors import InputError
from pt4al.files.whole import replacing

APART = ".npy"  # pixels of a pool, whose digests are in its manifest


class Damaged(InputError):
    """A file is not what was written."""

    def __init__(self, path: Path, why: str, way_out: str | None = None):
        if not way_out:
            way_out = (
                f"remove {path} and type the command again, "
                "which makes it anew from what it was made of"
            )
        super().__init__(f"{path} is damaged ({why}): {way_out}")


def note(path: Path, written: Path) -> None:
    """Note the digests of `written`, a file or a folder that is about to be renamed `path`."""
    with replacing(beside(path)) as temporary:
        temporary.write_text(_lines(written, path.name), encoding="utf-8")


def check(path: Path, way_out: str | None = None) -> bool:
    """Return whether a file or folder is as it was written; False if nothing was noted.

    Raises
    ------
    Damaged
        If it is not.
    """
    try:
        noted = beside(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return False
    for line in noted:
        digest, _, name = line.partition("  ")
        file = path / name if path.is_dir() else path
        if not file.exists() or _digest(file) != digest:
            raise Damaged(
                path, f"the SHA-256 of {name} is not the one noted when it was written", way_out
            )
    return bool(noted)


def whole(path: Path, read: Callable[[Path], Any], way_out: str | None = None) -> Any:
    """Return what `read` returns for a file; raise `Damaged` unless the file system is at fault."""
    intact = check(path, way_out)
    try:
        return read(path)
    except (InputError, MemoryError):
        raise
    except Exception as error:
        of_system = isinstance(error, OSError) and error.errno not in (None, errno.ENOENT)
        if intact or of_system:  # the fault is not the file's
            raise
        raise Damaged(path, _reason(path, error), way_out) from error


def beside(path: Path) -> Path:
    """Return where the digest of a file or folder is noted."""
    return path.with_name(f"{path.name}.sha256")


def _lines(path: Path, name: str) -> str:
    if not path.is_dir():
        return f"{_digest(path)}  {name}\n"
    files = sorted(file for file in path.iterdir() if file.suffix != APART)
    return "".join(f"{_digest(file)}  {file.name}\n" for file in files)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reason(path: Path, error: BaseException) -> str:
    if path.is_file() and not path.stat().st_size:
        return "it is empty"
    while error.__cause__ is not None:  # Kedro's datasets wrap what their libraries say
        error = error.__cause__
    return f"it can't be read: {str(error).strip() or type(error).__name__}".partition("\n")[0]
