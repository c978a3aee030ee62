"""Folders of checkpoints of trainings that have not ended: kept as long as a run that began them."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

RUN = ".run"  # ends the name of the empty file that stands for a run
# Below a folder of pools or features, with versions and without.
PLACES = ("*/.*.training/*_by_*/", "*/*/*/.*.training/*_by_*/")


def place(pool: Path) -> Path:
    """Return the folder of those that train on a pool, or on features."""
    return pool.with_name(f".{pool.name}.training")


def note(folder: Path, run: str) -> None:
    """Note that a run has begun a training."""
    (folder / f"{run}{RUN}").touch()


def rename(layer: Path, run: str, name: str) -> None:
    """Note that a run is called otherwise from now on.

    Parameters
    ----------
    layer
        Folder of pools or features.
    """
    for folder in _folders(layer):
        with suppress(FileNotFoundError):
            (folder / f"{run}{RUN}").rename(folder / f"{name}{RUN}")


def tidy(layer: Path, exists: Callable[[str], bool]) -> int:
    """Remove the folders that were begun by runs of which none exists; return how many.

    A folder whose training goes on stays, and so does one that no run has begun.
    """
    removed = 0
    for folder in list(_folders(layer)):
        runs = [file.stem for file in folder.glob(f"*{RUN}")]
        if runs and not any(map(exists, runs)):
            removed += _remove(folder)
    return removed


def _remove(folder: Path) -> bool:
    try:
        with FileLock(folder.with_suffix(".lock"), timeout=0) as lock:
            shutil.rmtree(folder)
            Path(lock.lock_file).unlink(missing_ok=True)
    except (Timeout, OSError):
        return False
    with suppress(OSError):  # unless others are in it
        folder.parent.rmdir()
    return True


def _folders(layer: Path) -> Iterator[Path]:
    for pattern in PLACES:
        yield from (path for path in layer.glob(pattern) if path.is_dir())
