"""Temporary folders that go with their process; the next one removes those of killed ones."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "pt4al-"
LOCK = "lock"


@dataclass(frozen=True)
class Scratch:
    """A folder, and the lock in it that says that its process lives."""

    folder: Path
    lock: FileLock

    @classmethod
    def begin(cls, temporary: Path | None = None) -> "Scratch":
        """Return a new folder; remove those of processes that were killed.

        Parameters
        ----------
        temporary
            Where it is made; by default where temporary files are.
        """
        temporary = Path(tempfile.gettempdir()) if temporary is None else temporary
        for old in temporary.glob(f"{PREFIX}*/{LOCK}"):
            try:
                with FileLock(old, timeout=0):
                    _remove(old.parent)
            except (Timeout, OSError):  # it is in use, or another person's
                continue
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=temporary))
        lock = FileLock(folder / LOCK)
        lock.acquire()
        return cls(folder, lock)

    def end(self) -> None:
        """Remove the folder."""
        _remove(self.folder)
        self.lock.release()


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a temporary folder, where libraries leave their temporary files as well."""
    usual = tempfile.tempdir
    made = Scratch.begin()
    tempfile.tempdir = str(made.folder)
    try:
        yield made.folder
    finally:
        tempfile.tempdir = usual
        made.end()


def _remove(folder: Path) -> None:
    """Remove a folder, its lock last: what can't be removed now, a later process removes."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != LOCK:
            path.unlink(missing_ok=True)
    if not [path for path in folder.iterdir() if path.name != LOCK]:
        shutil.rmtree(folder, ignore_errors=True)
