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
from pt4al.digests import Damaged, note, whole
from pt4al.images.collection import Collection

SHARD = 256 * 2**20  # bytes
PLANNED = {"frame", "shape", "noise", "shards"}  # of a manifest, from the first shard on
SHARD_FACTS = {"file", "rows", "sha256", "sum", "squares"}
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
        index = self._folder / f"{name}.parquet"
        table.to_parquet(index, index=False)
        note(index, index)
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
            text = json.dumps({**self._plan, **more, "shards": self._shards}, indent=2) + "\n"
            temporary.write_text(text, encoding="utf-8")
            note(self._folder / "pool.json", temporary)  # removed at the end, with all that is for going on

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
    """Return what `pool.json` says, that of an unfinished pool too; None where there is none, or it is damaged."""
    try:
        return whole(folder / "pool.json", _facts)
    except (FileNotFoundError, Damaged):
        return None


def keep(
    collection: Collection, shards: list[dict], folder: Path, previous: Path | None, shape: list[int]
) -> tuple[list[dict], np.ndarray]:
    """Return the shards whose pictures are all still the same, linked into `folder`, and the rows not in them.

    A shard that an interrupted build has left in `folder` is kept if its bytes are those that were written.
    """
    stamps = collection.index.set_index("id")["stamp"]
    kept: list[dict] = []
    inside: list[pd.Series] = []
    for shard in shards:
        found = _ids_and_stamps(shard, folder, previous)
        if found is None:
            continue
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


def _facts(path: Path) -> dict[str, Any]:
    facts = json.loads(path.read_text(encoding="utf-8"))
    if PLANNED - facts.keys() or any(SHARD_FACTS - shard.keys() for shard in facts["shards"]):
        raise ValueError("it lacks facts of the pool")
    return facts


def _ids_and_stamps(shard: dict, folder: Path, previous: Path | None) -> pd.DataFrame | None:
    """A shard's `id` and `stamp`; None where it is not there, or is damaged: its pictures are decoded again."""
    place = folder if (folder / shard["file"]).exists() else previous
    if place is None:
        return None
    if place == folder and _pixels_digest(folder / shard["file"], shard["rows"]) != shard["sha256"]:
        return None
    try:
        index = (place / shard["file"]).with_suffix(".parquet")
        return whole(index, lambda path: pd.read_parquet(path, columns=["id", "stamp"]))
    except (FileNotFoundError, Damaged):
        return None


def _pixels_digest(path: Path, rows: int) -> str | None:
    with path.open("rb") as file:
        try:
            np.lib.format.read_magic(file)
            shape, _, kind = np.lib.format.read_array_header_1_0(file)
        except ValueError:
            return None
        if shape[0] != rows or kind != np.uint8:
            return None
        return hashlib.file_digest(file, "sha256").hexdigest()


def _link(name: str, previous: Path | None, folder: Path) -> None:
    for file in (name, Path(name).with_suffix(".parquet").name):
        if (folder / file).exists():
            continue
        try:
            os.link(previous / file, folder / file)
        except OSError:  # another file system, or one without links
            shutil.copyfile(previous / file, folder / file)
