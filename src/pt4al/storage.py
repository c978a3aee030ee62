"""The Kedro datasets that kedro-datasets lacks. All save to a temporary name first: what exists is whole."""

import json
import shutil
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock
from kedro.io import AbstractDataset, AbstractVersionedDataset, Version

from pt4al.atomic import replacing
from pt4al.errors import InputError
from pt4al.images.pool import ImagePool, open_pool
from pt4al.labelling.answers import AnswerLog
from pt4al.pipelines.comparison.runs import Runs
from pt4al.training import networks


class _Atomic(AbstractVersionedDataset):
    """A file or folder that appears under its name when it is complete, or not at all."""

    def __init__(self, *, filepath: str, version: Version | None = None, metadata: dict | None = None):
        super().__init__(PurePosixPath(filepath), version)
        self.metadata = metadata

    def load(self) -> Any:
        path = Path(self._get_load_path())
        if not path.exists():
            raise InputError(f"{path}: no such file; an earlier stage of the run makes it")
        return self._read(path)

    def save(self, data: Any) -> None:
        with replacing(Path(self._get_save_path())) as temporary:
            self._write(data, temporary)

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

    def __init__(
        self, *, filepath: str, dataset: dict[str, Any], version: Version | None = None, metadata: dict | None = None
    ):
        super().__init__(filepath=filepath, version=version, metadata=metadata)
        self._dataset = dataset

    def _read(self, path: Path) -> Any:
        return self._at(path).load()

    def _write(self, data: Any, path: Path) -> None:
        self._at(path).save(data)

    def _at(self, path: Path) -> AbstractDataset:
        return AbstractDataset.from_config(path.name, {**self._dataset, "filepath": str(path)})


class KnownTableDataset(FileDataset):
    """The newest version of a table, to be made anew from; empty where there is none. Never saved."""

    def load(self) -> pd.DataFrame:
        return super().load() if self.exists() else pd.DataFrame()

    def save(self, data: Any) -> None:
        raise NotImplementedError(f"{self._filepath} is saved under its own name, not {data!r}")


class PoolDataset(_Atomic):
    """A pool. Saved by a function that is given the folder to write, since a pool may be larger than memory.

    It is written in one place whatever the version, so that the next run goes on where one was killed.
    """

    def __init__(self, *, filepath: str, version: Version | None = None, metadata: dict | None = None):
        super().__init__(filepath=filepath, version=version, metadata=metadata)
        self.outdated = False  # the source has other pictures now; hooks.py finds out

    def save(self, data: Callable[..., None]) -> None:
        path = Path(self._get_save_path())
        partial = Path(self._filepath).with_name(f".{self._filepath.name}.partial")
        partial.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(partial.with_suffix(".lock")):  # another run may be building the same pool
            data(partial, previous=self._newest())
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                shutil.rmtree(path)
            partial.replace(path)
        self.outdated = False

    def _exists(self) -> bool:
        return not self.outdated and super()._exists()

    def _newest(self) -> Path | None:
        versions = sorted(Path(self._filepath).glob(f"*/{self._filepath.name}/pool.json"))
        return versions[-1].parent if versions else None

    def _read(self, path: Path) -> ImagePool:
        return open_pool(path)

    def _write(self, data: Any, path: Path) -> None:
        raise NotImplementedError(f"{path}: a pool is saved by {data!r} itself")


class NetworkDataset(_Atomic):
    """A network as safetensors."""

    def _read(self, path: Path) -> networks.Network:
        return networks.load(path)

    def _write(self, data: networks.Network, path: Path) -> None:
        networks.save(data, path)


class ArraysDataset(_Atomic):
    """A few arrays by name, as npz without pickle."""

    def _read(self, path: Path) -> dict[str, np.ndarray]:
        with np.load(path, allow_pickle=False) as arrays:
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


class RunCurvesDataset(AbstractDataset):
    """The learning curves of all runs, by name; the newest version of each. Never saved.

    `filepath` is a curve's without its run: <reporting>/learning_curve.csv for <reporting>/<run>/learning_curve.csv.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None):
        self._folder, self._filename, self.metadata = Path(filepath).parent, Path(filepath).name, metadata

    def load(self) -> dict[str, pd.DataFrame]:
        found = sorted(self._folder.glob(f"*/{self._filename}/**/{self._filename}"))
        return {path.relative_to(self._folder).parts[0]: pd.read_csv(path) for path in found if path.is_file()}

    def save(self, data: Any) -> None:
        raise NotImplementedError(f"{self._folder}: curves are saved by their own runs, not {data!r}")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder), "filename": self._filename}


class RunsDataset(AbstractDataset):
    """The tables of any run, read when asked for. Never saved. `places`: see Runs; below `filepath`."""

    def __init__(self, *, filepath: str, places: dict[str, str], metadata: dict | None = None):
        self._root, self._places, self.metadata = Path(filepath), places, metadata

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
        self._folder, self.metadata = Path(filepath), metadata

    def load(self) -> AnswerLog:
        return AnswerLog(self._folder)

    def save(self, data: Any) -> None:
        raise NotImplementedError(f"{self._folder}: answers are added to their log one by one, not {data!r}")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder)}


class LogDataset(AbstractDataset):
    """A table that grows, one line of JSON a row; saving appends one. A run that resumes goes on with it."""

    def __init__(self, *, filepath: str, columns: list[str], metadata: dict | None = None):
        self._filepath, self._columns, self.metadata = Path(filepath), columns, metadata

    def load(self) -> pd.DataFrame:
        lines = self._filepath.read_text().splitlines() if self._filepath.exists() else []
        return pd.DataFrame([json.loads(line) for line in lines], columns=self._columns)

    def save(self, data: dict[str, Any]) -> None:
        self._filepath.parent.mkdir(parents=True, exist_ok=True)
        with self._filepath.open("a") as log:
            log.write(json.dumps(data) + "\n")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
