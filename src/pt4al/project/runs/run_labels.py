"""The labels of any run, recorded or by people, with where each comes from."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pt4al.annotation.aggregation import LABELLED, SKIPPED, Policy, aggregate
from pt4al.annotation.formats.labelled import Labelled
from pt4al.annotation.log import effective
from pt4al.annotation.oracle import none_asked
from pt4al.annotation.progress import CONTROL, QUERY
from pt4al.errors import InputError, did_you_mean
from pt4al.labels.label_set import KNOWN, correct, empty, extend
from pt4al.labels.weights import sampling_weights
from pt4al.project.runs.folder import RECORDS, RunFolder, Runs
from pt4al.project.runs.history import History

MASKS = "segmentation"  # the task whose labels are masks
SEPARATOR = ", "  # between annotators


@dataclass(frozen=True)
class RunLabels:
    """What a run knows of labels, read from its files alone."""

    folder: RunFolder

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The run's newest settings, by dotted name."""
        return self.history.now.settings

    @cached_property
    def history(self) -> History:
        """With which settings the run's cycles were made."""
        return self.folder.history()

    @property
    def masks(self) -> bool:
        """Whether a label is a mask."""
        return self.settings["main.task"] == MASKS

    @property
    def people(self) -> bool:
        """Whether people label the run."""
        return self.folder.policies_file.exists()

    @cached_property
    def population(self) -> pd.Series:
        """Ids of the images that the run could ask for, in the order of its ranking."""
        ranking = self.folder.read("ranking.parquet")
        if ranking is None:
            raise InputError(f"run {self.folder.name!r} has no labels yet: it has ranked no pool")
        return ranking["id"]

    @cached_property
    def cycles(self) -> int:
        """How many cycles have a label set."""
        cycle = 0
        while self.folder.newest("label_set.parquet", cycle) is not None:
            cycle += 1
        return cycle

    @cached_property
    def table(self) -> pd.DataFrame:
        """All labels: `id`, `label`, `cycle`, `why`, `annotators`, `answered`.

        Of people's runs, by all answers so far. `cycle` and `why` are those of the query that asked
        for the image, also where its answer came later. A mask is the bytes of a PNG file.
        """
        if self.cycles:
            labels = self.folder.read("label_set.parquet", self.cycles - 1)
        else:
            labels = self._start()
        if not self.people:
            return labels.assign(annotators="", answered="")
        answers = self._answers()
        labels = correct(labels, answers)
        new = answers[~answers["id"].isin(labels["id"])]
        labels = self._asked_by(extend(labels, new, self.cycles, ""))
        sources = pd.concat([answers, self._known_before(labels)]).drop_duplicates("id")
        sources = sources.set_index("id")[["annotators", "answered"]]
        return labels.join(sources, on="id").fillna({"annotators": "", "answered": ""})

    @cached_property
    def drawn(self) -> pd.Series:
        """Ids, beside control images, that cycles drew at random before any strategy chose.

        Only of queries that are answered to the end; without their spare images, which stand in
        for skipped ones in the pool's order.
        """
        settled = {*self.table["id"], *self._skipped}
        ids = [empty()["id"]]
        for cycle in range(self.settings["cycles.number"]):
            query = self.folder.read("query.parquet", cycle)
            if query is None or not self._random(cycle):
                break
            if "role" in query:
                query = query[query["role"] == QUERY]
            if query["id"].isin(settled).all():
                ids.append(query["id"])
        return pd.concat(ids, ignore_index=True)

    def labelled(self, classes: list[str] | None = None) -> Labelled:
        """Return the labels with their weights.

        Parameters
        ----------
        classes
            Those that the source knows, in their order; None: those that occur.
        """
        table = self.table
        weights = sampling_weights(table, self.population, self.drawn)
        return Labelled(
            run=self.folder.name,
            classes=self.classes(classes),
            labels=table.assign(weight=weights),
            pool=len(self.population),
        )

    def classes(self, of_source: list[str] | None = None) -> list[str]:
        """Return the run's classes, with those that people have added, in their order.

        A recorded run's are those of its source, or else those that it has labels of.
        """
        own = self.folder.policies()["oracle"]["classes"] if self.people else None
        own = own or self.folder.read("classes.json") or of_source or []
        used = [] if self.masks else sorted(set(self.table["label"]))
        return list(dict.fromkeys([*own, *self.folder.added_classes(), *used]))

    def _random(self, cycle: int) -> bool:
        settings = self.history.asked(cycle).settings
        if settings["query.scope"] != "pool":
            return False
        if cycle == 0:
            return settings["query.start"] == "random"
        return self.history.chosen_by(cycle) == "random" and not settings.get(
            "query.balance", False
        )

    @cached_property
    def _states(self) -> pd.DataFrame:
        """What has become of each image that people have answered; see `aggregate`."""
        oracle = self.folder.policies()["oracle"]
        policy = Policy(oracle["annotators"], oracle["disagreement"], oracle["skipped"])
        return aggregate(self.folder.answer_log.read(), policy)

    @property
    def _skipped(self) -> pd.Series:
        if not self.people:
            return empty()["id"]
        return self._states.loc[self._states["state"] == SKIPPED, "id"]

    def _start(self) -> pd.DataFrame:
        """Return the label set before cycle 0."""
        start = self.folder.read("start/label_set.parquet")
        return empty() if start is None else start

    def _answers(self) -> pd.DataFrame:
        """Return people's labels: `id`, `label`, `annotators` and `answered`, of those who agree."""
        history = self.folder.answer_log.read()
        states = self._states
        labels = states.loc[states["state"] == LABELLED, ["id", "label"]]
        newest = effective(history).drop_duplicates(["id", "annotator"], keep="last")
        grouped = newest.merge(labels, on=["id", "label"]).groupby("id")
        sources = pd.DataFrame(
            {
                "annotators": grouped["annotator"].agg(lambda names: SEPARATOR.join(sorted(names))),
                "answered": grouped["at"].max(),
            }
        )
        labels = labels.join(sources, on="id").reset_index(drop=True)
        if not self.masks:
            return labels
        masks = [self.folder.answer_log.mask(label) for label in labels["label"]]
        return labels.assign(label=pd.Series(masks, labels.index, dtype=object))

    def _known_before(self, labels: pd.DataFrame) -> pd.DataFrame:
        """Return who has labelled what other runs had, and when: `id`, `annotators`, `answered`."""
        known = self.folder.read("known_labels.parquet")
        if known is None:
            return pd.DataFrame(columns=["id", "annotators", "answered"], dtype="str")
        still = labels.loc[labels["why"] == KNOWN, "id"]
        return known.loc[known["id"].isin(still), ["id", "annotators", "answered"]]

    def _asked_by(self, labels: pd.DataFrame) -> pd.DataFrame:
        """Return labels with cycle and reason of the queries that asked for them."""
        asked = none_asked()
        if self.cycles:
            asked = self.folder.read("asked.parquet", self.cycles - 1)
        query = self.folder.read("query.parquet", self.cycles)
        if query is not None:
            asked = pd.concat([asked, query.assign(cycle=self.cycles)], ignore_index=True)
        first = asked.drop_duplicates("id").set_index("id")
        rows = labels["id"].isin(first.index) & (labels["why"] != KNOWN)
        asking = first.loc[labels.loc[rows, "id"]]
        reasons = {int(cycle): self.history.chosen_by(int(cycle)) for cycle in set(asking["cycle"])}
        chosen = asking["cycle"].map(reasons).to_numpy(object)
        labels = labels.copy()
        labels.loc[rows, "cycle"] = asking["cycle"].to_numpy()
        control = (asking["role"] == CONTROL).to_numpy()
        labels.loc[rows, "why"] = np.where(control, CONTROL, chosen)
        return labels


def find_labels(root: Path, name: str | None = None) -> RunLabels:
    """Return the labels of a run.

    Parameters
    ----------
    root
        Folder of the project's data.
    name
        None: the run that people label whose command was typed last, or else the newest run.

    Raises
    ------
    InputError
        If there is no such run.
    """
    runs = Runs(root)
    if name is not None:
        if not runs[name].configuration_file.exists():
            names = [folder.name for folder in all_runs(runs)]
            hint = did_you_mean(name, names) if names else "there is none yet"
            raise InputError(f"there is no run {name!r} under {root}: {hint}")
        return RunLabels(runs[name])
    folders = runs.labelled_by_people() or all_runs(runs)
    if not folders:
        raise InputError(f"there is no run yet under {root}: kedro run --pipelines=active_learning")
    return RunLabels(folders[0])


def all_runs(runs: Runs) -> list[RunFolder]:
    """Return all runs, the newest first; those of comparisons' cells too."""
    records = runs.root / RECORDS
    files = sorted(
        records.glob("**/configuration.json"), key=lambda file: (-file.stat().st_mtime, str(file))
    )
    return [runs[file.parent.relative_to(records).as_posix()] for file in files]
