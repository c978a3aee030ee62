"""Source `table`: a CSV or Parquet file that says where each picture is, here or far away."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pt4al.errors import InputError
from pt4al.images.collection import Collection, Pictures
from pt4al.images.sources.folders import SPLITS
from pt4al.images.sources.stamps import stamp

COLUMNS = ("path", "id", "label", "split", "mask")
PROTOCOL = r"(?:^|::)([\w+.-]+)(?=://|::)"  # each of a chain's: simplecache::s3://bucket/x.jpg


def read(path: str) -> Collection:
    """Read a table with a column `path`, perhaps `id`, `label`, `split` and `mask`; others are left out.

    Paths (of pictures, of masks) are absolute, relative to the table's folder, or addresses that fsspec knows
    (`s3://bucket/x.jpg`). An id is the text in `id`, or in `path`. Empty text is a missing value.

    Raises
    ------
    InputError
        If the table is missing or broken, has no `path`, or its addresses need a package that isn't there.
    """
    file = Path(path)
    table = _table(file)
    pictures, masks = _located(file, table["path"]), _located(file, table["mask"])
    index = pd.DataFrame(
        {
            "id": table["id"],
            "source": pictures,
            "split": table["split"].map(lambda name: SPLITS.get(name.casefold(), name), na_action="ignore"),
            "label": table["label"],
            "stamp": [_stamp(*pair) for pair in zip(pictures, masks, strict=True)],
        },
        dtype="str",
    )
    collection = Collection(index, sorted(table["label"].dropna().unique()), _readers(pictures))
    if table["mask"].isna().all():
        return collection
    return Collection(
        index, collection.classes, collection.pictures, _readers(masks), table["mask"].notna().to_numpy(bool)
    )


def recognises(path: str) -> bool:
    """Tell whether `path` is a CSV or Parquet file with a column `path`; only its head is read."""
    file = Path(path)
    if file.suffix.lower() not in (".csv", ".parquet") or not file.is_file():
        return False
    try:
        return "path" in (pq.read_schema(file).names if _is_parquet(file) else _csv(file, rows=0))
    except (InputError, pa.ArrowException, OSError):
        return False


def _table(file: Path) -> pd.DataFrame:
    """Read `COLUMNS` as text, missing ones as missing values; every row has a path and an id."""
    if not file.is_file():
        raise InputError(f"{file}: no such file; `pool.source.path` must be a CSV or Parquet file")
    table = _parquet(file) if _is_parquet(file) else _csv(file)
    if "path" not in table:
        raise InputError(f"{file}: has columns {', '.join(table)}; needs `path`")
    table = table.reindex(columns=COLUMNS if "id" in table else [name for name in COLUMNS if name != "id"])
    table = table.astype("str").mask(lambda text: text == "")
    for name in {"path", "id"} & set(table):
        if table[name].isna().any():
            row = int(table[name].isna().to_numpy().argmax())
            raise InputError(f"{file}: row {row} (the first is 0) has no `{name}`: every picture needs one")
    return table if "id" in table else table.assign(id=table["path"])


def _is_parquet(file: Path) -> bool:
    return file.suffix.lower() == ".parquet"


def _csv(file: Path, rows: int | None = None) -> pd.DataFrame:
    try:
        # -sig: spreadsheets put a mark before the first column's name.
        table = pd.read_csv(file, dtype="str", keep_default_na=False, encoding="utf-8-sig", nrows=rows)
    except (ValueError, OSError) as error:
        raise InputError(f"{file}: cannot be read as CSV in UTF-8 ({str(error).strip()})") from error
    if not isinstance(table.index, pd.RangeIndex) and len(table):  # pandas takes what is too much for row names
        raise InputError(f"{file}: its rows have more values than the head has names: quote values that hold a comma")
    return table


def _parquet(file: Path) -> pd.DataFrame:
    try:
        names = pq.read_schema(file).names
        if "path" not in names:
            return pd.DataFrame(columns=names)
        table = pq.read_table(file, columns=[name for name in COLUMNS if name in names])
        return pd.DataFrame({name: table[name].cast(pa.string()).to_pandas() for name in table.column_names})
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file}: cannot be read as Parquet with columns of text ({error})") from error


def _located(file: Path, paths: pd.Series) -> list[str | None]:
    """Return paths and addresses as they can be opened from anywhere; None where there is none."""
    for protocol in sorted(set(paths.dropna().str.findall(PROTOCOL).explode().dropna())):
        try:
            fsspec.get_filesystem_class(protocol)
        except (ImportError, ValueError) as error:
            raise InputError(f"{file}: addresses {protocol}:// cannot be read: {error}") from error
    folder = file.parent.absolute()
    return [None if pd.isna(path) else path if "://" in path else str(folder / path) for path in paths]


def _readers(places: list[str | None]) -> Pictures:
    def pictures(rows: np.ndarray) -> Iterator[Callable[[], bytes]]:
        for place in (places[row] for row in rows):
            yield partial(_fetch, place) if "://" in place else Path(place).read_bytes

    return pictures


def _fetch(address: str) -> bytes:
    """Read a remote file; whatever its protocol's package raises becomes an OSError."""
    try:
        system, path = fsspec.url_to_fs(address)
        return system.cat_file(path)
    except Exception as error:
        raise OSError(f"{address}: {error}") from error


def _stamp(*places: str | None) -> str:
    """Return the stamps of a picture and its mask: a mask painted anew makes the picture another."""
    return "+".join(_stamp_of(place) for place in places if place)


def _stamp_of(place: str) -> str:
    try:
        return "" if "://" in place else stamp(Path(place).stat())
    except (OSError, ValueError):  # the decoder reports it
        return ""
