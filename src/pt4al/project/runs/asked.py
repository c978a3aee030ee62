"""What a run asks people, and what they have answered, read from its files alone.

No session, no network and no picture: commands that need no more start in a second and in a sixth
of the memory.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.config import MissingConfigException, OmegaConfigLoader

from pt4al.annotation.aggregation import LABELLED, Policy, aggregate
from pt4al.annotation.log import AnswerLog
from pt4al.annotation.progress import Progress, measure_progress
from pt4al.errors import InputError
from pt4al.files import digests

PAINTED = "segmentation"  # the task whose labels are masks


@dataclass(frozen=True)
class Asked:
    """A run that people label.

    Attributes
    ----------
    folder
        Of its queries and answers.
    settings
        By dotted name, as the run was started.
    oracle
        Block `oracle` of its newest command.
    cycle
        The first that has not got its answers; as many as there are cycles, if all have.
    """

    folder: Path
    settings: dict[str, Any]
    oracle: dict[str, Any]
    cycle: int

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def masks(self) -> bool:
        """Whether a label is a mask."""
        return self.settings["main.task"] == PAINTED

    @property
    def policy(self) -> Policy:
        return Policy(*(self.oracle[name] for name in ("annotators", "disagreement", "skipped")))

    @cached_property
    def log(self) -> AnswerLog:
        return AnswerLog(self.folder / "answers")

    @cached_property
    def query(self) -> pd.DataFrame:
        return self._table(self.cycle, "query")

    @cached_property
    def classes(self) -> list[str]:
        """Those that the run was started with, and those that people have added since."""
        added = self.folder / "added_classes.json"
        known = self.oracle["classes"] or _json(newest(self.folder / "classes.json"))
        return list(dict.fromkeys([*known, *(_json(added) if added.exists() else [])]))

    @cached_property
    def suggestions(self) -> pd.DataFrame | None:
        """What the newest model takes the images for: `id`, `label`, `probability`."""
        path = self._path(self.cycle, "suggestions")
        return None if path is None else digests.whole(path, pd.read_parquet, _way_out(path))

    @property
    def answerable(self) -> pd.Series:
        """Ids that may be answered: the query's, and those of earlier ones, late or to correct."""
        known = [self.query["id"]]
        if self.cycle:
            known += [self._table(self.cycle - 1, name)["id"] for name in ("label_set", "asked")]
        return pd.concat(known, ignore_index=True).drop_duplicates()

    @property
    def labels(self) -> pd.DataFrame:
        """What has a label by all answers so far: `id`, `label`."""
        settled = aggregate(self.log.read(), self.policy)
        return settled[settled["state"] == LABELLED][["id", "label"]].reset_index(drop=True)

    def progress(self) -> Progress:
        """Return how far the query is answered now."""
        return measure_progress(self.query, aggregate(self.log.read(), self.policy), self.policy)

    def _path(self, cycle: int, table: str) -> Path | None:
        return newest(self.folder / f"cycle_{cycle}" / f"{table}.parquet")

    def _table(self, cycle: int, table: str) -> pd.DataFrame:
        path = self._path(cycle, table)
        if path is None:
            raise InputError(
                f"run {self.name!r} has no {table} of cycle {cycle}: type its command again"
            )
        return digests.whole(path, pd.read_parquet, _way_out(path))


def read(root: Path, name: str | None = None, waiting: bool = True) -> Asked:
    """Read what a run asks.

    Parameters
    ----------
    root
        Of the project's data.
    name
        None: the one whose command was typed last.
    waiting
        Whether it must wait for answers.

    Raises
    ------
    InputError
        If there is no such run, or it should wait for answers and does not.
    """
    known = sorted(
        root.glob("05_model_input/*/policies.json"), key=lambda file: -file.stat().st_mtime
    )
    if not known:
        raise InputError(
            "no run is labelled by people yet: start one, "
            "kedro run --pipelines=active_learning --env=people --params=pool.source.path=..."
        )
    names = [file.parent.name for file in known]
    if name is not None and name not in names:
        raise InputError(f"no run {name!r} is labelled by people under {root}: {', '.join(names)}")
    policies = known[0] if name is None else known[names.index(name)]
    settings = _json(policies.with_name("configuration.json"))
    cycle = 0
    while cycle < settings["cycles.number"] and newest(
        policies.parent / f"cycle_{cycle}/answers.parquet"
    ):
        cycle += 1
    asked = Asked(policies.parent, settings, _json(policies)["oracle"], cycle)
    if waiting and asked._path(cycle, "query") is None:
        over = cycle == settings["cycles.number"]
        way_out = (
            "all its cycles have their answers"
            if over
            else "it has made no query yet: type its command again"
        )
        raise InputError(f"run {asked.name!r} waits for no answers: {way_out}")
    return asked


def root(project: Path) -> Path:
    """Return the folder of a project's data."""
    return project / places(project)["root"]


def places(project: Path, env: str | None = None) -> dict[str, Any]:
    """Return what an environment's globals.yml says over that of conf/base."""
    return _loader(project, env)["globals"]


def secrets(project: Path) -> dict[str, Any]:
    """Return what conf/local/credentials.yml says; nothing where there is none."""
    try:
        known = _loader(project)["credentials"]
    except MissingConfigException:
        return {}
    if not isinstance(known.get("label_studio") or {}, dict):
        raise InputError("conf/local/credentials.yml: write label_studio: {url: ..., token: ...}")
    return known


def newest(path: Path) -> Path | None:
    """Return the newest version of a file of the catalog, if there is one."""
    found = sorted(path.glob(f"*/{path.name}"))
    return found[-1] if found else None


def _loader(project: Path, env: str | None = None) -> OmegaConfigLoader:
    from pt4al.settings import CONFIG_LOADER_ARGS

    return OmegaConfigLoader(str(project / "conf"), env=env, **CONFIG_LOADER_ARGS)


def _json(path: Path) -> Any:
    return digests.whole(path, lambda file: json.loads(file.read_text("utf-8")), _way_out(path))


def _way_out(path: Path) -> str:
    return f"remove {path.parent if path.parent.parent.suffix else path} and type the run's command again"
