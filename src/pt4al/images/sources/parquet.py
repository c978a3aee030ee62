"""Source `parquet`: a folder with `train.parquet` and perhaps others, in the layout of the Hugging Face hub."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.sources.stamps import stamp

NAMES = {"train": ("train",), "val": ("val", "validation"), "test": ("test",)}
TOGETHER = 64  # pictures in memory at once


@dataclass(frozen=True)
class _Part:
    """What one file says without its pictures: the hub's names for the labels, if it has them."""

    file: Path
    split: str
    table: pa.Table
    names: list[str] | None


def recognises(path: str) -> bool:
    """Say whether `path` holds train.parquet, or the hub's train-00000-of-00004.parquet."""
    return bool(_files(Path(path), "train"))


def read(path: str) -> Collection:
    """Read `<path>/<split>.parquet` or its shards: column `image` (struct of `bytes`, `path`), perhaps `label`, `mask`.

    A picture's id is its `path`, or its row number where paths are missing or repeated in its split; a
    split that repeats another's ids has its name before them. Classes get their names from the hub's
    metadata in the file, or their numbers, or are the words of the labels in alphabetical order. `mask`
    is a struct like `image`; null where there is none.
    """
    folder = Path(path)
    if not recognises(path):
        raise InputError(
            f"{folder / 'train.parquet'}: no such file; `pool.source.path` must hold train.parquet, "
            "and perhaps val.parquet and test.parquet"
        )
    parts = [_part(file, split) for split in NAMES for file in _files(folder, split)]
    labels, classes = _labels(parts)
    stamps = pd.concat([pd.Series([stamp(part.file.stat())] * len(part.table), dtype="str") for part in parts])
    index = pd.DataFrame(
        {
            "id": _ids(parts),
            "source": np.repeat([str(part.file) for part in parts], [len(part.table) for part in parts]),
            "split": np.repeat([part.split for part in parts], [len(part.table) for part in parts]),
            "label": labels,
            "stamp": stamps.to_numpy(),
        },
        dtype="str",
    )
    files = [part.file for part in parts]
    masked = np.concatenate([_masked(part.table) for part in parts])
    if not masked.any():
        return Collection(index, classes, lambda rows: _pictures(files, "image", rows))
    return Collection(
        index,
        classes,
        lambda rows: _pictures(files, "image", rows),
        lambda rows: _pictures(files, "mask", rows),
        masked,
    )


def _files(folder: Path, split: str) -> list[Path]:
    for name in NAMES[split]:
        found = [folder / f"{name}.parquet"] if (folder / f"{name}.parquet").exists() else []
        found = found or sorted(folder.glob(f"{name}-[0-9]*-of-[0-9]*.parquet"))
        if found:
            return found
    return []


def _open(file: Path) -> pq.ParquetFile:
    try:
        # A buffer, so that not all of a column's chunk is read at once.
        return pq.ParquetFile(file, buffer_size=2**20, pre_buffer=False)
    except pa.ArrowInvalid as error:
        raise InputError(f"{file}: not a Parquet file ({error})") from error


def _part(file: Path, split: str) -> _Part:
    with _open(file) as opened:
        schema = opened.schema_arrow
        for name in ("image", *(["mask"] if "mask" in schema.names else [])):
            column = schema.field(name).type if name in schema.names else None
            if column is None or not pa.types.is_struct(column) or not {"bytes", "path"} <= {f.name for f in column}:
                raise InputError(
                    f"{file}: has columns {', '.join(schema.names)}; needs `{name}`, a struct of `bytes` and `path`"
                )
        columns = {"image.path": "image", "mask.path": "mask", "label": "label"}
        wanted = [column for column, name in columns.items() if name in schema.names]
        return _Part(file, split, opened.read(columns=wanted), _class_names(schema))


def _class_names(schema: pa.Schema) -> list[str] | None:
    hub = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    return hub.get("info", {}).get("features", {}).get("label", {}).get("names")


def _ids(parts: list[_Part]) -> np.ndarray:
    ids = []
    for split in dict.fromkeys(part.split for part in parts):
        columns = [pa.compute.struct_field(part.table["image"], "path") for part in parts if part.split == split]
        paths = pd.concat([column.to_pandas() for column in columns], ignore_index=True).astype("str")
        own = paths if paths.notna().all() and paths.is_unique else [f"{split}/{row:06d}" for row in range(len(paths))]
        own = pd.Series(own, dtype="str")
        ids.append(f"{split}/" + own if any(own.isin(others).any() for others in ids) else own)
    return pd.concat(ids).to_numpy()


def _labels(parts: list[_Part]) -> tuple[np.ndarray, list[str]]:
    """Return the labels of all files in words, and the classes that they agree on."""
    labelled = [part for part in parts if "label" in part.table.column_names]
    _agree(labelled)
    if any(pa.types.is_integer(part.table["label"].type) for part in labelled):
        # pandas reads integers with gaps as floats
        numbers = [part.table["label"].to_pandas().astype("Int64") for part in labelled]
        highest = max((int(column.max()) for column in numbers if column.count()), default=-1)
        named = next((part.names for part in labelled if part.names), None)
        classes = named or [str(number) for number in range(highest + 1)]
        words = {str(part.file): _named(part, column, classes) for part, column in zip(labelled, numbers, strict=True)}
    else:
        words = {str(part.file): part.table["label"].to_pandas().astype("str") for part in labelled}
        classes = sorted(set().union(*(column.dropna() for column in words.values())))
    columns = [words.get(str(part.file), pd.Series([None] * len(part.table), dtype="str")) for part in parts]
    return pd.concat(columns).to_numpy(), classes


def _agree(labelled: list[_Part]) -> None:
    for part in labelled[1:]:
        first = labelled[0]
        kinds = [pa.types.is_integer(one.table["label"].type) for one in (first, part)]
        if kinds[0] != kinds[1]:
            raise InputError(
                f"{part.file}: labels are {part.table['label'].type}, in {first.file} they are "
                f"{first.table['label'].type}: all splits need the same kind"
            )
        if part.names != first.names:
            raise InputError(
                f"{part.file}: classes are {part.names}, in {first.file} they are {first.names}: "
                "all splits need the same, in the same order"
            )


def _named(part: _Part, numbers: pd.Series, classes: list[str]) -> pd.Series:
    strange = ~numbers.dropna().between(0, len(classes) - 1)
    if strange.any():
        row = strange.idxmax()
        raise InputError(f"{part.file}: row {row} has label {numbers[row]}, but there are {len(classes)} classes")
    return numbers.map(dict(enumerate(classes))).astype("str")


def _masked(table: pa.Table) -> np.ndarray:
    if "mask" not in table.column_names:
        return np.zeros(len(table), bool)
    return table["mask"].is_valid().to_numpy()


def _pictures(files: list[Path], column: str, wanted: np.ndarray) -> Iterator[bytes]:
    """Yield the pictures of ascending row numbers over all files, some in memory at a time."""
    first = 0
    for file in files:
        with _open(file) as opened:
            for group in range(opened.num_row_groups):
                last = first + opened.metadata.row_group(group).num_rows
                rows = wanted[(wanted >= first) & (wanted < last)] - first
                if len(rows):
                    yield from _of_group(opened, group, column, rows)
                first = last


def _of_group(opened: pq.ParquetFile, group: int, column: str, rows: np.ndarray) -> Iterator[bytes]:
    first = 0
    for batch in opened.iter_batches(TOGETHER, row_groups=[group], columns=[f"{column}.bytes"]):
        inside = rows[(rows >= first) & (rows < first + len(batch))] - first
        for picture in batch[column].field("bytes").take(pa.array(inside)):
            yield picture.as_py()
        first += len(batch)
