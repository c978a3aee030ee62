"""A git repository in which DVC keeps a pool, and a stopwatch."""

import os
import subprocess
import sys
from pathlib import Path

from timing import seconds

DVC = str(Path(sys.executable).with_name("dvc"))


class Repository:
    """A new one; its pool is to be moved to `pool`."""

    def __init__(self, folder: Path):
        self._folder, self.pool, self._cache = folder, folder / "pool", folder / ".dvc" / "cache"
        folder.mkdir()
        self._run("git", "init", "--quiet")
        self._run(DVC, "init", "--quiet")
        self._run(DVC, "config", "core.analytics", "false")
        self._run(DVC, "config", "cache.type", "hardlink,symlink,copy")

    def add(self) -> float:
        """Return the seconds of `dvc add`."""
        return seconds(lambda: self._run(DVC, "add", "--quiet", "pool"))

    def status(self) -> float:
        """Return the seconds of `dvc status`."""
        return seconds(lambda: self._run(DVC, "status", "--quiet"))

    def cached(self) -> int:
        """Bytes in DVC's cache."""
        return sum(_sizes(self._cache).values())

    def on_disk(self) -> int:
        """Bytes of the pool and the cache together; files that are linked count once."""
        return sum((_sizes(self._cache) | _sizes(self.pool)).values())

    def _run(self, *command: str) -> None:
        environment = os.environ | {"DVC_SITE_CACHE_DIR": str(self._folder / ".dvc" / "site"), "DVC_NO_ANALYTICS": "1"}
        subprocess.run(command, cwd=self._folder, env=environment, check=True, stdout=subprocess.DEVNULL)


def _sizes(folder: Path) -> dict[int, int]:
    return {path.stat().st_ino: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
