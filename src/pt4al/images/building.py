"""Build a pool: decode pictures on all cores into shards; shards that are up to date are kept."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field, field_validator
from tqdm import tqdm

from pt4al.block import Block
from pt4al.cluster.seam import ALONE, Cluster, in_shards
from pt4al.errors import InputError
from pt4al.images.augment import LARGEST_SIDE
from pt4al.images.collection import Collection, Picture
from pt4al.images.decode import Frame, decode
from pt4al.images.duplicates import perceptual_hash
from pt4al.images.keeping import keep, manifest
from pt4al.images.noise import noisy
from pt4al.images.opening import BadPicture
from pt4al.images.parallel import in_order
from pt4al.images.pixels import PIXELS, PixelWriter, room
from pt4al.images.problems import Problems
from pt4al.images.survey import infer_frame
from pt4al.images.watching import Look, Once, Watch

TOGETHER = 32  # pictures decoded as one task
SHARD = 8 * TOGETHER  # pictures that a worker decodes at once
WAITING = 2**28  # bytes of images that wait to be written


class Recipe(Block):
    """How pictures become the images of a pool."""

    size: Literal["auto"] | int | list[int]  # pixels, [height, width]
    fit: Literal["crop", "letterbox"]
    channels: Literal["auto", 1, 3]
    background: int = Field(ge=0, le=255)  # grey level under transparency, and of letterbox bars
    noise: float = Field(ge=0, le=255)  # grey levels, standard deviation
    bad_share: float = Field(ge=0, le=1)  # of the pictures, that may be broken

    @field_validator("size", mode="plain")
    @classmethod
    def _size(cls, size: object) -> object:
        # The command line writes [180, 240] as 180/240.
        words = size.split("/") if isinstance(size, str) and size != "auto" else []
        if len(words) == 2 and all(map(str.isdecimal, words)):
            size = [int(word) for word in words]
        sides = list(size) if isinstance(size, list | tuple) and len(size) == 2 else [size]
        whole = all(isinstance(side, int) and not isinstance(side, bool) for side in sides)
        if size != "auto" and not (whole and all(0 < side <= LARGEST_SIDE for side in sides)):
            raise ValueError(
                f"say auto, pixels (64), or [height, width], of up to {LARGEST_SIDE} pixels"
            )
        return sides if len(sides) == 2 else size


def build(
    collection: Collection,
    folder: Path,
    recipe: Recipe,
    previous: Path | None = None,
    frame: Frame | None = None,
    watch: Watch | None = None,
    cluster: Cluster = ALONE,
) -> None:
    """Write a collection's images to `folder`: shards, `problems.parquet`, `pool.json`.

    Neither labels nor classes are written. Memory holds a few hundred pictures at a time.

    Parameters
    ----------
    folder
        May hold shards of an interrupted call, which are kept.
    previous
        An older pool of the same source: its shards are linked if none of their pictures has
        changed, so that only new pictures are decoded. Kept images come first.
    frame
        What images look like; by default what the recipe says, then the older pool, then a survey
        of the pictures.
    watch
        Is shown each picture that is decoded; then this process decodes them all.
    cluster
        Who decodes.

    Raises
    ------
    InputError
        If more pictures than `recipe.bad_share` can't be decoded, or the disk has no room.
    """
    folder.mkdir(parents=True, exist_ok=True)
    earlier = manifest(folder, PIXELS)
    if earlier is None and previous is not None:
        earlier = manifest(previous, PIXELS)
    if frame is None:
        frame = _frame(collection, recipe, earlier)
    plan = {
        "frame": asdict(frame),
        "shape": [frame.channels, frame.height, frame.width],
        "noise": recipe.noise,
    }
    shards = []
    if earlier is not None and all(earlier[key] == value for key, value in plan.items()):
        shards = earlier["shards"]
    kept, rows = keep(collection.index, PIXELS, shards, folder, previous, room(plan["shape"]))
    _check_room(folder, len(rows), frame)
    problems = Problems(folder, collection, recipe.bad_share)
    with (
        PixelWriter(folder, plan, kept, collection.index) as writer,
        _progress(len(rows)) as progress,
    ):
        if watch is None and not cluster.alone:
            blocks = _decoded_in_shards(
                collection, rows, partial(_decode, frame=frame, noise=recipe.noise), cluster
            )
        else:
            blocks = _decoded(collection, rows, frame, recipe.noise, watch)
        for block, decoded in blocks:
            problems.add(block, decoded.reasons)
            good = block[[reason is None for reason in decoded.reasons]]
            writer.add(good, decoded.images, digest=decoded.digests, hash=decoded.hashes)
            if watch is not None:
                watch.add(good, decoded.seen)
            progress.update(len(block))
        problems.save()
        writer.finish(signature=signature(collection))


def signature(collection: Collection) -> str:
    """Return 16 hexadecimal digits that change when a picture or a label does, comes or goes."""
    facts = collection.index[["id", "split", "label", "stamp"]]
    rows = pd.util.hash_pandas_object(facts, index=False)
    return hashlib.sha256(np.sort(rows.to_numpy()).tobytes()).hexdigest()[:16]


@dataclass(frozen=True)
class _Decoded:
    """Some pictures, decoded; all but `reasons` (None: good) is of the good ones alone."""

    reasons: list[str | None]
    images: np.ndarray
    digests: list[str]
    hashes: np.ndarray
    seen: list[Any]


def _check_room(folder: Path, images: int, frame: Frame) -> None:
    """Raise InputError if the disk has no room for the images, before hours are spent on them."""
    needed = images * _bytes(frame)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"{images:,} images of {frame.width} x {frame.height} pixels need "
            f"{needed / 1e9:,.1f} GB, and the disk of {folder} has {free / 1e9:,.1f}: "
            "lower `pool.size` or `pool.limit.train`, or make room"
        )


def _bytes(frame: Frame) -> int:
    return frame.channels * frame.height * frame.width


def _progress(pictures: int) -> tqdm:
    """Return a progress bar; it shows nothing if the output is not a terminal."""
    return tqdm(total=pictures, unit=" pictures", desc="decode", disable=None, leave=False)


def _frame(collection: Collection, recipe: Recipe, earlier: dict | None) -> Frame:
    """Return the recipe's frame; what it leaves open as in the earlier pool, or by a survey."""
    size = recipe.size
    channels = recipe.channels
    if earlier and size == "auto":
        size = [earlier["frame"]["height"], earlier["frame"]["width"]]
    if earlier and channels == "auto":
        channels = earlier["frame"]["channels"]
    return infer_frame(collection, size, channels, recipe.fit, recipe.background)


def _decoded(
    collection: Collection, rows: np.ndarray, frame: Frame, noise: float, watch: Watch | None
) -> Iterator[tuple[np.ndarray, _Decoded]]:
    """Yield rows and their pictures, decoded, some at a time and in order, on all cores."""
    look = None if watch is None else watch.look
    size = 0 if watch is None else watch.size
    blocks = [rows[first : first + TOGETHER] for first in range(0, len(rows), TOGETHER)]
    pictures = iter(collection.pictures(rows))
    ids = collection.index["id"].array
    tasks = (
        (list(ids[block]), [next(pictures) for _ in block], frame, noise, look) for block in blocks
    )
    waiting = WAITING // (TOGETHER * (_bytes(frame) + size))
    yield from zip(blocks, in_order(_decode, tasks, waiting), strict=True)


def _decoded_in_shards(
    collection: Collection, rows: np.ndarray, read: Callable[..., _Decoded], cluster: Cluster
) -> Iterator[tuple[np.ndarray, _Decoded]]:
    """Do as `_decoded` does, in the workers of a cluster; a picture that ends them is a bad one."""
    ids = collection.index["id"].array
    pictures = zip(rows, ids[rows], collection.pictures(rows), strict=True)
    shards = iter(lambda: list(islice(pictures, SHARD)), [])

    def decode_shard(_: None, shard: list[tuple]) -> list[_Decoded]:
        blocks = [shard[first : first + TOGETHER] for first in range(0, len(shard), TOGETHER)]
        tasks = (
            ([name for _, name, _ in block], [picture for *_, picture in block]) for block in blocks
        )
        return list(in_order(read, tasks))

    def give_up(shard: list[tuple], reason: str) -> list[_Decoded]:
        reasons = [f"decoding it, or one of {len(shard)} beside it, fails: {reason}"] * len(shard)
        return [replace(read([], []), reasons=reasons)]

    for shard, parts in in_shards(decode_shard, shards, cluster, title="decode", on_lost=give_up):
        first = 0
        for part in parts:
            block = shard[first : first + len(part.reasons)]
            yield np.array([row for row, *_ in block]), part
            first += len(block)


def _decode(
    ids: list[str], pictures: list[Picture], frame: Frame, noise: float, look: Look | None = None
) -> _Decoded:
    if look is not None:
        pictures = [Once(picture) if callable(picture) else picture for picture in pictures]
    good = []  # ids
    images = []
    reasons = []
    seen = []
    for name, picture in zip(ids, pictures, strict=True):
        try:
            images.append(decode(picture, frame))
        except BadPicture as bad:
            reasons.append(str(bad))
            continue
        reasons.append(None)
        good.append(name)
        if look is not None:
            seen.append(look(picture))
    shape = (len(images), frame.channels, frame.height, frame.width)
    images = np.array(images, np.uint8).reshape(shape)
    digests = [hashlib.blake2b(image.data, digest_size=8).hexdigest() for image in images]
    hashes = perceptual_hash(images) if good else np.empty(0, np.uint64)
    if noise and good:
        images = noisy(images, good, noise)
    return _Decoded(reasons, images, digests, hashes, seen)
