"""Keep shards while their pictures stay the same, so that only new pictures cost time."""

import hashlib
import json
import os
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pt4al.files.digests import Damaged, whole
from pt4al.files.storage import fetched
from pt4al.images.shards import Kind


def manifest(folder: Path, kind: Kind) -> dict[str, Any] | None:
    """Return a manifest's facts, finished or not; None if it is missing or damaged."""
    try:
        return whole(folder / kind.manifest, partial(_facts, kind=kind))
    except (FileNotFoundError, Damaged):
        return None


def keep(
    index: pd.DataFrame,
    kind: Kind,
    shards: list[dict],
    folder: Path,
    previous: Path | None,
    most: int,
) -> tuple[list[dict], np.ndarray]:
    """Return the shards without changed pictures, linked into `folder`, and the rows not in them.

    A shard of an interrupted build in `folder` is kept if its bytes are those that were written.

    Parameters
    ----------
    index
        The source's: one row a picture, `id` and `stamp` among others.
    most
        Rows of a full shard.
    """
    stamps = index.set_index("id")["stamp"]
    kept: list[dict] = []
    inside: list[pd.Series] = []
    for shard in shards:
        pictures = _ids_and_stamps(shard, kind, folder, previous)
        if pictures is None:
            continue
        now = stamps.reindex(pictures["id"]).to_numpy(object)
        if np.array_equal(now, pictures["stamp"].to_numpy(object)):
            kept.append(shard)
            inside.append(pictures["id"])
    left = len(index) - sum(len(ids) for ids in inside)
    if kept and left and kept[-1]["rows"] + left <= most:
        # The last shard has room for what is left, and is written again.
        kept.pop()
        inside.pop()
    for shard in kept:
        _link(shard["file"], previous, folder)
    outside = ~index["id"].isin(pd.concat(inside)) if inside else np.ones(len(index), bool)
    return kept, np.flatnonzero(outside)


def _facts(path: Path, kind: Kind) -> dict[str, Any]:
    facts = json.loads(path.read_text(encoding="utf-8"))
    lacking = kind.planned - facts.keys()
    for shard in facts["shards"]:
        lacking |= kind.shard_facts - shard.keys()
    if lacking:
        raise ValueError(f"it lacks {', '.join(sorted(lacking))}")
    return facts


def _ids_and_stamps(
    shard: dict, kind: Kind, folder: Path, previous: Path | None
) -> pd.DataFrame | None:
    """Return a shard's `id` and `stamp`; None if it is missing or damaged."""
    place = folder if (folder / shard["file"]).exists() else previous
    if place is None:
        return None
    if place == folder and _digest(folder / shard["file"], shard["rows"], kind) != shard["sha256"]:
        return None
    try:
        index = (place / shard["file"]).with_suffix(".parquet")
        return whole(index, lambda path: pd.read_parquet(path, columns=["id", "stamp"]))
    except (FileNotFoundError, Damaged):
        return None


def _digest(path: Path, rows: int, kind: Kind) -> str | None:
    with path.open("rb") as file:
        try:
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        except ValueError:
            return None
        if shape[0] != rows or dtype != np.dtype(kind.dtype):
            return None
        return hashlib.file_digest(file, "sha256").hexdigest()


def _link(name: str, previous: Path | None, folder: Path) -> None:
    for file in (name, Path(name).with_suffix(".parquet").name):
        if (folder / file).exists():
            continue
        fetched(previous / file)
        try:
            os.link(previous / file, folder / file)
        except OSError:  # another file system, or one without links
            shutil.copyfile(previous / file, folder / file)
