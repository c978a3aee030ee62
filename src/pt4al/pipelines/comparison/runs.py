"""Find and read the tables of any run by its name."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": pd.read_csv,
    ".parquet": pd.read_parquet,
    ".jsonl": partial(pd.read_json, lines=True),
}


class Runs:
    """What runs have left, read when asked for.

    `places` are paths below `root` by name, with `{run}` in them: 08_reporting/{run}/learning_curve.csv.
    """

    def __init__(self, root: Path, places: dict[str, str]):
        self.root, self._places = root, places

    def path(self, name: str, run: str, **parts: Any) -> Path | None:
        """Return the newest version of a run's file; None where there is none."""
        path = self.root / self._places[name].format(run=run, **parts)
        if path.is_dir():
            return max(path.glob(f"*/{path.name}"), default=None)
        return path if path.exists() else None

    def read(self, name: str, run: str, **parts: Any) -> pd.DataFrame | None:
        """Return a run's table; None where there is none."""
        path = self.path(name, run, **parts)
        return None if path is None else READERS[path.suffix](path)
