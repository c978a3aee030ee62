"""Compute features of images, here or in the workers of a cluster, with the same bytes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice

import numpy as np

from pt4al.cluster.seam import in_shards
from pt4al.errors import InputError
from pt4al.features.scoring import Scorer, computing
from pt4al.features.writing import Job
from pt4al.images.parallel import in_order
from pt4al.training.precision import Hardware

TOGETHER = 32  # images read as one task
WAITING = 2**28  # bytes of images that wait for the network
SHARD = 512  # images that a worker computes at once, or as many as the network takes


@dataclass(frozen=True)
class Block:
    """Some images, not read yet.

    Attributes
    ----------
    rows
        Of the index.
    read
        Returns the images (B, C, H, W), uint8.
    name
        Id of the first.
    """

    rows: np.ndarray
    read: Callable[[], np.ndarray]
    name: str

    def load(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows and their images."""
        return self.rows, self.read()

    def __str__(self) -> str:
        return self.name


Features = tuple[np.ndarray, np.ndarray]  # rows of the index, and their features


def compute(job: Job, blocks: Iterable[Block], hardware: Hardware) -> Iterator[Features]:
    """Yield rows and their features, some at a time and in order.

    Parameters
    ----------
    blocks
        Each of `size_of_block` images, but the last.
    """
    if hardware.cluster.alone:
        with job.scoring(hardware) as scorer:
            yield from _computed(scorer, job, blocks, hardware)
        return
    blocks = iter(blocks)
    size = size_of_block(job, hardware)
    # Cut where one process would cut, so that each image is computed beside the same others.
    # A shard may be halved, which is done between groups.
    group = size_of_group(job, hardware)
    in_group = group // size
    in_shard = max(1, SHARD // group)
    groups = iter(lambda: list(islice(blocks, in_group)), [])
    shards = iter(lambda: list(islice(groups, in_shard)), [])

    def work(scorer: Scorer, shard: list[list[Block]]) -> list[Features]:
        with computing(hardware):
            return list(_computed(scorer, job, chain.from_iterable(shard), hardware))

    prepare = partial(_scorer, job, hardware.alone)
    results = in_shards(work, shards, hardware.cluster, prepare, "features", _refuse)
    for _, parts in results:
        yield from parts


def size_of_group(job: Job, hardware: Hardware) -> int:
    """Return how many images are computed beside each other."""
    size = size_of_block(job, hardware)
    return size * -(-job.together(hardware.device) // size)


def size_of_block(job: Job, hardware: Hardware) -> int:
    """Return how many images are read as one task."""
    return min(TOGETHER, job.together(hardware.device))


def _scorer(job: Job, hardware: Hardware) -> Scorer:
    with computing(hardware):
        return Scorer(job.network, hardware, job.pixels, job.views)


def _computed(
    scorer: Scorer, job: Job, blocks: Iterable[Block], hardware: Hardware
) -> Iterator[Features]:
    waiting = WAITING // (TOGETHER * job.shape[0] * job.pixels)
    loaded = in_order(Block.load, ((block,) for block in blocks), waiting)
    for rows, images in _grouped(loaded, job.together(hardware.device)):
        yield rows, scorer(images)


def _refuse(shard: list[list[Block]], reason: str) -> None:
    pictures = sum(len(block.rows) for group in shard for block in group)
    raise InputError(
        f"features: no worker survives {pictures} pictures from {shard[0][0].name!r} on: {reason}; "
        "what is computed is kept. Lower `features.size` or `engine.workers`, or leave those "
        "pictures out"
    )


def _grouped(
    blocks: Iterator[tuple[np.ndarray, np.ndarray]], together: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Join blocks until they hold as many images as are computed at once."""
    waiting: list[tuple[np.ndarray, np.ndarray]] = []
    for block in blocks:
        waiting.append(block)
        if sum(len(rows) for rows, _ in waiting) >= together:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def _joined(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    if len(parts) == 1:
        return parts[0]
    rows, images = zip(*parts, strict=True)
    return np.concatenate(rows), np.concatenate(images)
