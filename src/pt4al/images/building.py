"""Build a pool: decode pictures on all cores into shards; shards that still hold true are kept."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field, field_validator
from tqdm import tqdm

from pt4al.block import Block
from pt4al.errors import InputError
from pt4al.images.augment import LARGEST_SIDE
from pt4al.images.collection import Collection, Picture
from pt4al.images.decode import BadPicture, Frame, decode
from pt4al.images.duplicates import perceptual_hash
from pt4al.images.keeping import keep, manifest
from pt4al.images.noise import noisy
from pt4al.images.parallel import in_order
from pt4al.images.pixels import PIXELS, PixelWriter, room
from pt4al.images.problems import Problems
from pt4al.images.survey import survey
from pt4al.images.watching import Look, Once, Watch

TOGETHER = 32  # pictures decoded as one task
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
) -> None:
    """Write a collection's images to `folder`: shards with their indices, `problems.parquet`, `pool.json`.

    Neither labels nor classes are written. Memory holds a few hundred pictures at a time.

    Parameters
    ----------
    folder
        May hold what an interrupted call left: its shards are kept.
    previous
        An older pool of the same source: its shards are linked where all their pictures are still
        the same, so that new pictures cost no more than themselves. Kept images come first.
    frame
        What images look like; by default as the recipe, the older pool, or a survey of the pictures
        says.
    watch
        Is shown each picture that is decoded.

    Raises
    ------
    InputError
        If more pictures than `recipe.bad_share` can't be decoded: says why. If the disk has no room
        for the images.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = manifest(folder, PIXELS) or (manifest(previous, PIXELS) if previous else None)
    if frame is None:
        frame = _frame(collection, recipe, known)
    plan = {
        "frame": asdict(frame),
        "shape": [frame.channels, frame.height, frame.width],
        "noise": recipe.noise,
    }
    matching = known is not None and all(known[key] == value for key, value in plan.items())
    shards = known["shards"] if matching else []
    kept, rows = keep(collection.index, PIXELS, shards, folder, previous, room(plan["shape"]))
    _check_room(folder, len(rows), frame)
    problems = Problems(folder, collection, recipe.bad_share)
    with (
        PixelWriter(folder, plan, kept, collection.index) as writer,
        _progress(len(rows)) as progress,
    ):
        for block, decoded in _decoded(collection, rows, frame, recipe.noise, watch):
            problems.add(block, decoded.reasons)
            good = block[[reason is None for reason in decoded.reasons]]
            writer.add(good, decoded.images, digest=decoded.digests, hash=decoded.hashes)
            if watch is not None:
                watch.add(good, decoded.seen)
            progress.update(len(block))
        problems.save()
        writer.finish(signature=signature(collection))


def signature(collection: Collection) -> str:
    """Return 16 hexadecimal digits that change when a picture comes, goes or changes, or its label does."""
    rows = pd.util.hash_pandas_object(
        collection.index[["id", "split", "label", "stamp"]], index=False
    )
    return hashlib.sha256(np.sort(rows.to_numpy()).tobytes()).hexdigest()[:16]


@dataclass(frozen=True)
class _Decoded:
    """Some pictures, decoded; `images`, `digests`, `hashes` and `seen` are those of the good ones alone."""

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
            f"{images:,} images of {frame.width} x {frame.height} pixels need {needed / 1e9:,.1f} GB, and the disk of "
            f"{folder} has {free / 1e9:,.1f}: lower `pool.size` or `pool.limit.train`, or make room"
        )


def _bytes(frame: Frame) -> int:
    return frame.channels * frame.height * frame.width


def _progress(pictures: int) -> tqdm:
    """A bar with rate and time left; none where the output is not a terminal."""
    return tqdm(total=pictures, unit="picture", desc="decode", disable=None, leave=False)


def _frame(collection: Collection, recipe: Recipe, known: dict | None) -> Frame:
    """What the recipe states; what it leaves open as in the pool that is known, or by a survey."""
    size = recipe.size
    channels = recipe.channels
    if known:
        size = [known["frame"]["height"], known["frame"]["width"]] if size == "auto" else size
        channels = known["frame"]["channels"] if channels == "auto" else channels
    return survey(collection, size, channels, recipe.fit, recipe.background)


def _decoded(
    collection: Collection, rows: np.ndarray, frame: Frame, noise: float, watch: Watch | None
) -> Iterator[tuple[np.ndarray, _Decoded]]:
    """Yield rows and what became of them, some at a time, in order; all cores decode, PIL lets them."""
    look, size = (None, 0) if watch is None else (watch.look, watch.size)
    blocks = [rows[first : first + TOGETHER] for first in range(0, len(rows), TOGETHER)]
    pictures = iter(collection.pictures(rows))
    ids = collection.index["id"].array
    tasks = (
        (list(ids[block]), [next(pictures) for _ in block], frame, noise, look) for block in blocks
    )
    yield from zip(
        blocks,
        in_order(_decode, tasks, WAITING // (TOGETHER * (_bytes(frame) + size))),
        strict=True,
    )


def _decode(
    ids: list[str], pictures: list[Picture], frame: Frame, noise: float, look: Look | None
) -> _Decoded:
    if look is not None:
        pictures = [Once(picture) if callable(picture) else picture for picture in pictures]
    found = [_attempt(partial(decode, picture, frame)) for picture in pictures]
    reasons = [reason for _, reason in found]
    good = [name for name, reason in zip(ids, reasons, strict=True) if reason is None]
    images = np.stack([image for image, _ in found if image is not None]) if good else _none(frame)
    digests = [hashlib.blake2b(image.data, digest_size=8).hexdigest() for image in images]
    hashes = perceptual_hash(images) if good else np.empty(0, np.uint64)
    seen = []
    if look is not None:
        seen = [
            look(picture)
            for picture, reason in zip(pictures, reasons, strict=True)
            if reason is None
        ]
    return _Decoded(reasons, noisy(images, good, noise) if noise else images, digests, hashes, seen)


def _attempt(decoding: Callable[[], np.ndarray]) -> tuple[np.ndarray | None, str | None]:
    try:
        return decoding(), None
    except BadPicture as bad:
        return None, str(bad)


def _none(frame: Frame) -> np.ndarray:
    return np.empty((0, frame.channels, frame.height, frame.width), np.uint8)
