"""Find and read the files of any run by its name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from pt4al.files import digests, records
from pt4al.files.versions import newest

TIMINGS = ["stage", "node", "seconds"]


def _log(path: Path) -> pd.DataFrame:
    return pd.DataFrame(records.rows(path, TIMINGS), columns=TIMINGS)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


READERS: dict[str, Callable[[Path], Any]] = {
    ".csv": pd.read_csv,
    ".parquet": pd.read_parquet,
    ".jsonl": _log,
    ".json": _json,
}


class Runs:
    """What runs have left, read when asked for.

    `places` are paths below `root` by name, with `{run}` in them:
    08_reporting/{run}/learning_curve.csv.
    """

    def __init__(self, root: Path, places: dict[str, str]):
        self.root = root
        self._places = places

    def path(self, name: str, run: str, **parts: Any) -> Path | None:
        """Return the newest version of a run's file; None where there is none."""
        return newest(self.root / self._places[name].format(run=run, **parts))

    def read(
        self, name: str, run: str, reader: Callable[[Path], Any] | None = None, **parts: Any
    ) -> Any:
        """Return what is in a run's file; None where there is none.

        Raises
        ------
        Damaged
            If it is not what was written, or `reader` can't read it.
        """
        path = self.path(name, run, **parts)
        if path is None:
            return None
        way_out = f"remove {path}, and type the command of {run} again, which makes it anew"
        return digests.whole(path, reader or READERS[path.suffix], way_out)
