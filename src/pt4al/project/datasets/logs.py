"""Datasets of logs, to which lines are added and from which nothing is taken."""

from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset

from pt4al.annotation.log import AnswerLog
from pt4al.files import records


class AnswersDataset(AbstractDataset):
    """The log of people's answers, in a folder. Never saved: it is written as they answer."""

    def __init__(self, *, filepath: str, metadata: dict | None = None):
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> AnswerLog:
        """Return the log."""
        return AnswerLog(self._folder)

    def save(self, data: Any) -> None:
        """Raise NotImplementedError."""
        raise NotImplementedError(
            f"{self._folder}: answers are added to their log one by one, not {data!r}"
        )

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder)}


class LogDataset(AbstractDataset):
    """A table that grows, one line of JSON a row. A run that resumes goes on with it."""

    def __init__(self, *, filepath: str, columns: list[str], metadata: dict | None = None):
        self._filepath = Path(filepath)
        self._columns = columns
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Return all rows."""
        return pd.DataFrame(records.rows(self._filepath, self._columns), columns=self._columns)

    def save(self, data: dict[str, Any]) -> None:
        """Add a row."""
        records.append(self._filepath, data)

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
