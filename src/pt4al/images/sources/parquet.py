"""Source `parquet`: image data sets of the Hugging Face hub, as repositories there hold them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pt4al.errors import InputError
from pt4al.images.collection import Collection, Reading
from pt4al.images.sources.columns import LABELS, MASKS, detail, find, unnamed
from pt4al.images.sources.hub_files import files, opened_file
from pt4al.images.sources.labels import classes_and_words
from pt4al.images.sources.left_out import summarise
from pt4al.images.sources.parts import split_of
from pt4al.images.sources.stamps import stamp
from pt4al.images.sources.walk import content

KNOWN = {"image": ("image", "img", "picture", "photo"), "label": LABELS, "mask": MASKS}
TOGETHER = 64  # pictures in memory at once


@dataclass(frozen=True)
class _Part:
    """What one file holds beside its pictures; `names` are the hub's for the labels, if any."""

    file: Path
    split: str
    roles: dict[str, str]
    table: pa.Table
    names: list[str] | None
    ignored: list[str]


def recognises(path: str) -> bool:
    """Tell whether `path` is such a file, or holds files of the training split."""
    place = Path(path)
    if place.is_file() and place.suffix.lower() == ".parquet":
        return "image" in _roles(place, _schema(place), {})
    return "train" in {split for _, split in files(place)}


def read(path: str, columns: Mapping[str, str] | None = None) -> Collection:
    """Read one file, or each split's files in `path`, `<path>/data` or `<path>/<split>`.

    Columns: pictures (by the hub's metadata, or the name `image`, `img`; a struct of `bytes` and
    `path`, or bytes), perhaps labels (`label`, `labels`, `fine_label`; of the hub's classes `label`
    first), perhaps `mask` (as `image`; null where there is none). A picture's id is its `path`, or
    its row number where paths are missing or repeated in its split; a split that repeats another's
    ids has its name before them. Classes are named by the hub's metadata in the file, or by their
    numbers, or are the words of the labels in alphabetical order; -1 is no label. Pictures that are
    not in the file are read from their `path` beside it.

    Parameters
    ----------
    columns
        Names of columns by role, where they are not the usual ones: `{"label": "coarse_label"}`.
    """
    place = Path(path)
    if place.is_file():
        split_files = [(place, split_of(place.stem.split("-")[0]) or "train")]
    else:
        split_files = files(place)
        if "train" not in {split for _, split in split_files}:
            raise InputError(
                f"{place / 'train.parquet'}: no such file; `pool.source.path` must hold "
                "train.parquet, and perhaps val.parquet and test.parquet"
            )
    parts = [_part(file, split, columns or {}) for file, split in split_files]
    labels, classes = classes_and_words([(part.file, _labels(part), part.names) for part in parts])
    lengths = [len(part.table) for part in parts]
    index = pd.DataFrame(
        {
            "id": _ids(parts),
            "source": np.repeat([str(part.file) for part in parts], lengths),
            "split": np.repeat([part.split for part in parts], lengths),
            "label": labels,
            "stamp": np.repeat([stamp(part.file.stat()) for part in parts], lengths),
        },
        dtype="str",
    )
    ignored = list(dict.fromkeys(name for part in parts for name in part.ignored))
    reading = Reading(
        detail=detail(parts[0].roles),
        left_out=tuple(summarise(ignored, "column", "columns")),
        notes=tuple(unnamed(place, parts[0].roles, ignored)),
    )
    collection = Collection(index, classes, partial(_pictures, parts, "image"), reading=reading)
    masked = np.concatenate([_masked(part) for part in parts])
    if not masked.any():
        return collection
    return replace(collection, masks=partial(_pictures, parts, "mask"), masked=masked)


def _schema(file: Path) -> pa.Schema:
    with opened_file(file) as opened:
        return opened.schema_arrow


def _features(schema: pa.Schema) -> dict[str, dict]:
    """Return what the hub's metadata in a file say of its columns; empty if there are none."""
    try:
        facts = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = facts["info"]["features"]
        return {name: facts for name, facts in features.items() if isinstance(facts, dict)}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _roles(file: Path, schema: pa.Schema, columns: Mapping[str, str]) -> dict[str, str]:
    """Return columns by role: by the setting, else the hub's metadata, else usual names."""
    features = _features(schema)
    kinds = {name: facts.get("_type") for name, facts in features.items() if name in schema.names}
    roles = find(file, schema.names, KNOWN, columns)
    for role, kind in (("image", "Image"), ("label", "ClassLabel")):
        stated = [
            name for name in schema.names if kinds.get(name) == kind and name != roles.get("mask")
        ]
        if stated and role not in columns and roles.get(role) not in stated:
            roles[role] = stated[0]
    for role in ("image", "mask"):
        if role in roles and not _holds_pictures(schema.field(roles[role]).type):
            del roles[role]
    return roles


def _holds_pictures(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        fields = {field.name: field.type for field in kind}
        return {"bytes", "path"} <= fields.keys() and _is_bytes(fields["bytes"])
    return _is_bytes(kind)


def _is_bytes(kind: pa.DataType) -> bool:
    # A column of nulls alone: all pictures lie beside the file.
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_null(kind)


def _part(file: Path, split: str, columns: Mapping[str, str]) -> _Part:
    with opened_file(file) as opened:
        schema = opened.schema_arrow
        number = opened.metadata.num_rows
        if number > file.stat().st_size:  # no picture has less than a byte
            raise InputError(f"{file}: is damaged: states {number:,} rows, more than it has bytes")
        roles = _roles(file, schema, columns)
        if "image" not in roles or (columns.get("mask") and "mask" not in roles):
            missing = "image" if "image" not in roles else "mask"
            raise InputError(
                f"{file}: has columns {', '.join(schema.names)}; "
                f"needs `{missing}`, a struct of `bytes` and `path` "
                f"(`pool.source.columns.{missing}` names another)"
            )
        light = [_light(schema, roles[role]) for role in ("image", "mask") if role in roles]
        if "label" in roles:
            light.append(roles["label"])
        ignored = [name for name in schema.names if name not in roles.values()]
        names = _names(_features(schema).get(roles.get("label", "")))
        return _Part(file, split, roles, _read(opened, light), names, ignored)


def _light(schema: pa.Schema, column: str) -> str:
    """Return the column that tells whether a picture is there, empty if there is none."""
    return f"{column}.path" if pa.types.is_struct(schema.field(column).type) else ""


def _read(opened: pq.ParquetFile, columns: list[str]) -> pa.Table:
    table = opened.read(columns=[name for name in columns if name])
    if table.num_rows == 0 and opened.metadata.num_rows:  # no column but pictures
        return pa.table({"": pa.nulls(opened.metadata.num_rows)})
    return table


def _names(feature: Any) -> list[str] | None:
    names = feature.get("names") if isinstance(feature, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return names or None


def _column(part: _Part, role: str) -> pa.ChunkedArray | None:
    name = part.roles.get(role)
    return part.table[name] if name in part.table.column_names else None


def _labels(part: _Part) -> pa.ChunkedArray:
    column = _column(part, "label")
    return pa.chunked_array([pa.nulls(len(part.table))]) if column is None else column


def _ids(parts: list[_Part]) -> np.ndarray:
    ids = []
    for split in dict.fromkeys(part.split for part in parts):
        paths = [_paths(part) for part in parts if part.split == split]
        own = pd.concat(paths, ignore_index=True).astype("str")
        if own.isna().any() or not own.is_unique:
            own = pd.Series([f"{split}/{row:06d}" for row in range(len(own))], dtype="str")
        if any(own.isin(others).any() for others in ids):
            own = f"{split}/" + own
        ids.append(own)
    return pd.concat(ids).to_numpy()


def _paths(part: _Part) -> pd.Series:
    column = _column(part, "image")
    if column is None or not pa.types.is_struct(column.type):
        return pd.Series([None] * len(part.table), dtype="str")
    return pc.struct_field(column, "path").to_pandas()


def _masked(part: _Part) -> np.ndarray:
    column = _column(part, "mask")
    return np.zeros(len(part.table), bool) if column is None else column.is_valid().to_numpy()


def _pictures(parts: list[_Part], role: str, rows: np.ndarray) -> Iterator[Any]:
    """Yield the pictures of ascending row numbers over all files, a few in memory at a time."""
    first = 0
    for part in parts:
        with opened_file(part.file) as opened:
            for group in range(opened.num_row_groups):
                last = first + opened.metadata.row_group(group).num_rows
                inside = rows[(rows >= first) & (rows < last)] - first
                if len(inside):
                    yield from _of_group(opened, group, part, role, inside)
                first = last


def _of_group(
    opened: pq.ParquetFile, group: int, part: _Part, role: str, rows: np.ndarray
) -> Iterator[Any]:
    first = 0
    column = part.roles[role]
    for batch in opened.iter_batches(TOGETHER, row_groups=[group], columns=[column]):
        inside = rows[(rows >= first) & (rows < first + len(batch))] - first
        for picture in batch[column].take(pa.array(inside)):
            yield _bytes(picture.as_py(), part.file)
        first += len(batch)


def _bytes(picture: Any, file: Path) -> Any:
    """Return a picture's bytes, or a function that reads the file at its path."""
    if not isinstance(picture, dict):
        return picture or b""
    if picture["bytes"] or not picture["path"]:
        return picture["bytes"] or b""
    return partial(content, file.parent / picture["path"])
