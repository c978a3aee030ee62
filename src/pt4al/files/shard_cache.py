"""Keep the shards on this disk below a bound: those that were read longest ago go first."""

import os
import time
from pathlib import Path

from pt4al.files.digests import APART
from pt4al.files.storage import Storage
from pt4al.files.versions import PATTERN

GB = 10**9


def used(path: Path) -> None:
    """Note that a shard is being read; its time of change stays."""
    os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))


def make_room(storage: Storage, keep: Path | None = None) -> list[Path]:
    """Remove shards that the bucket has, until `storage.cache` holds the rest; return them.

    Parameters
    ----------
    keep
        A shard that stays, whatever the bound.
    """
    if storage.cache is None:
        return []
    shards = sorted(
        (path for path in storage.root.glob(f"0*/*/*/{PATTERN}/*/*{APART}")),
        key=lambda path: path.stat().st_atime_ns,
    )
    bytes_here = sum(_bytes(path) for path in shards)
    removed = []
    for path in shards:
        if bytes_here <= storage.cache * GB:
            break
        there = storage.info(storage.name(path))
        if path == keep or there is None or there.size != path.stat().st_size:
            continue
        bytes_here -= _bytes(path)
        path.unlink()
        removed.append(path)
    return removed


def _bytes(path: Path) -> int:
    """Return what removing a file frees: versions of a pool share shards by links."""
    stat = path.stat()
    return stat.st_size // stat.st_nlink
