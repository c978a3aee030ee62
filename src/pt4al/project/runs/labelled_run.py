"""A run that people label, read from its files alone.

No session, no network and no picture: commands that need no more start in a second and in a sixth
of the memory.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from pt4al.annotation.aggregation import Policy
from pt4al.annotation.log import AnswerLog
from pt4al.annotation.progress import RELABEL, Progress, answers_since, progress_of
from pt4al.errors import InputError
from pt4al.labels.label_set import empty
from pt4al.project.runs.folder import RunFolder, Runs

MASKS = "segmentation"  # the task whose labels are masks


@dataclass(frozen=True)
class LabelledRun:
    """A run that people label.

    Attributes
    ----------
    folder
        Its files.
    settings
        By dotted name, as the run was started.
    policies
        `command` and block `oracle` of its newest command.
    cycle
        The first that has no answers yet; as many as there are cycles, if all have.
    """

    folder: RunFolder
    settings: dict[str, Any]
    policies: dict[str, Any]
    cycle: int

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.name

    @property
    def cycles(self) -> int:
        """Number of cycles that the run has."""
        return self.settings["cycles.number"]

    @property
    def command(self) -> str:
        """Command that resumes the run."""
        return self.policies["command"]

    @property
    def annotators(self) -> int:
        """Different people that must answer before an image has a label."""
        return self.policies["oracle"]["annotators"]

    @property
    def masks(self) -> bool:
        """Whether a label is a mask."""
        return self.settings["main.task"] == MASKS

    @property
    def policy(self) -> Policy:
        """How answers become labels."""
        oracle = self.policies["oracle"]
        return Policy(oracle["annotators"], oracle["disagreement"], oracle["skipped"])

    @cached_property
    def log(self) -> AnswerLog:
        """What people have answered."""
        return self.folder.answer_log

    @cached_property
    def query(self) -> pd.DataFrame:
        """The images that are asked for."""
        return self._table("query", self.cycle)

    @cached_property
    def classes(self) -> list[str]:
        """Those that the run was started with, and those that people have added since."""
        classes = self.policies["oracle"]["classes"] or self.folder.read("classes.json")
        return list(dict.fromkeys([*classes, *self.folder.added_classes()]))

    @property
    def descriptions(self) -> dict[str, str]:
        """What classes mean, a sentence each, by name; not all have one."""
        return self.policies["oracle"].get("descriptions", {})

    @cached_property
    def suggestions(self) -> pd.DataFrame | None:
        """The newest model's predictions: `id`, `label`, `probability`."""
        return self.folder.read("suggestions.parquet", self.cycle)

    @cached_property
    def earlier(self) -> pd.DataFrame:
        """The label set before this query."""
        return self._table("label_set", self.cycle - 1) if self.cycle else empty()

    @property
    def answerable(self) -> pd.Series:
        """Ids that may be answered: the query's, and those of earlier ones, late or to correct."""
        ids = [self.query["id"], self.earlier["id"]]
        if self.cycle:
            ids.append(self._table("asked", self.cycle - 1)["id"])
        return pd.concat(ids, ignore_index=True).drop_duplicates()

    def progress(self) -> Progress:
        """Return how far the query is answered now."""
        return progress_of(self.query, self.log.read(), self.policy)

    @property
    def given(self) -> pd.DataFrame:
        """The answers that may answer the query; see `progress.answers_since`."""
        return answers_since(self.log.read(), self.query)

    @cached_property
    def doubted(self) -> pd.DataFrame:
        """The images whose labels are asked for again: `id`, `label`, `suggested`, `near`.

        `label` is what they are called; `near`, as JSON, are ids of similar images that are called
        as is `suggested`.
        """
        columns = ["id", "label", "suggested", "near"]
        if "answers_before" not in self.query:
            return pd.DataFrame(columns=columns)
        asked = self.query["id"][self.query["role"] == RELABEL]
        suspects = self._table("suspects", self.cycle - 1)
        return suspects[suspects["id"].isin(asked)][columns].reset_index(drop=True)

    def _table(self, name: str, cycle: int) -> pd.DataFrame:
        table = self.folder.read(f"{name}.parquet", cycle)
        if table is None:
            raise InputError(
                f"run {self.name!r} has no {name} of cycle {cycle}: type its command again"
            )
        return table


def find_run(root: Path, name: str | None = None, waiting: bool = True) -> LabelledRun:
    """Return a run that people label.

    Parameters
    ----------
    root
        Folder of the project's data.
    name
        None: the one whose command was typed last.
    waiting
        Whether it must wait for answers.

    Raises
    ------
    InputError
        If there is no such run, or it should wait for answers and does not.
    """
    runs = Runs(root).labelled_by_people()
    if not runs:
        raise InputError(
            "no run is labelled by people yet: start one, "
            "kedro label --images=photos --classes=cat/dog"
        )
    names = [folder.name for folder in runs]
    if name is not None and name not in names:
        raise InputError(f"no run {name!r} is labelled by people under {root}: {', '.join(names)}")
    folder = RunFolder(root, name or names[0])
    settings = folder.configuration()
    cycles = settings["cycles.number"]
    run = LabelledRun(folder, settings, folder.policies(), folder.open_cycle(cycles))
    if waiting and folder.newest("query.parquet", run.cycle) is None:
        reason = "it has made no query yet: type its command again"
        if run.cycle == cycles:
            reason = "all its cycles have their answers"
        raise InputError(f"run {run.name!r} waits for no answers: {reason}")
    return run
