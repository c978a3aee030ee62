"""The Kedro datasets that kedro-datasets lacks. All save to a temporary name first: what exists is whole."""

import logging
import shutil
from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock
from kedro.io import AbstractDataset, AbstractVersionedDataset, Version
from kedro.io.core import VersionNotFoundError

from pt4al.annotation.log import AnswerLog
from pt4al.errors import InputError
from pt4al.features.vectors import Features, open_features
from pt4al.files import digests, records
from pt4al.files.versions import newest
from pt4al.files.whole import replacing
from pt4al.images.pool import ImagePool, open_pool
from pt4al.pipelines.comparison.remembered import once
from pt4al.pipelines.comparison.runs import Runs
from pt4al.training import networks

logger = logging.getLogger(__name__)


class _Atomic(AbstractVersionedDataset):
    """A file or folder that appears under its name when it is complete, or not at all.

    `sealed`: a digest is written beside it and checked when it is read; by default that of files
    with versions, since DVC, which keeps those without, has digests of its own.
    """

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        sealed: bool | None = None,
        metadata: dict | None = None,
    ):
        super().__init__(PurePosixPath(filepath), version)
        self._sealed = version is not None if sealed is None else sealed
        self.metadata = metadata

    def load(self) -> Any:
        path = self._newest()
        if path is None:
            raise InputError(
                f"{self._filepath}: no such file; an earlier stage of the run makes it"
            )
        return digests.whole(path, self._read, self._way_out(path))

    def save(self, data: Any) -> None:
        path = Path(self._get_save_path())
        with replacing(path) as temporary:
            self._write(data, temporary)
            self._seal(path, temporary)

    def _seal(self, path: Path, written: Path) -> None:
        # Before the file has its name: one that is there always has its digest.
        if self._sealed:
            digests.note(path, written)

    def _newest(self) -> Path | None:
        try:
            path = Path(self._get_load_path())
        except VersionNotFoundError:
            return None
        return path if path.exists() else None

    def _way_out(self, path: Path) -> str:
        removed = path if self._version is None else path.parent
        return f"remove {removed} and type the command again, which makes it anew"

    def _exists(self) -> bool:
        return Path(self._get_load_path()).exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}

    @abstractmethod
    def _read(self, path: Path) -> Any: ...

    @abstractmethod
    def _write(self, data: Any, path: Path) -> None: ...


class FileDataset(_Atomic):
    """Any file dataset of kedro-datasets, saved whole or not at all.

    `dataset` is its configuration without `filepath`: {type: pandas.ParquetDataset}.
    """

    def __init__(self, *, dataset: dict[str, Any], **place: Any):
        super().__init__(**place)
        self._dataset = dataset

    def _read(self, path: Path) -> Any:
        return _at(path, self._dataset).load()

    def _write(self, data: Any, path: Path) -> None:
        _at(path, self._dataset).save(data)


class KnownTableDataset(FileDataset):
    """The newest version of a table, to be made anew from; empty where there is none. Never saved."""

    def load(self) -> pd.DataFrame:
        return pd.DataFrame() if self._newest() is None else super().load()

    def save(self, data: Any) -> None:
        raise NotImplementedError(f"{self._filepath} is saved under its own name, not {data!r}")


class _Shards(_Atomic):
    """A folder of shards. Saved by a function that is given the folder to write, since it may be larger than memory.

    It is written in one place whatever the version, so that the next run goes on where one was
    killed.
    """

    manifest: str  # its name

    def __init__(self, **place: Any):
        super().__init__(**place)
        self.outdated = False  # the pictures are others now; hooks.py finds out

    def load(self) -> Any:
        """See _Atomic. Each node asks for it: its index need not be read, and its digest checked, for each cell."""
        return once(f"images {self._newest()}", super().load)

    @property
    def partial(self) -> Path:
        """Where it is written, and goes on where it was interrupted."""
        return Path(self._filepath).with_name(f".{self._filepath.name}.partial")

    def save(self, data: Callable[..., None]) -> None:
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


class FeaturesPlaceDataset(FeaturesDataset):
    """Where features are written, for who computes them while a pool is built. Never saved."""

    def load(self) -> tuple[Path, Path | None]:
        """Return the folder that is being written, and the newest store before it."""
        return self.partial, self._previous()

    def save(self, data: Any) -> None:
        raise NotImplementedError(f"{self._filepath} is saved under its own name, not {data!r}")

    def _exists(self) -> bool:
        return True


class NetworkDataset(_Atomic):
    """A network as safetensors."""

    def _read(self, path: Path) -> networks.Network:
        return networks.load(path)

    def _write(self, data: networks.Network, path: Path) -> None:
        networks.save(data, path)


class ArraysDataset(_Atomic):
    """A few arrays by name, as npz without pickle."""

    def _read(self, path: Path) -> dict[str, np.ndarray]:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)

    def _write(self, data: dict[str, np.ndarray], path: Path) -> None:
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **data)


class BytesDataset(_Atomic):
    """A file as it is."""

    def _read(self, path: Path) -> bytes:
        return path.read_bytes()

    def _write(self, data: bytes, path: Path) -> None:
        path.write_bytes(data)


class PicturesDataset(_Atomic):
    """A folder of PNG files, from a dictionary of their bytes by name."""

    def _read(self, path: Path) -> dict[str, bytes]:
        return {file.stem: file.read_bytes() for file in sorted(path.glob("*.png"))}

    def _write(self, data: dict[str, bytes], path: Path) -> None:
        path.mkdir()
        for name, picture in data.items():
            (path / f"{name}.png").write_bytes(picture)


class OthersDataset(AbstractDataset):
    """One file of every run, the newest version of each, to compare with. Never saved.

    `filepath` is a file's without its run: <reporting>/learning_curve.csv for
    <reporting>/<run>/learning_curve.csv. Loads a function for each run, by name, which reads the
    file; None, and a warning, where it is damaged: no run ends for another one's file.
    """

    def __init__(self, *, filepath: str, dataset: dict[str, Any], metadata: dict | None = None):
        self._folder = Path(filepath).parent
        self._filename = Path(filepath).name
        self._dataset = dataset
        self.metadata = metadata

    def load(self) -> dict[str, Callable[[], Any]]:
        found = {run.name: newest(run / self._filename) for run in sorted(self._folder.glob("*/"))}
        return {run: partial(self._read, path) for run, path in found.items() if path is not None}

    def save(self, data: Any) -> None:
        raise NotImplementedError(
            f"{self._folder}: files are saved by their own runs, not {data!r}"
        )

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder), "filename": self._filename}

    def _read(self, path: Path) -> Any:
        try:
            return digests.whole(
                path, lambda path: _at(path, self._dataset).load(), "it is left out"
            )
        except digests.Damaged as damaged:
            logger.warning("%s", damaged)
            return None


class RunCurvesDataset(OthersDataset):
    """The learning curves of all runs, by name."""

    def load(self) -> dict[str, pd.DataFrame]:
        curves = {run: read() for run, read in super().load().items()}
        return {
            run: curve for run, curve in curves.items() if curve is not None and "pool" in curve
        }


class RunsDataset(AbstractDataset):
    """The tables of any run, read when asked for. Never saved. `places`: see Runs; below `filepath`."""

    def __init__(self, *, filepath: str, places: dict[str, str], metadata: dict | None = None):
        self._root = Path(filepath)
        self._places = places
        self.metadata = metadata

    def load(self) -> Runs:
        return Runs(self._root, self._places)

    def save(self, data: Any) -> None:
        raise NotImplementedError(f"{self._root}: tables are saved by their own runs, not {data!r}")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"root": str(self._root), "places": self._places}


class AnswersDataset(AbstractDataset):
    """The log of what people have answered, in a folder. Never saved: it is written as they answer."""

    def __init__(self, *, filepath: str, metadata: dict | None = None):
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> AnswerLog:
        return AnswerLog(self._folder)

    def save(self, data: Any) -> None:
        raise NotImplementedError(
            f"{self._folder}: answers are added to their log one by one, not {data!r}"
        )

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder)}


class LogDataset(AbstractDataset):
    """A table that grows, one line of JSON a row; saving appends one. A run that resumes goes on with it."""

    def __init__(self, *, filepath: str, columns: list[str], metadata: dict | None = None):
        self._filepath = Path(filepath)
        self._columns = columns
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        return pd.DataFrame(records.rows(self._filepath, self._columns), columns=self._columns)

    def save(self, data: dict[str, Any]) -> None:
        records.append(self._filepath, data)

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def _at(path: Path, dataset: dict[str, Any]) -> AbstractDataset:
    """Return a dataset of kedro-datasets for one file."""
    return AbstractDataset.from_config(path.name, {**dataset, "filepath": str(path)})
