"""A run that people label, with its pictures: what its files alone do not tell."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from kedro.framework.session import KedroSession

from pt4al.annotation.queue import AnnotationQueue
from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.decode import decode_mask
from pt4al.images.viewing import SCREEN, viewable
from pt4al.pipelines.pool.listing import collect
from pt4al.pipelines.remembered import one_command
from pt4al.project.configuration.identity import nested
from pt4al.project.configuration.loading import loader
from pt4al.project.configuration.source import Listing
from pt4al.project.runs.context import Context
from pt4al.project.runs.labelled_run import LabelledRun

if TYPE_CHECKING:
    from pt4al.images.pool import ImagePool
    from pt4al.project.configuration.parameters import Parameters


@dataclass(frozen=True)
class LabellingSession:
    """What the labelling page and programs that draw masks need of a run.

    Attributes
    ----------
    run
        The run, its query and its answers.
    project
        Folder of the project.
    source
        The pictures that the pool was made of.
    """

    run: LabelledRun
    project: Path
    source: Collection

    @cached_property
    def parameters(self) -> "Parameters":
        """Settings, with what was `auto` resolved."""
        return self._context.settings

    @cached_property
    def pool(self) -> "ImagePool":
        """The decoded images."""
        return self._context.catalog.load("pool")

    @cached_property
    def _context(self) -> Context:
        """Kedro's context, which imports torch: only masks need it, and images as the pool has them."""
        settings = nested(self.run.settings) | {"oracle": self.run.policies["oracle"]}
        session = KedroSession.create(
            project_path=self.project, runtime_params=settings, save_on_close=False
        )
        with one_command():  # the source is listed once
            return session.load_context()

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
            run.suggestions,
            earlier,
            add_class=run.folder.add_class,
        )

    def why(self, image: str) -> dict[str, Any] | None:
        """Return why an image was chosen: `facts` by name, `neighbours` (id, label)."""
        from pt4al.plots.explanations import in_words  # imports a drawing library

        if self._reasons is None or image not in self._reasons.index:
            return None
        row = self._reasons.loc[image]
        labels = self.run.earlier.set_index("id")["label"]
        neighbours = [{"id": near, "label": labels[near]} for near in json.loads(row["neighbours"])]
        return {"facts": in_words(row), "neighbours": neighbours}

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
            raise InputError(f"id {image!r} is not in {self.run.settings['pool.source.path']}")
        return viewable(next(iter(self.source.pictures(np.array(row)))), size=size)

    @cached_property
    def _rows(self) -> pd.Index:
        return pd.Index(self.source.index["id"])

    @cached_property
    def _reasons(self) -> pd.DataFrame | None:
        reasons = self.run.folder.read("reasons.parquet", self.run.cycle)
        return None if reasons is None else reasons.set_index("id")


def open_session(project: Path, run: LabelledRun) -> LabellingSession:
    """List the pictures of a run's source, with the settings that the run has."""
    # Over the defaults: a run of an older version lacks settings that have come since.
    pool = loader(project)["parameters"]["pool"] | nested(run.settings)["pool"]
    listing = Listing(**{name: pool[name] for name in Listing.model_fields})
    return LabellingSession(run, project, collect(listing)["train"])
