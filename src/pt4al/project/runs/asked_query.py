"""The query that a run asks people, with its pictures and reasons, from files alone: without torch."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pt4al.annotation.queue import AnnotationQueue
from pt4al.errors import InputError
from pt4al.images import sources
from pt4al.images.collection import Collection
from pt4al.images.viewing import SCREEN, viewable
from pt4al.project.configuration.dotted import nested
from pt4al.project.runs.labelled_run import LabelledRun
from pt4al.selection.why import sentence


@dataclass(frozen=True)
class AskedQuery:
    """What the labelling page shows of a run."""

    run: LabelledRun

    @cached_property
    def queue(self) -> AnnotationQueue:
        """Where people answer."""
        run = self.run
        # A page that was left open may still have an answer to an image that the run has gone on
        # without.
        late = run.answerable[~run.answerable.isin([*run.query["id"], *run.earlier["id"]])]
        earlier = pd.concat([run.earlier[["id", "label"]], late.to_frame("id")], ignore_index=True)
        return AnnotationQueue(
            run.log,
            run.query,
            run.policy,
            run.classes,
            self._suggestions,
            earlier,
            add_class=run.folder.add_class,
        )

    def why(self, image: str) -> dict[str, Any] | None:
        """Return why an image was chosen: a `sentence`, and `neighbours` (id, label)."""
        labels = self.run.earlier.set_index("id")["label"]
        doubted = self.run.doubted.set_index("id")
        if image in doubted.index:
            return _doubts(doubted.loc[image], labels)
        if self._reasons is None or image not in self._reasons.index:
            return None
        row = self._reasons.loc[image]
        said = sentence(row)
        if said is None:
            return None
        neighbours = [{"id": near, "label": labels[near]} for near in json.loads(row["neighbours"])]
        return {"sentence": said, "neighbours": neighbours}

    def picture(self, image: str, size: str = SCREEN) -> bytes:
        """Return a picture of the source as a file that browsers know; see `viewable`."""
        row = self._rows.get_indexer([image])
        if row[0] < 0:
            raise InputError(f"id {image!r} is not in {self.run.settings['pool.source.path']}")
        return viewable(next(iter(self._source.pictures(np.array(row)))), size=size)

    @cached_property
    def _suggestions(self) -> pd.DataFrame | None:
        """The model's guesses, and what is suggested for labels that are asked for again."""
        suggestions = self.run.suggestions
        if suggestions is None or self.run.doubted.empty:
            return suggestions
        return suggestions.merge(self.run.doubted.drop(columns="label"), on="id", how="left")

    @cached_property
    def _source(self) -> Collection:
        source = nested(self.run.settings)["pool"]["source"]
        return sources.read(source["kind"], source["path"], source.get("columns"))

    @cached_property
    def _rows(self) -> pd.Index:
        return pd.Index(self._source.index["id"])

    @cached_property
    def _reasons(self) -> pd.DataFrame | None:
        reasons = self.run.folder.read("reasons.parquet", self.run.cycle)
        return None if reasons is None else reasons.set_index("id")


def _doubts(row: pd.Series, labels: pd.Series) -> dict[str, Any]:
    """Return why a label is asked for again, as `AskedQuery.why` returns it."""
    near = [{"id": image, "label": labels[image]} for image in json.loads(row["near"])]
    said = f"This was called {row['label']}; the others like it are called {row['suggested']}."
    return {"sentence": said, "neighbours": near}
