"""Datasets of one file or folder. All save to a temporary name first: what exists is whole."""

import math
import shutil
from abc import abstractmethod
from collections.abc import Callable
from functools import wraps
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset, AbstractVersionedDataset, Version
from kedro.io.core import VersionNotFoundError

from pt4al.errors import InputError
from pt4al.files import digests
from pt4al.files.versions import kept, versions
from pt4al.files.whole import replacing
from pt4al.plots.kinds import KINDS, kind


class WholeDataset(AbstractVersionedDataset):
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
        """Return the newest version, checked against its digest."""
        path = self._newest()
        if path is None:
            raise InputError(
                f"{self._filepath}: no such file; an earlier stage of the run makes it"
            )
        return digests.whole(path, self._read, self._way_out(path))

    def save(self, data: Any) -> None:
        """Write a new version, whole or not at all."""
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


class FileDataset(WholeDataset):
    """Any file dataset of kedro-datasets, saved whole or not at all.

    `dataset` is its configuration without `filepath`: {type: pandas.ParquetDataset}.
    """

    def __init__(self, *, dataset: dict[str, Any], **place: Any):
        super().__init__(**place)
        self._dataset = dataset

    @property
    def preview(self) -> Callable[..., Any]:
        """What Kedro-Viz shows of the newest version; only of kinds that kedro-datasets previews."""
        path = self._newest()
        if path is None:
            raise AttributeError(f"{self._filepath}: nothing to preview yet")
        of_kind = dataset_at(path, self._dataset).preview

        @wraps(of_kind)
        def preview(**arguments: Any) -> Any:
            return _shown(of_kind(**arguments))

        return preview

    def _read(self, path: Path) -> Any:
        return dataset_at(path, self._dataset).load()

    def _write(self, data: Any, path: Path) -> None:
        dataset_at(path, self._dataset).save(data)


class BytesDataset(WholeDataset):
    """A file as it is."""

    def _read(self, path: Path) -> bytes:
        return path.read_bytes()

    def _write(self, data: bytes, path: Path) -> None:
        path.write_bytes(data)


class PicturesDataset(WholeDataset):
    """A folder of pictures, from a dictionary of their bytes by name.

    A file's name ends as its kind does: `.svg`, `.png`, or `.html` for a part of a page.
    """

    def _read(self, path: Path) -> dict[str, bytes]:
        files = [file for file in path.iterdir() if file.suffix.removeprefix(".") in KINDS]
        return {file.stem: file.read_bytes() for file in sorted(files)}

    def _write(self, data: dict[str, bytes], path: Path) -> None:
        path.mkdir()
        for name, picture in data.items():
            (path / f"{name}.{kind(picture)}").write_bytes(picture)


class PathDataset(AbstractDataset):
    """What lies at a path without versions; it exists, even where nothing is written yet."""

    def __init__(self, *, filepath: str, metadata: dict | None = None):
        self._filepath = Path(filepath)
        self.metadata = metadata

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


class ReadOnly:
    """Mixed into a dataset that is written elsewhere: under another name, or by another process."""

    def save(self, data: Any) -> None:
        """Raise NotImplementedError."""
        raise NotImplementedError(
            f"{self._filepath} is only read here, and not saved from {data!r}"
        )


class _Plain:
    """Mixed into a dataset of one file that people open: its newest version lies at its plain path.

    Saves <folder>/versions/<name>/<time>/<name>, and a copy as <folder>/<name>. A copy and not a
    link: what somebody does to a table that lies open must not reach what the run goes on with. It
    appears before its version does, so that a save that was killed is made again.
    """

    def _get_versions(self) -> list[str]:
        return [str(version) for version in reversed(versions(Path(self._filepath)))]

    def _get_versioned_path(self, version: str) -> PurePosixPath:
        # Runs from before there were plain paths have their versions where Kedro puts them.
        before = super()._get_versioned_path(version)
        if Path(before).exists():
            return before
        return PurePosixPath(kept(Path(self._filepath))) / version / self._filepath.name

    def _write(self, data: Any, path: Path) -> None:
        super()._write(data, path)
        if self._version and path.stat().st_size:  # an empty file: nobody has asked for it
            plain = Path(self._filepath)
            _make_room(plain)
            with replacing(plain) as temporary:
                shutil.copyfile(path, temporary)


class PlainFileDataset(_Plain, FileDataset):
    """Any file dataset of kedro-datasets, at its plain path; see FileDataset."""


class PlainBytesDataset(_Plain, BytesDataset):
    """A file as it is, at its plain path."""


def dataset_at(path: Path, dataset: dict[str, Any]) -> AbstractDataset:
    """Return a dataset of kedro-datasets for one file."""
    return AbstractDataset.from_config(path.name, {**dataset, "filepath": str(path)})


def _shown(preview: Any) -> Any:
    """Return the preview of a table without what JSON can't hold: bytes, arrays, NaN."""
    if not isinstance(preview, dict):
        return preview
    rows = [[_cell(value) for value in row] for row in preview["data"]]
    return preview | {"data": rows}


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return f"{len(value):,} bytes" if isinstance(value, bytes) else str(value)


def _make_room(plain: Path) -> None:
    """Move versions that lie where the file itself shall lie."""
    if not plain.is_dir():
        return
    folder = kept(plain)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not folder.exists():
        plain.rename(folder)
        return
    for version in plain.iterdir():
        version.rename(folder / version.name)
    plain.rmdir()
