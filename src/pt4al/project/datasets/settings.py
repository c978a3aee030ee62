"""Dataset of the default settings."""

from typing import Any

import yaml

from pt4al.project.datasets.files import PathDataset, ReadOnly


class DefaultsDataset(ReadOnly, PathDataset):
    """The settings of a file of conf/, as they are written there; none if there is no such file."""

    def load(self) -> dict[str, Any]:
        """Return the blocks."""
        if not self._filepath.exists():
            return {}
        return yaml.safe_load(self._filepath.read_text(encoding="utf-8")) or {}
