"""Write a file or folder so that it appears whole under its name, or not at all."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

QUIET = 60.0  # seconds after which nobody writes any more to a path whose process is not here


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; what is written there is renamed `path` at the end.

    A process that is killed, or fails, leaves `path` as it was; one that fails removes the
    temporary path too. A folder replaces a folder, a file a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        if path.is_dir():
            shutil.rmtree(path)
        temporary.replace(path)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a full disk names no file
        _remove(temporary)
        raise


def tidy(folder: Path) -> None:
    """Remove temporary paths below a folder that killed processes have left."""
    for path in folder.rglob(".*.*"):
        number = path.suffix[1:]
        if number.isdecimal() and not _is_written(path, int(number)):
            _remove(path)


def _is_written(path: Path, pid: int) -> bool:
    """Whether a process may be writing a temporary path, here or on another machine."""
    try:
        if time.time() - path.stat().st_mtime < QUIET:
            return True
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is another person's
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
