"""Source `parquet`: a folder with `train.parquet` and `test.parquet`, in the layout of the Hugging Face hub."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pt4al.errors import InputError
from pt4al.images.collection import Collection


def read(path: Path, split: str) -> Collection:
    """Read `<path>/<split>.parquet`: column `image` (struct of `bytes`, `path`), perhaps `label`.

    A picture's id is its `path`, or its row number where paths are missing or repeated. Classes
    get their names from the hub's metadata in the file, or their numbers.
    """
    file = Path(path) / f"{split}.parquet"
    table = _open(file).read(columns=_columns(file))
    rows = pd.Series([f"{split}/{row:06d}" for row in range(len(table))])
    paths = pd.Series(pa.compute.struct_field(table["image"], "path").to_pandas(), dtype="str")
    labels, classes = _labels(file, table)
    index = pd.DataFrame(
        {
            "id": paths if paths.notna().all() and paths.is_unique else rows,
            "source": str(file),
            "split": split,
            "label": labels,
        }
    )
    return Collection(index, classes, lambda wanted: _pictures(file, wanted))


def _open(file: Path) -> pq.ParquetFile:
    if not file.exists():
        raise InputError(f"{file}: no such file; `pool.source.path` must hold train.parquet and test.parquet")
    try:
        return pq.ParquetFile(file)
    except pa.ArrowInvalid as error:
        raise InputError(f"{file}: not a Parquet file ({error})") from error


def _columns(file: Path) -> list[str]:
    """The columns to read at once: everything but the pictures themselves."""
    schema = _open(file).schema_arrow
    image = schema.field("image").type if "image" in schema.names else None
    if image is None or not pa.types.is_struct(image) or not {"bytes", "path"} <= {field.name for field in image}:
        raise InputError(
            f"{file}: has columns {', '.join(schema.names)}; needs `image`, a struct of `bytes` and `path`"
        )
    return ["image.path", *(["label"] if "label" in schema.names else [])]


def _labels(file: Path, table: pa.Table) -> tuple[pd.Series, list[str]]:
    if "label" not in table.column_names:
        return pd.Series([None] * len(table), dtype="str"), []
    labels, names = table["label"].to_pandas(), _class_names(table.schema)
    if not pa.types.is_integer(table["label"].type):
        return labels.astype("str"), sorted(labels.dropna().astype("str").unique())
    numbers = labels.astype("Int64")  # pandas reads integers with gaps as floats
    names = names or [str(number) for number in range(numbers.dropna().max() + 1 if numbers.count() else 0)]
    strange = ~numbers.dropna().between(0, len(names) - 1)
    if strange.any():
        row = strange.idxmax()
        raise InputError(f"{file}: row {row} has label {numbers[row]}, but there are {len(names)} classes")
    return numbers.map(dict(enumerate(names))).astype("str"), names


def _class_names(schema: pa.Schema) -> list[str] | None:
    hub = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    return hub.get("info", {}).get("features", {}).get("label", {}).get("names")


def _pictures(file: Path, wanted: np.ndarray) -> Iterator[bytes]:
    """Yield the pictures of ascending row numbers, one row group in memory at a time."""
    with _open(file) as opened:
        first = 0
        for group in range(opened.num_row_groups):
            last = first + opened.metadata.row_group(group).num_rows
            rows = wanted[(wanted >= first) & (wanted < last)] - first
            if len(rows):
                column = opened.read_row_group(group, columns=["image"])["image"].combine_chunks()
                for picture in column.field("bytes").take(rows):
                    yield picture.as_py()
            first = last
