"""A folder that appears whole, and never among other files."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pt4al.errors import InputError


def check_new(path: Path) -> None:
    """Raise InputError if there is anything at a path but an empty folder."""
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_dir():
        raise InputError(f"{path} is there already: name another one")
    if any(path.iterdir()):
        raise InputError(f"{path} is a folder that holds something: name another, or a new one")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`, which is renamed `path` at the end.

    Nothing is there if its maker fails.

    Raises
    ------
    InputError
        If there is anything at the path but an empty folder.
    """
    check_new(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)  # left by a killed process that had our number
    temporary.mkdir()
    try:
        yield temporary
        check_new(path)  # somebody else may have written there meanwhile
        temporary.replace(path)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a full disk names no file
        shutil.rmtree(temporary, ignore_errors=True)
        raise
