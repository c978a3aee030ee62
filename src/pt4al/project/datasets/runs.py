"""Datasets of what other runs have left; each run saves its own."""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from pt4al.files import digests
from pt4al.files.versions import newest
from pt4al.project.datasets.files import PathDataset, ReadOnly, dataset_at
from pt4al.project.runs.folder import Runs
from pt4al.project.runs.history import History

logger = logging.getLogger(__name__)


class OthersDataset(ReadOnly, PathDataset):
    """One file of every run, the newest version of each, to compare with.

    `filepath` is a file's without its run: <reporting>/learning_curve.csv for
    <reporting>/<run>/learning_curve.csv. Loads a function for each run, by name, which reads the
    file; None, and a warning, where it is damaged: no run ends for another one's file.
    """

    def __init__(self, *, dataset: dict[str, Any], **place: Any):
        super().__init__(**place)
        self._dataset = dataset

    def load(self) -> dict[str, Callable[[], Any]]:
        """Return the functions by run."""
        readers = {}
        for run in sorted(self._filepath.parent.glob("*/")):
            path = newest(run / self._filepath.name)
            if path is not None:
                readers[run.name] = partial(self._read, path)
        return readers

    def _read(self, path: Path) -> Any:
        dataset = self._dataset
        try:
            return digests.whole(
                path, lambda path: dataset_at(path, dataset).load(), "it is left out"
            )
        except digests.Damaged as damaged:
            logger.warning("%s", damaged)
            return None


class RunCurvesDataset(OthersDataset):
    """The learning curves of all runs, by name."""

    def load(self) -> dict[str, pd.DataFrame]:
        """Return the curves that say which pool they are of."""
        curves = {run: read() for run, read in super().load().items()}
        return {
            run: curve for run, curve in curves.items() if curve is not None and "pool" in curve
        }


class ChaptersDataset(ReadOnly, PathDataset):
    """With which settings the cycles of a run were made. `filepath`: the folder of its records."""

    def load(self) -> History | None:
        """Return the chapters; None where they are not written down, as under DVC."""
        folder = Runs(self._filepath.parents[1])[self._filepath.name]
        return folder.history() if folder.configuration_file.exists() else None


class RunsDataset(ReadOnly, PathDataset):
    """The folders of all runs, which read a file when asked for it. `filepath`: of the data."""

    def load(self) -> Runs:
        """Return the runs."""
        return Runs(self._filepath)
