"""Datasets of logs, to which lines are added and from which nothing is taken."""

from typing import Any

import pandas as pd

from pt4al.annotation.log import AnswerLog
from pt4al.files import records
from pt4al.project.datasets.files import PathDataset, ReadOnly


class AnswersDataset(ReadOnly, PathDataset):
    """The log of people's answers, in a folder; it is written as they answer."""

    def load(self) -> AnswerLog:
        """Return the log."""
        return AnswerLog(self._filepath)


class LogDataset(PathDataset):
    """A table that grows, one line of JSON a row. A run that resumes goes on with it."""

    def __init__(self, *, columns: list[str], **place: Any):
        super().__init__(**place)
        self._columns = columns

    def load(self) -> pd.DataFrame:
        """Return all rows."""
        return pd.DataFrame(records.rows(self._filepath, self._columns), columns=self._columns)

    def save(self, data: dict[str, Any]) -> None:
        """Add a row."""
        records.append(self._filepath, data)
