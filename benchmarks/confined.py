"""Run a command, if the machine lets us under a hard limit of memory: a control group that counts its files' pages."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

GROUPS = Path("/sys/fs/cgroup")
JOIN = 'echo $$ > "$0/cgroup.procs" && exec "$@"'  # the shell moves itself, then becomes the command


def call(script: Path, *arguments: object, group: Path | None = None) -> dict[str, Any]:
    """Run a Python script in a process of its own, and in a control group; return the JSON of its last line."""
    command = [sys.executable, str(script), *map(str, arguments)]
    if group is not None:
        command = ["sh", "-c", JOIN, str(group), *command]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def memory_group(limit: int) -> Iterator[Path | None]:
    """Make a control group whose processes share `limit` bytes; None where that isn't allowed."""
    group = next(filter(None, (_made(parent, limit) for parent in _parents())), None)
    try:
        yield group
    finally:
        if group is not None:
            group.rmdir()


def peak(status: Path = Path("/proc/self/status")) -> int:
    """Return the most memory that this process has had resident, in bytes, as Linux counts it."""
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def forget(folder: Path) -> None:
    """Drop a folder's files from the operating system's cache, so that reading them counts for whoever does."""
    for path in filter(Path.is_file, folder.iterdir()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _parents() -> Iterator[Path]:
    """Where a group could be made: below our own (version 1), or beside the others (version 2)."""
    groups = Path("/proc/self/cgroup")
    for line in groups.read_text().splitlines() if groups.exists() else []:
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            yield GROUPS / "memory" / path.strip("/")
    enabled = GROUPS / "cgroup.subtree_control"
    if enabled.exists() and "memory" in enabled.read_text().split():
        yield GROUPS


def _made(parent: Path, limit: int) -> Path | None:
    group = parent / f"pt4al-{os.getpid()}"
    try:
        group.mkdir()
    except OSError:
        return None
    try:
        first = (group / "memory.limit_in_bytes").exists()
        (group / ("memory.limit_in_bytes" if first else "memory.max")).write_text(str(limit))
        swap = group / ("memory.swappiness" if first else "memory.swap.max")
        if swap.exists():
            swap.write_text("0")
        if not os.access(group / "cgroup.procs", os.W_OK):
            raise PermissionError(group)
    except OSError:
        with suppress(OSError):
            group.rmdir()
        return None
    return group
