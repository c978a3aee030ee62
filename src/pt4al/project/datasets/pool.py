"""Datasets of a pool of images and its features: folders of shards, which may exceed memory."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from pt4al.features.vectors import Features, open_features
from pt4al.files import digests
from pt4al.images.pool import ImagePool, open_pool
from pt4al.pipelines.remembered import once
from pt4al.project.datasets.files import ReadOnly, WholeDataset


class _Shards(WholeDataset):
    """A folder of shards, saved by a function that is given the folder to write.

    It is written in one place whatever the version, so that the next run goes on where one was
    killed.
    """

    manifest: str  # its name

    def __init__(self, **place: Any):
        super().__init__(**place)
        self.outdated = False  # the pictures are others now; a hook finds out

    def load(self) -> Any:
        """Return the newest version; a comparison's cells share one, read and checked once."""
        return once(f"images {self._newest()}", super().load)

    @property
    def partial(self) -> Path:
        """Where it is written, and goes on where it was interrupted."""
        return Path(self._filepath).with_name(f".{self._filepath.name}.partial")

    def save(self, data: Callable[..., None]) -> None:
        """Call `data` with the folder to write and the newest version before it."""
        path = Path(self._get_save_path())
        partial = self.partial
        partial.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(partial.with_suffix(".lock")):  # another run may be writing the same
            data(partial, previous=self._previous())
            path.parent.mkdir(parents=True, exist_ok=True)
            self._seal(path, partial)
            if path.exists():
                shutil.rmtree(path)
            partial.replace(path)
        self.outdated = False

    def _exists(self) -> bool:
        return not self.outdated and super()._exists()

    def _previous(self) -> Path | None:
        versions = sorted(Path(self._filepath).glob(f"*/{self._filepath.name}/{self.manifest}"))
        if not versions:
            return None
        digests.check(versions[-1].parent, self._way_out(versions[-1].parent))
        return versions[-1].parent

    def _write(self, data: Any, path: Path) -> None:
        raise NotImplementedError(f"{path}: it is written by {data!r} itself")


class PoolDataset(_Shards):
    """A pool."""

    manifest = "pool.json"

    def _read(self, path: Path) -> ImagePool:
        return open_pool(path)


class FeaturesDataset(_Shards):
    """Features of a pool's pictures."""

    manifest = "features.json"

    def _read(self, path: Path) -> Features:
        return open_features(path)


class FeaturesPlaceDataset(ReadOnly, FeaturesDataset):
    """Folder in which features are computed while a pool is built."""

    def load(self) -> tuple[Path, Path | None]:
        """Return the folder that is being written, and the newest store before it."""
        return self.partial, self._previous()

    def _exists(self) -> bool:
        return True
