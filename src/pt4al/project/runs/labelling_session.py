"""A run that people label, opened to take in answers: its settings, its files, its query."""

import io
import json
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kedro.framework.session import KedroSession
from kedro.io import CatalogProtocol
from PIL import Image

from pt4al.annotation.aggregation import LABELLED, Policy, settle
from pt4al.annotation.log import AnswerLog
from pt4al.annotation.progress import Progress, assign
from pt4al.annotation.queue import Desk
from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.decode import decode_mask
from pt4al.images.viewing import viewable
from pt4al.labels.label_set import empty
from pt4al.pipelines.pool.nodes import collect
from pt4al.plots.explanations import in_words
from pt4al.project.configuration.parameters import Parameters, check
from pt4al.project.runs import asked, guard
from pt4al.project.runs import standing as people
from pt4al.training.tasks import TASKS


@dataclass(frozen=True)
class OpenRun:
    """A run with a query to answer.

    Attributes
    ----------
    cycle
        Of the query.
    command
        With which the run goes on.
    root
        Of the project's data.
    """

    parameters: Parameters
    catalog: CatalogProtocol
    cycle: int
    command: str
    root: Path

    @property
    def name(self) -> str:
        return self.parameters.run.name

    @property
    def policy(self) -> Policy:
        return people.policy(self.parameters)

    @property
    def link_file(self) -> Path:
        """Where the link to this run's labelling page is kept."""
        return guard.record_folder(self.root, self.name) / "page.json"

    @cached_property
    def log(self) -> AnswerLog:
        return self.catalog.load("answer_log")

    @cached_property
    def query(self) -> pd.DataFrame:
        return self._load("query")

    @cached_property
    def classes(self) -> list[str]:
        return self.parameters.oracle.classes or self.catalog.load("run_classes")

    @property
    def labels(self) -> pd.DataFrame:
        """What has a label by all answers so far: `id`, `label`."""
        settled = settle(self.log.read(), self.policy)
        return settled[settled["state"] == LABELLED][["id", "label"]].reset_index(drop=True)

    @cached_property
    def suggestions(self) -> pd.DataFrame | None:
        """What the newest model takes the images for: `id`, `label`, `probability`."""
        return (
            self._load("suggestions")
            if self.catalog.exists(f"cycle_{self.cycle}.suggestions")
            else None
        )

    @cached_property
    def reasons(self) -> pd.DataFrame | None:
        """Why each image was chosen."""
        known = self.catalog.exists(f"cycle_{self.cycle}.reasons")
        return self._load("reasons").set_index("id") if known else None

    @cached_property
    def earlier(self) -> pd.DataFrame:
        """The label set before this query."""
        return self.catalog.load(f"cycle_{self.cycle - 1}.label_set") if self.cycle else empty()

    @property
    def answerable(self) -> pd.Series:
        """Ids that may be answered: the query's, and those of earlier ones, late or to correct."""
        known = [self.query["id"], self.earlier["id"]]
        if self.cycle:
            known.append(self.catalog.load(f"cycle_{self.cycle - 1}.asked")["id"])
        return pd.concat(known, ignore_index=True).drop_duplicates()

    def fitted(self, png: bytes) -> np.ndarray:
        """Return a mask in a picture's geometry as the pool's image of it has it."""
        return decode_mask(png, self.catalog.load("pool").frame)

    def progress(self) -> Progress:
        """Return how far the query is answered now."""
        return assign(self.query, settle(self.log.read(), self.policy), self.policy)

    @cached_property
    def desk(self) -> Desk:
        """Where people answer."""
        add = partial(people.add_class, self.root, self.name)
        # A page that was left open may still have an answer to an image that the run has gone on
        # without.
        late = self.answerable[~self.answerable.isin([*self.query["id"], *self.earlier["id"]])]
        earlier = pd.concat([self.earlier[["id", "label"]], late.to_frame("id")], ignore_index=True)
        return Desk(
            self.log,
            self.query,
            self.policy,
            self.classes,
            self.suggestions,
            earlier,
            add_class=add,
        )

    def why(self, image: str) -> dict[str, Any] | None:
        """Return what is known of why an image was chosen: `facts` by name, `neighbours` (id, label)."""
        if self.reasons is None or image not in self.reasons.index:
            return None
        row = self.reasons.loc[image]
        labels = self.earlier.set_index("id")["label"]
        return {
            "facts": in_words(row),
            "neighbours": [
                {"id": near, "label": labels[near]} for near in json.loads(row["neighbours"])
            ],
        }

    @property
    def masks(self) -> bool:
        """Whether a label is a mask."""
        return TASKS[self.parameters.main.task].dense

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pool's images."""
        return self.catalog.load("pool").shape[1:]

    def decoded(self, image: str) -> bytes:
        """Return a picture as the pool has it, as PNG: a mask must fit it."""
        pool = self.catalog.load("pool")
        pixels = pool.gather(pool.rows(pd.Series([image])))[0].numpy()
        return viewable(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0), exact=True)

    def mask(self, label: str) -> np.ndarray:
        """Return the mask (height, width), uint8, that a label stands for."""
        return np.asarray(Image.open(io.BytesIO(self.log.mask(label))))

    def picture(self, image: str) -> bytes:
        """Return a picture of the source as a file that browsers know."""
        row = self._rows.get_indexer([image])
        if row[0] < 0:
            raise InputError(f"id {image!r} is not in {self.parameters.pool.source.path}")
        return viewable(next(iter(self._source.pictures(np.array(row)))))

    @cached_property
    def _source(self) -> Collection:
        return collect(self.parameters.pool)["train"]

    @cached_property
    def _rows(self) -> pd.Index:
        return pd.Index(self._source.index["id"])

    def _load(self, table: str) -> pd.DataFrame:
        return self.catalog.load(f"cycle_{self.cycle}.{table}")


def open_run(project: Path, name: str | None = None, waiting: bool = True) -> OpenRun:
    """Open a run that people label.

    Parameters
    ----------
    name
        None: the one whose command was typed last.
    waiting
        Whether it must wait for answers.

    Raises
    ------
    InputError
        If there is no such run, or it should wait for answers and does not.
    """
    root = asked.root(project)
    known = people.runs(root)
    if not known:
        raise InputError(
            "no run is labelled by people yet: start one, "
            "kedro run --pipelines=active_learning --env=people --params=pool.source.path=..."
        )
    chosen = name or known[0]
    session = KedroSession.create(
        project_path=project, runtime_params=people.recorded(root, chosen), save_on_close=False
    )
    context = session.load_context()
    parameters = check(context.config_loader["parameters"])
    standing = people.stand(parameters, root)
    if waiting and standing.progress is None:
        over = standing.cycle == parameters.cycles.number
        way_out = (
            "all its cycles have their answers"
            if over
            else "it has made no query yet: type its command again"
        )
        raise InputError(f"run {chosen!r} waits for no answers: {way_out}")
    return OpenRun(parameters, context.catalog, standing.cycle, people.command(root, chosen), root)
