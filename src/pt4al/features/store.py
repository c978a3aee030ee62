"""Compute features once, into shards on disk; features that exist are kept."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from pt4al.errors import InputError
from pt4al.features import computing
from pt4al.features.backbones import Backbone, weights_digest
from pt4al.features.computing import Block, size_of_block
from pt4al.features.scoring import Views
from pt4al.features.writing import Job, with_backbone, writing
from pt4al.images.collection import Collection, Picture
from pt4al.images.decode import Frame, decode
from pt4al.images.opening import BadPicture
from pt4al.images.pool import ImagePool
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware


def compute(
    collection: Collection,
    ids: pd.Series,
    backbone: Backbone,
    folder: Path,
    hardware: Hardware,
    previous: Path | None = None,
    views: Views | None = None,
) -> None:
    """Write the features of a collection's pictures `ids`, in that order, to `folder`.

    Pictures are decoded at the network's own size, in threads, while it computes. Memory holds a
    few hundred of them.

    Parameters
    ----------
    folder
        May hold shards of an interrupted call, which are kept.
    previous
        An older store: its shards are linked if they were computed alike and their pictures are the
        same.
    views
        Makes V images of each: (B, 3, H, W) -> (B, V, 3, H, W), uint8. Then a row is (V, width),
        else (width,).

    Raises
    ------
    InputError
        If the collection lacks a picture, one can't be decoded, or one's features are not finite.
    """
    places = _places(collection, ids)
    index = collection.index.iloc[places].reset_index(drop=True)
    names = index["id"].array
    resampling = Image.Resampling[backbone.resampling.upper()]

    def blocks(rows: np.ndarray, size: int) -> Iterator[Block]:
        pictures = collection.pictures(places[rows])
        for block in _cut(rows, size):
            own = list(names[block])
            own_pictures = [next(pictures) for _ in block]
            read = partial(_decode, own, own_pictures, backbone.frame, resampling)
            yield Block(block, read, own[0])

    _write(with_backbone(index, backbone, views), blocks, ids, folder, hardware, previous)


def compute_from_pool(
    pool: ImagePool,
    network: Network,
    folder: Path,
    hardware: Hardware,
    previous: Path | None = None,
    views: Views | None = None,
) -> None:
    """Write a network's features of a pool's decoded images; otherwise like `compute`."""
    index = pool.index.reindex(columns=["id", "source", "split"], fill_value="")
    # Equal images, equal features: an image's digest says whether it has changed.
    index = index.assign(stamp="" if pool.folder is None else pool.fingerprints["digest"].array)
    facts = {"network": network.name, "digest": weights_digest(network), "resampling": "none"}
    job = Job(index, network, facts, pool.shape, views)

    def blocks(rows: np.ndarray, size: int) -> Iterator[Block]:
        for block in _cut(rows, size):
            yield Block(block, partial(pool.read, block), index["id"].iloc[block[0]])

    _write(job, blocks, pool.ids, folder, hardware, None if pool.folder is None else previous)


def _write(
    job: Job,
    blocks: Callable[[np.ndarray, int], Iterator[Block]],
    ids: pd.Series,
    folder: Path,
    hardware: Hardware,
    previous: Path | None,
) -> None:
    """Write the features of the images that `blocks(rows, size)` yields."""
    with (
        writing(job, folder, hardware, previous) as writer,
        _progress(len(writer.left)) as progress,
    ):
        cut = blocks(writer.left, size_of_block(job, hardware))
        for rows, features in computing.compute(job, cut, hardware):
            writer.add(rows, features)
            progress.update(len(rows))
        writer.finish(ids)


def _places(collection: Collection, ids: pd.Series) -> np.ndarray:
    """Return the rows of `ids`, ascending, which is the fastest order to read pictures in."""
    places = pd.Index(collection.index["id"]).get_indexer(ids)
    if (places < 0).any():
        stranger = ids.iloc[int(np.argmax(places < 0))]
        raise InputError(
            f"picture {stranger!r} is not in the source any more: "
            "bring it back, or build the pool again"
        )
    return np.sort(places)


def _cut(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (rows[first : first + size] for first in range(0, len(rows), size))


def _decode(
    ids: list[str], pictures: list[Picture], frame: Frame, resampling: Image.Resampling
) -> np.ndarray:
    images = np.empty((len(pictures), frame.channels, frame.height, frame.width), np.uint8)
    for row, picture in enumerate(pictures):
        try:
            images[row] = decode(picture, frame, resampling)
        except BadPicture as bad:
            raise InputError(
                f"picture {ids[row]!r} of the pool can't be decoded any more ({bad}): "
                "bring it back, or build the pool again"
            ) from bad
    return images


def _progress(pictures: int) -> tqdm:
    """Return a progress bar; it shows nothing if the output is not a terminal."""
    return tqdm(total=pictures, unit=" pictures", desc="features", disable=None, leave=False)
