"""A run that people label, with its pictures: what its files alone do not tell."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kedro.framework.session import KedroSession
from kedro.io import CatalogProtocol

from pt4al.annotation.queue import AnnotationQueue
from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.decode import decode_mask
from pt4al.images.pool import ImagePool
from pt4al.images.viewing import SCREEN, viewable
from pt4al.pipelines.pool.nodes import collect
from pt4al.pipelines.remembered import one_command
from pt4al.plots.explanations import in_words
from pt4al.project.configuration.identity import nested
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.labelled_run import LabelledRun


@dataclass(frozen=True)
class LabellingSession:
    """What the labelling page and programs that draw masks need of a run.

    Attributes
    ----------
    run
        The run, its query and its answers.
    parameters
        Its settings, with what was `auto` resolved.
    catalog
        Of the project.
    """

    run: LabelledRun
    parameters: Parameters
    catalog: CatalogProtocol

    @cached_property
    def pool(self) -> ImagePool:
        """The decoded images."""
        return self.catalog.load("pool")

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
        """Return why an image was chosen: `facts` by name, `neighbours` (id, label)."""
        labels = self.run.earlier.set_index("id")["label"]
        doubted = self.run.doubted.set_index("id")
        if image in doubted.index:
            return _doubts(doubted.loc[image], labels)
        if self._reasons is None or image not in self._reasons.index:
            return None
        row = self._reasons.loc[image]
        neighbours = [{"id": near, "label": labels[near]} for near in json.loads(row["neighbours"])]
        return {"facts": in_words(row), "neighbours": neighbours}

    @cached_property
    def _suggestions(self) -> pd.DataFrame | None:
        """The model's guesses, and what is suggested for labels that are asked for again."""
        suggestions = self.run.suggestions
        if suggestions is None or self.run.doubted.empty:
            return suggestions
        return suggestions.merge(self.run.doubted.drop(columns="label"), on="id", how="left")

    def fitted(self, png: bytes) -> np.ndarray:
        """Return a mask in a picture's geometry as the pool's image of it has it."""
        return decode_mask(png, self.pool.frame)

    def decoded(self, image: str) -> bytes:
        """Return the pool's image as a file that browsers know: a mask must fit it."""
        pixels = self.pool.gather(self.pool.rows(pd.Series([image])))[0].numpy()
        return viewable(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0), exact=True)

    def picture(self, image: str, size: str = SCREEN) -> bytes:
        """Return a picture of the source as a file that browsers know; see `viewable`."""
        row = self._rows.get_indexer([image])
        if row[0] < 0:
            raise InputError(f"id {image!r} is not in {self.parameters.pool.source.path}")
        return viewable(next(iter(self._source.pictures(np.array(row)))), size=size)

    @cached_property
    def _source(self) -> Collection:
        return collect(self.parameters.pool)["train"]

    @cached_property
    def _rows(self) -> pd.Index:
        return pd.Index(self._source.index["id"])

    @cached_property
    def _reasons(self) -> pd.DataFrame | None:
        reasons = self.run.folder.read("reasons.parquet", self.run.cycle)
        return None if reasons is None else reasons.set_index("id")


def _doubts(row: pd.Series, labels: pd.Series) -> dict[str, Any]:
    """Return why a label is asked for again, as `LabellingSession.why` returns it."""
    near = [{"id": image, "label": labels[image]} for image in json.loads(row["near"])]
    facts = {
        "asked again": f"this was called {row['label']}",
        "others like it": f"are called {row['suggested']}",
    }
    return {"facts": facts, "neighbours": near}


def open_session(project: Path, run: LabelledRun) -> LabellingSession:
    """Open a run's pool and its source, with the settings that its next command has."""
    settings = nested(run.settings) | {"oracle": run.policies["oracle"]}
    session = KedroSession.create(
        project_path=project, runtime_params=settings, save_on_close=False
    )
    with one_command():  # the source is listed once
        context = session.load_context()
    parameters = parse(context.config_loader["parameters"])
    return LabellingSession(run, parameters, context.catalog)
