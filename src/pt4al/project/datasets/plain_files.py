"""Datasets for what people open: the newest version lies at its plain path, all versions beside it."""

import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from pt4al.files.versions import kept, versions
from pt4al.files.whole import replacing
from pt4al.project.datasets.storage import BytesDataset, FileDataset


class _Plain:
    """Mixed into a dataset of one file: saves <folder>/versions/<name>/<time>/<name>, and a copy as <folder>/<name>.

    A copy and not a link: what somebody does to a table that lies open must not reach what the run
    goes on with. It appears before its version does, so that a save that was killed is made again.
    """

    def _get_versions(self) -> list[str]:
        return [str(version) for version in reversed(versions(Path(self._filepath)))]

    def _get_versioned_path(self, version: str) -> PurePosixPath:
        where_it_was = super()._get_versioned_path(
            version
        )  # of runs from before there were plain paths
        if Path(where_it_was).exists():
            return where_it_was
        return PurePosixPath(kept(Path(self._filepath))) / version / self._filepath.name

    def _write(self, data: Any, path: Path) -> None:
        super()._write(data, path)
        if self._version and path.stat().st_size:  # an empty file stands for one that nobody wanted
            plain = Path(self._filepath)
            _make_room(plain)
            with replacing(plain) as temporary:
                shutil.copyfile(path, temporary)


class PlainFileDataset(_Plain, FileDataset):
    """Any file dataset of kedro-datasets; see FileDataset."""


class PlainBytesDataset(_Plain, BytesDataset):
    """A file as it is."""


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
