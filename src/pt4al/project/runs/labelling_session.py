"""A run that people label, with its pool: what its files alone do not tell."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from kedro.framework.session import KedroSession

from pt4al.images.decode import decode_mask
from pt4al.images.viewing import SCREEN, viewable
from pt4al.pipelines.remembered import one_command
from pt4al.project.configuration.dotted import nested
from pt4al.project.runs.asked_query import AskedQuery
from pt4al.project.runs.context import Context
from pt4al.project.runs.labelled_run import LabelledRun

if TYPE_CHECKING:
    from pt4al.images.pool import ImagePool
    from pt4al.project.configuration.parameters import Parameters


@dataclass(frozen=True)
class LabellingSession:
    """What programs need that draw masks.

    Attributes
    ----------
    run
        The run, its query and its answers.
    project
        Folder of the project.
    """

    run: LabelledRun
    project: Path

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
    def asked(self) -> AskedQuery:
        """Pictures of the source, by id."""
        return AskedQuery(self.run)

    def fitted(self, png: bytes) -> np.ndarray:
        """Return a mask in a picture's geometry as the pool's image of it has it."""
        return decode_mask(png, self.pool.frame)

    def decoded(self, image: str) -> bytes:
        """Return the pool's image as a file that browsers know: a mask must fit it."""
        pixels = self.pool.gather(self.pool.rows(pd.Series([image])))[0].numpy()
        return viewable(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0), exact=True)

    def picture(self, image: str, size: str = SCREEN) -> bytes:
        """Return a picture of the source as a file that browsers know; see `viewable`."""
        return self.asked.picture(image, size)
