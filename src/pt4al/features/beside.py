"""Compute features while a pool is built of the same pictures, so that each file is read once."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image

from pt4al.features.backbones import Backbone
from pt4al.features.computing import size_of_group
from pt4al.features.writing import with_backbone, writing
from pt4al.images.collection import Collection, Picture
from pt4al.images.decode import decode
from pt4al.training.precision import Hardware


class Beside:
    """Watch of `images.building.build`: leaves the features of pictures for `store.compute`.

    Pictures that the pool does not take are left out. Pictures that the pool keeps from an older
    one are not read, so that `compute` links or computes their features afterwards.
    """

    def __init__(
        self,
        collection: Collection,
        backbone: Backbone,
        folder: Path,
        hardware: Hardware,
        previous: Path | None = None,
    ):
        self._pictures = len(collection)
        self.size = 3 * backbone.frame.height * backbone.frame.width
        self._frame = backbone.frame
        self._resampling = Image.Resampling[backbone.resampling.upper()]
        job = with_backbone(collection.index, backbone)
        self._group = size_of_group(job, hardware)
        self._writing = writing(job, folder, hardware, previous)
        self._scoring = job.scoring(hardware)
        self._contexts = ExitStack()

    def __enter__(self) -> "Beside":
        self._writer = self._contexts.enter_context(self._writing)
        self._scorer = self._contexts.enter_context(self._scoring)
        self._lacking = np.zeros(self._pictures, bool)
        self._lacking[self._writer.left] = True
        self._rows: list[int] = []
        self._images: list[np.ndarray] = []
        return self

    def __exit__(self, *error: object) -> None:
        try:
            if error[0] is None:
                self._compute(len(self._rows))
                self._writer.flush()
        finally:
            self._contexts.__exit__(*error)

    def look(self, picture: Picture) -> np.ndarray:
        """Return a picture as the network takes it; called in the threads that decode."""
        return decode(picture, self._frame, self._resampling)

    def add(self, rows: np.ndarray, images: list[np.ndarray]) -> None:
        """Take the images that `look` returned for rows of the collection."""
        for row, image in zip(rows, images, strict=True):
            if self._lacking[row]:
                self._rows.append(row)
                self._images.append(image)
        # As `store.compute` groups them: beside other images they would be rounded otherwise.
        while len(self._rows) >= self._group:
            self._compute(self._group)

    def _compute(self, count: int) -> None:
        if count:
            rows = np.array(self._rows[:count])
            self._writer.add(rows, self._scorer(np.stack(self._images[:count])))
            del self._rows[:count]
            del self._images[:count]
