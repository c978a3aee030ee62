"""Shards of a pool on disk: written whole or not at all, kept while their pictures stay the same."""

import hashlib
import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pt4al.atomic import replacing
from pt4al.images.collection import Collection

SHARD = 256 * 2**20  # bytes
KEPT = ["id", "source", "split", "stamp"]  # of each image's row in the source's index


class Writer:
    """Writes shards, each whole or not at all, and after each one the manifest: an interrupted build goes on."""

    def __init__(self, folder: Path, plan: dict[str, Any], shards: list[dict[str, Any]], index: pd.DataFrame):
        self._folder, self._plan, self._shards, self._index = folder, plan, list(shards), index[KEPT]
        self._bytes = int(np.prod(plan["shape"]))
        self._open()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, rows: np.ndarray, images: np.ndarray, digests: list[str], hashes: np.ndarray) -> None:
        """Append images (N, ...) of rows of the index."""
        if not self._added:
            self._file.write(self._header(0))
        self._added.append((rows, digests, hashes))
        self._rows += len(images)
        self._file.write(images.data)
        self._digest.update(images.data)
        self._sum += images.sum((0, 2, 3), dtype=np.uint64)
        self._squares += np.square(images, dtype=np.uint16).sum((0, 2, 3), dtype=np.uint64)
        if self._rows * self._bytes >= SHARD:
            self._close()
            self._open()

    def finish(self, signed: str) -> None:
        """Write the last shard and the manifest; remove what belongs to neither."""
        self._close()
        self._save(signature=signed, **self._moments())
        named = {Path(shard["file"]).stem for shard in self._shards} | {"pool", "problems"}
        for path in self._folder.iterdir():
            if path.stem not in named:
                path.unlink()

    def _open(self) -> None:
        channels = self._plan["shape"][0]
        self._rows, self._digest, self._added = 0, hashlib.sha256(), []
        self._sum, self._squares = np.zeros(channels, np.uint64), np.zeros(channels, np.uint64)
        self._file = (self._folder / ".shard").open("wb")

    def _close(self) -> None:
        if self._rows:
            # The header was written for no rows; numpy leaves room in it for more.
            self._file.seek(0)
            self._file.write(self._header(self._rows))
        self._file.close()
        written = self._folder / ".shard"
        if not self._rows:
            written.unlink()
            return
        rows, digests, hashes = (np.concatenate(part) for part in zip(*self._added, strict=True))
        table = self._index.iloc[rows].assign(digest=pd.Series(digests, dtype="str").array, hash=hashes)
        # Two shards may hold the same images, but not the same ids.
        name = hashlib.sha256((self._digest.hexdigest() + "\n".join(table["id"])).encode()).hexdigest()[:16]
        table.to_parquet(self._folder / f"{name}.parquet", index=False)
        written.replace(self._folder / f"{name}.npy")
        facts = {"file": f"{name}.npy", "rows": self._rows, "sha256": self._digest.hexdigest()}
        self._shards.append(facts | {"sum": self._sum.tolist(), "squares": self._squares.tolist()})
        self._save()

    def _header(self, rows: int) -> bytes:
        header, shape = io.BytesIO(), (rows, *self._plan["shape"])
        np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
        return header.getvalue()

    def _save(self, **more: Any) -> None:
        with replacing(self._folder / "pool.json") as temporary:
            temporary.write_text(json.dumps({**self._plan, **more, "shards": self._shards}, indent=2) + "\n")

    def _moments(self) -> dict[str, Any]:
        channels, height, width = self._plan["shape"]
        rows = sum(shard["rows"] for shard in self._shards)
        count = max(1, rows * height * width)
        total = np.sum([shard["sum"] for shard in self._shards] or [[0] * channels], axis=0)
        squares = np.sum([shard["squares"] for shard in self._shards] or [[0] * channels], axis=0)
        mean = total / count
        std = np.sqrt(np.maximum(squares / count - mean**2, 1.0))  # images without contrast are divided by it too
        digest = hashlib.sha256("".join(shard["sha256"] for shard in self._shards).encode())
        return {"images": rows, "mean": mean.tolist(), "std": std.tolist(), "sha256": digest.hexdigest()}


def manifest(folder: Path) -> dict[str, Any] | None:
    """Return what `pool.json` says, that of an unfinished pool too; None where there is none."""
    path = folder / "pool.json"
    return json.loads(path.read_text()) if path.exists() else None


def keep(
    collection: Collection, shards: list[dict], folder: Path, previous: Path | None, shape: list[int]
) -> tuple[list[dict], np.ndarray]:
    """Return the shards whose pictures are all still the same, linked into `folder`, and the rows not in them."""
    stamps = collection.index.set_index("id")["stamp"]
    kept: list[dict] = []
    inside: list[pd.Series] = []
    for shard in shards:
        place = folder if (folder / shard["file"]).exists() else previous
        found = pd.read_parquet((place / shard["file"]).with_suffix(".parquet"), columns=["id", "stamp"])
        if np.array_equal(stamps.reindex(found["id"]).to_numpy(object), found["stamp"].to_numpy(object)):
            kept.append(shard)
            inside.append(found["id"])
    left = len(collection) - sum(len(ids) for ids in inside)
    if kept and left and (kept[-1]["rows"] + left) * int(np.prod(shape)) <= SHARD:
        kept.pop()  # a last shard that has room for what is left is written again
        inside.pop()
    for shard in kept:
        _link(shard["file"], previous, folder)
    outside = ~collection.index["id"].isin(pd.concat(inside)) if inside else np.ones(len(collection), bool)
    return kept, np.flatnonzero(outside)


def _link(name: str, previous: Path | None, folder: Path) -> None:
    for file in (name, Path(name).with_suffix(".parquet").name):
        if (folder / file).exists():
            continue
        try:
            os.link(previous / file, folder / file)
        except OSError:  # another file system, or one without links
            shutil.copyfile(previous / file, folder / file)
