"""A run on disk: where its files are, and who may write them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from pt4al.annotation.log import AnswerLog
from pt4al.errors import InputError
from pt4al.files import digests, records, versions, whole
from pt4al.project.configuration.paths import plain
from pt4al.project.runs.history import History, changed
from pt4al.training import unfinished

RECORDS = "05_model_input"  # configuration, queries, answers and label sets
REPORTS = "08_reporting"
LAYERS = ("02_intermediate", "04_feature", RECORDS, "06_models", "07_model_output", REPORTS)
TRAINED_ON = ("02_intermediate", "04_feature")  # pools and features
STAMP = "%Y%m%dT%H%M%S"  # after the name of a run that was set aside
STAMPED = f"{'[0-9]' * 8}T{'[0-9]' * 6}"  # the same, as a pattern
PATHS = {"pool.source.path", "pretext.weights", "main.weights", "oracle.known_labels"}


def read_json(path: Path) -> Any:
    """Return what is in a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


READERS: dict[str, Callable[[Path], Any]] = {
    ".csv": pd.read_csv,
    ".parquet": pd.read_parquet,
    ".json": read_json,
}


def spelt(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings of a run with its paths as they are written today: older runs differ."""
    now = dict(settings)
    for name in PATHS & settings.keys():
        if settings[name]:
            now[name] = plain(settings[name])
    return now


@dataclass(frozen=True)
class RunFolder:
    """The files of a run, which lie in a folder of its name in each layer of the catalog.

    What runs share (a pool, features, a pretext network) and comparisons have such folders too.

    Attributes
    ----------
    root
        Folder of the layers.
    name
        The run's name.
    """

    root: Path
    name: str

    @property
    def record(self) -> Path:
        """Folder of the configuration, queries, answers and label sets."""
        return self.root / RECORDS / self.name

    @property
    def reports(self) -> Path:
        """Folder of the metrics and pages."""
        return self.root / REPORTS / self.name

    @property
    def configuration_file(self) -> Path:
        """File of the settings that the run was started with."""
        return self.record / "configuration.json"

    @property
    def history_file(self) -> Path:
        """File of the chapters of a run whose settings have changed."""
        return self.record / "history.json"

    @property
    def policies_file(self) -> Path:
        """File of the newest command of a run that people label, and of its block `oracle`."""
        return self.record / "policies.json"

    @property
    def link_file(self) -> Path:
        """File of the link to the labelling page."""
        return self.record / "page.json"

    @property
    def answer_log(self) -> AnswerLog:
        """What people have answered."""
        return AnswerLog(self.record / "answers")

    def newest(self, file: str, cycle: int | None = None) -> Path | None:
        """Return the newest version of a file of the catalog; None where there is none.

        Parameters
        ----------
        file
            Its name, `query.parquet`. No two layers have files of one name.
        cycle
            None: the file is not a cycle's.
        """
        place = file if cycle is None else f"cycle_{cycle}/{file}"
        for layer in LAYERS:
            path = versions.newest(self.root / layer / self.name / place)
            if path is not None:
                return path
        return None

    def read(
        self, file: str, cycle: int | None = None, reader: Callable[[Path], Any] | None = None
    ) -> Any:
        """Return what is in the newest version of a file; None where there is none.

        Raises
        ------
        Damaged
            If it is not what was written, or `reader` can't read it.
        """
        path = self.newest(file, cycle)
        if path is None:
            return None
        way_out = f"remove {path}, and type the command of {self.name} again, which makes it anew"
        return digests.whole(path, reader or READERS[path.suffix], way_out)

    def configuration(self) -> dict[str, Any]:
        """Return the run's newest settings, by dotted name."""
        return self.history().now.settings

    def history(self) -> History:
        """Return the run's chapters: one, if its settings have never changed."""
        way_out = (
            f"put a copy of it back: it says with which settings the cycles of {self.name!r} "
            "were made"
        )
        if self.history_file.exists():
            return History.from_records(records.read(self.history_file, list, way_out))
        way_out = (
            f"put a copy of it back, or remove it: the next command of run {self.name!r} "
            "writes down its own settings"
        )
        return History.begin(records.read(self.configuration_file, dict, way_out))

    def begin(self, settings: dict[str, Any]) -> None:
        """Write down the settings of a new run."""
        records.write(self.configuration_file, settings)

    def go_on(self, history: History) -> None:
        """Write down the chapters of a run whose settings have changed."""
        records.write(self.history_file, history.records())

    def note_settings(self, cycle: int, history: History) -> None:
        """Write beside a cycle's files which settings its query and its network were made with."""
        made = {
            "query": history.asked(cycle).settings,
            "network": history.trained(cycle).settings,
            "command": history.trained(cycle).command,
        }
        records.write(self.record / f"cycle_{cycle}" / "settings.json", made)

    def policies(self) -> dict[str, Any]:
        """Return `command` and `oracle` of the newest command of a run that people label."""
        way_out = (
            f"remove it, and type the command of run {self.name!r} again, which writes it anew"
        )
        return records.read(self.policies_file, dict, way_out)

    def added_classes(self) -> list[str]:
        """Return the classes that people have added while they labelled."""
        if not self._added_file.exists():
            return []
        way_out = (
            "write it again, a list of the names of the classes that people have added, "
            "and remove its .sha256"
        )
        return records.read(self._added_file, list, way_out)

    def add_class(self, name: str) -> None:
        """Add a class to the run; its next command has it."""
        # Two pages may add at once.
        with FileLock(self._added_file.with_name(".added_classes.lock")):
            records.write(self._added_file, [*self.added_classes(), name])

    def open_cycle(self, cycles: int) -> int:
        """Return the first of `cycles` cycles that has no answers yet; `cycles` if all have."""
        for cycle in range(cycles):
            if self.newest("answers.parquet", cycle) is None:
                return cycle
        return cycles

    def lock(self) -> FileLock:
        """Return the acquired lock of the run; it is freed when this process ends, however it does.

        Raises
        ------
        InputError
            If another process has it.
        """
        self.record.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.record.with_name(f".{self.name}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise InputError(
                f"run {self.name!r} is being run by another process: wait, "
                "or use another `run.name`"
            ) from None
        return lock

    def claim(self, settings: dict[str, Any]) -> None:
        """Write down a new run's settings, or check that they are still the same.

        Parameters
        ----------
        settings
            Those that make the run what it is, by dotted name.

        Raises
        ------
        InputError
            If the run was started with other settings: names them, and the two ways out.
        """
        if not self.configuration_file.exists():
            self.begin(settings)
            return
        then = spelt(self.configuration())
        if changed(then, settings):
            raise InputError(self.refusal(then, settings, changed(then, settings)))

    def refusal(self, then: dict[str, Any], now: dict[str, Any], names: list[str]) -> str:
        """Say which settings a run has others of, and how to go on without a change."""
        lines = [f"  `{name}`: {then.get(name)!r} then, {now.get(name)!r} now" for name in names]
        start = f"run {self.name!r} was started with other settings ({self.configuration_file})"
        way_out = (
            "Give this run another name (run.name=...), or start afresh "
            "(run.fresh=true keeps the old files)."
        )
        return "\n".join([f"{start}:", *lines, way_out])

    def set_aside(self) -> str:
        """Rename the run's folders, for a fresh start under its name; return the new name."""
        aside = f"{self.name}.{datetime.now(UTC):{STAMP}}"
        # The configuration last: without it the rest would belong to nobody.
        for layer in sorted(LAYERS, key=lambda layer: layer == RECORDS):
            folder = self.root / layer / self.name
            if folder.exists():
                folder.rename(folder.with_name(aside))
        for layer in TRAINED_ON:
            unfinished.rename(self.root / layer, self.name, aside)
        return aside

    def tidy(self) -> int:
        """Remove what killed commands have left, once the lock is held.

        Returns
        -------
        Number of trainings whose checkpoints no run was there to resume.
        """
        for layer in LAYERS:
            whole.tidy(self.root / layer / self.name)
        layers = [self.root / layer for layer in TRAINED_ON]
        return sum(unfinished.tidy(layer, Runs(self.root).has) for layer in layers)

    @property
    def _added_file(self) -> Path:
        return self.record / "added_classes.json"


@dataclass(frozen=True)
class Runs:
    """The runs below a folder: `runs["mine"]` is one."""

    root: Path

    def __getitem__(self, name: str) -> RunFolder:
        """Return a run's folder, whether there is such a run or not."""
        return RunFolder(self.root, name)

    def has(self, name: str) -> bool:
        """Whether there is a run of this name, or one that was set aside under it."""
        return self[name].configuration_file.exists()

    def labelled_by_people(self) -> list[RunFolder]:
        """Return the runs that people label, the newest command's first."""
        policies = self.root.glob(f"{RECORDS}/*/policies.json")
        newest_first = sorted(policies, key=lambda file: -file.stat().st_mtime)
        return [self[file.parent.name] for file in newest_first]
