"""The pool: every picture decoded once, then a row of a memory-mapped uint8 array."""

import hashlib
import json
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.decode import decode

CHUNK = 1024  # pictures decoded before they are written
RESIDENT = 256 * 2**20  # bytes read through the map before its pages are given back
MAPPED = 64 * 2**10  # bytes that reading one row can map


class ImagePool:
    """Images in one fixed order, each with a stable id.

    Attributes
    ----------
    images
        uint8 (N, channels, height, width), memory-mapped, read only.
    index
        One row an image: `id`, `source`, `split`, all text.
    mean, std
        Of the pixels, one number a channel, in grey levels.
    sha256
        Of the bytes of `images`.
    """

    def __init__(self, images: np.ndarray, index: pd.DataFrame, mean: list[float], std: list[float], sha256: str):
        self.images, self.index, self.mean, self.std, self.sha256 = images, index, mean, std, sha256
        self._rows = pd.Index(index["id"])
        self._read = 0

    def __len__(self) -> int:
        return len(self.images)

    @property
    def ids(self) -> pd.Series:
        return self.index["id"]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width of every image."""
        return self.images.shape[1:]

    def rows(self, ids: pd.Series) -> np.ndarray:
        """Return the row numbers of ids."""
        rows = self._rows.get_indexer(ids)
        if (rows < 0).any():
            raise InputError(f"id {list(ids)[int(np.argmax(rows < 0))]!r} is not in the pool of {len(self)} images")
        return rows

    def gather(self, rows: np.ndarray) -> torch.Tensor:
        """Return images as a uint8 tensor (len(rows), channels, height, width).

        Pages of the map count as this process's memory until they are given back, which
        costs next to nothing: so that memory does not grow with the pool, that is done every
        256 MiB. A row counts for the 64 KiB that Linux maps around it.
        """
        gathered = torch.from_numpy(self.images[rows])
        self._read += max(gathered.nbytes, MAPPED * len(rows))
        if self._read > RESIDENT:
            _give_back(self.images)
            self._read = 0
        return gathered

    def verify(self) -> None:
        """Raise InputError if the images are not the bytes that were built."""
        found = _digest(self.images)
        if found != self.sha256:
            raise InputError(
                f"{self.images.filename}: the pool's bytes have changed since it was built "
                f"(sha256 {found[:12]}, was {self.sha256[:12]}): remove its folder and run again"
            )


@dataclass(frozen=True)
class _Sums:
    """Running sums over pixels, per channel, for mean and standard deviation."""

    count: int = 0
    total: int | np.ndarray = 0
    squares: int | np.ndarray = 0

    def add(self, images: np.ndarray) -> "_Sums":
        total = images.sum((0, 2, 3), dtype=np.uint64)
        squares = np.square(images, dtype=np.uint16).sum((0, 2, 3), dtype=np.uint64)
        return _Sums(self.count + images[:, 0].size, self.total + total, self.squares + squares)

    def moments(self) -> dict[str, list[float]]:
        mean = self.total / self.count
        return {"mean": mean.tolist(), "std": np.sqrt(np.maximum(self.squares / self.count - mean**2, 1.0)).tolist()}


def build(collection: Collection, folder: Path, channels: int, noise: float, rng: np.random.Generator) -> None:
    """Decode a collection into `folder`: `images.npy`, `index.parquet`, `pool.json`.

    Memory holds one chunk at a time. Neither labels nor classes are written.

    Parameters
    ----------
    channels
        1 for grey, 3 for RGB.
    noise
        Standard deviation, in grey levels, of Gaussian noise added to every pixel;
        takes away traces of lossy compression, which a pretext network can read.

    Raises
    ------
    InputError
        If the collection is empty, or a picture is broken or of another size.
    """
    if not len(collection):
        raise InputError("the source holds no pictures")
    folder.mkdir(parents=True, exist_ok=True)
    digest, sums = hashlib.sha256(), _Sums()
    with (folder / "images.npy").open("wb") as file:
        for chunk in _chunks(collection, channels):
            if noise:
                noisy = np.rint(chunk + np.float32(noise) * rng.standard_normal(chunk.shape, np.float32))
                chunk = np.clip(noisy, 0, 255).astype(np.uint8)
            if not file.tell():
                shape = (len(collection), *chunk.shape[1:])
                header = {"descr": "|u1", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(chunk.data)
            digest.update(chunk)
            sums = sums.add(chunk)
    collection.index.drop(columns="label").to_parquet(folder / "index.parquet", index=False)
    facts = {"shape": list(shape), "sha256": digest.hexdigest(), **sums.moments()}
    (folder / "pool.json").write_text(json.dumps(facts, indent=2))


def open_pool(folder: Path) -> ImagePool:
    """Open a pool that `build` wrote; nothing is read but its index."""
    facts = json.loads((folder / "pool.json").read_text())
    images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
    if list(images.shape) != facts["shape"]:
        raise InputError(f"{folder}/images.npy holds {images.shape}, pool.json says {facts['shape']}")
    return ImagePool(images, pd.read_parquet(folder / "index.parquet"), facts["mean"], facts["std"], facts["sha256"])


def _chunks(collection: Collection, channels: int) -> Iterator[np.ndarray]:
    """Yield images, CHUNK at a time, one picture after the other decoded."""
    rows, shape = np.arange(len(collection)), None
    pictures = iter(collection.pictures(rows))
    with tqdm(total=len(rows), unit="image", desc="decode", disable=None, leave=False) as progress:
        for first in range(0, len(rows), CHUNK):
            pairs = zip(rows[first : first + CHUNK], pictures)  # noqa: B905 rows first, or a picture is lost
            chunk = [_decode(collection, row, picture, channels) for row, picture in pairs]
            progress.update(len(chunk))
            shape = shape or chunk[0].shape
            yield np.stack(_same_size(collection, first, chunk, shape))


def _decode(collection: Collection, row: int, picture: bytes | np.ndarray, channels: int) -> np.ndarray:
    try:
        return decode(picture, channels)
    except (OSError, ValueError, TypeError, SyntaxError) as error:
        where = collection.index.iloc[row]
        raise InputError(f"{where.source}: picture {where.id!r} (row {row}) cannot be decoded: {error}") from error


def _same_size(collection: Collection, first: int, chunk: list[np.ndarray], shape: tuple) -> list[np.ndarray]:
    for offset, image in enumerate(chunk):
        if image.shape != shape:
            where = collection.index.iloc[first + offset]
            raise InputError(
                f"{where.source}: picture {where.id!r} is {image.shape[2]}x{image.shape[1]}, those before it are "
                f"{shape[2]}x{shape[1]}: all must have one size"
            )
    return chunk


def _digest(images: np.ndarray) -> str:
    digest = hashlib.sha256()
    for first in range(0, len(images), CHUNK):
        digest.update(np.ascontiguousarray(images[first : first + CHUNK]))
        _give_back(images)
    return digest.hexdigest()


def _give_back(images: np.ndarray) -> None:
    """Let go of a map's pages; the operating system keeps them cached."""
    if isinstance(images, np.memmap):
        images._mmap.madvise(mmap.MADV_DONTNEED)
