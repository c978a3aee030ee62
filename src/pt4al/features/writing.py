"""Write features into shards; those that exist are kept, and all must be finite."""

import copy
import math
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from pt4al.errors import InputError
from pt4al.features.backbones import Backbone
from pt4al.features.scoring import Scorer, Views, images_at_once, scoring
from pt4al.features.vectors import DTYPE, VECTORS
from pt4al.images.keeping import keep, manifest
from pt4al.images.shards import Writer
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware

# A process that is killed loses one shard's work: a small part of the whole, and less than an hour.
SHARDS = 32  # at least, in stores that are large enough
FEWEST = 256  # rows of a shard
MOST = 4096  # rows of a shard
SHARD = 64 * 2**20  # bytes


@dataclass(frozen=True)
class Job:
    """What is computed.

    Attributes
    ----------
    index
        The pictures': `id`, `source`, `split`, `stamp`.
    facts
        For the manifest: `network`, `digest`, `resampling`.
    shape
        Channels, height, width of the network's input images.
    views
        Makes V images of each: (B, C, H, W) -> (B, V, C, H, W), uint8. Then a row is (V, width),
        else (width,).
    """

    index: pd.DataFrame
    network: Network
    facts: dict[str, str]
    shape: tuple[int, int, int]
    views: Views | None = None

    @property
    def pixels(self) -> int:
        """Of one image."""
        return math.prod(self.shape[1:])

    def together(self, device: str) -> int:
        """Return how many images are computed at once."""
        return images_at_once(device, self.pixels)

    def scoring(self, hardware: Hardware) -> AbstractContextManager[Scorer]:
        """Return the context in which features are computed, and what computes them."""
        return scoring(self.network, hardware, self.pixels, self.views)

    def plan(self, precision: str) -> dict[str, Any]:
        """Return the facts that shards must share with this job to be kept."""
        shape = [_width(self.network, self.shape)]
        if self.views is not None:
            views = self.views(torch.zeros((1, *self.shape), dtype=torch.uint8))
            shape = [views.shape[1], *shape]
        return {**self.facts, "size": list(self.shape[1:]), "precision": precision, "shape": shape}


def _width(network: Network, shape: tuple[int, int, int]) -> int:
    """Return the number of a network's features, which not every head states."""
    seen = copy.deepcopy(network).cpu().eval()
    with torch.inference_mode():
        return seen.features(torch.zeros((1, *shape), dtype=torch.uint8)).shape[1]


def with_backbone(index: pd.DataFrame, backbone: Backbone, views: Views | None = None) -> Job:
    """Return the job of computing a backbone's features of source pictures."""
    frame = backbone.frame
    facts = {"network": backbone.name, "digest": backbone.digest, "resampling": backbone.resampling}
    return Job(index, backbone.network, facts, (frame.channels, frame.height, frame.width), views)


class FeatureWriter:
    """Writes features of images.

    Attributes
    ----------
    left
        Rows of the index that have no features yet.
    """

    def __init__(self, job: Job, shards: Writer, left: np.ndarray):
        self._ids = job.index["id"].array
        self._shards = shards
        self.left = left

    def add(self, rows: np.ndarray, features: np.ndarray) -> None:
        """Append features (B, ...) of rows of the index."""
        with np.errstate(over="ignore"):  # an error below, with the picture
            vectors = features.astype(DTYPE)
        finite = np.isfinite(vectors).reshape(len(vectors), -1).all(axis=1)
        if not finite.all():
            broken = self._ids[rows[int(finite.argmin())]]
            raise InputError(
                f"the features of picture {broken!r} are not finite in half precision: "
                "the network's weights are broken, or were not trained; "
                "choose others by `features.weights` or `features.network`"
            )
        self._shards.add(rows, vectors)

    def flush(self) -> None:
        """Write the open shard, though it is not full."""
        self._shards.flush()

    def finish(self, ids: pd.Series) -> None:
        """Write the last shard, the index, in the order of `ids`, and the manifest."""
        self._shards.finish(ids)


@contextmanager
def writing(
    job: Job, folder: Path, hardware: Hardware, previous: Path | None
) -> Iterator[FeatureWriter]:
    """Yield a writer that keeps the job's features in `folder`, or else in `previous`."""
    folder.mkdir(parents=True, exist_ok=True)
    plan = job.plan(hardware.precision)
    most = _rows_of_a_shard(len(job.index), plan["shape"])
    shards = _matching_shards(plan, folder, previous)
    kept, left = keep(job.index, VECTORS, shards, folder, previous, most)
    _check_room(folder, len(left), plan["shape"])
    with Writer(folder, VECTORS, plan, kept, job.index, most) as writer:
        yield FeatureWriter(job, writer, left)


def _matching_shards(
    plan: dict[str, Any], folder: Path, previous: Path | None
) -> list[dict[str, Any]]:
    """Return the shards of the first folder whose manifest has the plan's facts."""
    for place in (folder, previous):
        facts = None if place is None else manifest(place, VECTORS)
        if facts is not None and all(facts.get(key) == value for key, value in plan.items()):
            return facts["shards"]
    return []


def _check_room(folder: Path, rows: int, shape: list[int]) -> None:
    needed = rows * _bytes(shape)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"the features of {rows:,} pictures need {needed / 1e9:,.1f} GB, "
            f"and the disk of {folder} has {free / 1e9:,.1f}: "
            "make room, or lower `pool.limit.train`"
        )


def _bytes(shape: list[int]) -> int:
    return math.prod(shape) * np.dtype(DTYPE).itemsize


def _rows_of_a_shard(rows: int, shape: list[int]) -> int:
    room = SHARD // _bytes(shape)
    return max(1, min(room, MOST, max(FEWEST, -(-rows // SHARDS))))
