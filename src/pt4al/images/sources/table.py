"""Source `table`: a CSV or Parquet file that says where each picture is, here or far away."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pt4al.errors import InputError
from pt4al.images.collection import Collection, Pictures, Reading
from pt4al.images.sources.columns import LABELS, MASKS, PATHS, SPLIT_NAMES, detail, find, unnamed
from pt4al.images.sources.labels import whole
from pt4al.images.sources.left_out import summarise
from pt4al.images.sources.parts import split_of
from pt4al.images.sources.stamps import stamp
from pt4al.images.sources.walk import content
from pt4al.text import normalised

KNOWN = {"path": PATHS, "id": ("id",), "label": LABELS, "split": SPLIT_NAMES, "mask": MASKS}
SEPARATORS = (",", ";", "\t", "|")
LONGEST = 100_000  # characters of a header
PROTOCOL = r"(?:^|::)([\w+.-]+)(?=://|::)"  # each of a chain's: simplecache::s3://bucket/x.jpg


def read(path: str, columns: Mapping[str, str] | None = None) -> Collection:
    """Read a table with a column `path`, perhaps `id`, `label`, `split` and `mask`.

    Paths (of pictures, of masks) are absolute, relative to the table's folder, or addresses that
    fsspec knows (`s3://bucket/x.jpg`). An id is the text in `id`, or in `path`. Empty text is a
    missing value. Columns of other usual names (`file_name`, `class`) are found too; a CSV file's
    values are separated by a comma, semicolon, tab or bar.

    Parameters
    ----------
    columns
        Names of columns by role, where they are not the usual ones: `{"label": "species"}`.

    Raises
    ------
    InputError
        If the table is missing or broken, has no `path`, or its addresses need a package that isn't
        there.
    """
    file = Path(path)
    table, roles, ignored = _table(file, columns or {})
    pictures = _located(file, table["path"])
    masks = _located(file, table["mask"])
    index = pd.DataFrame(
        {
            "id": table["id"],
            "source": pictures,
            "split": table["split"].map(lambda name: split_of(name) or name, na_action="ignore"),
            "label": table["label"].map(normalised, na_action="ignore"),
            "stamp": [_stamp(*pair) for pair in zip(pictures, masks, strict=True)],
        },
        dtype="str",
    )
    reading = Reading(
        detail=detail(roles),
        left_out=tuple(summarise(ignored, "column", "columns")),
        notes=tuple(unnamed(file, roles, ignored)),
    )
    classes = sorted(index["label"].dropna().unique())
    collection = Collection(index, classes, _readers(pictures), reading=reading)
    if table["mask"].isna().all():
        return collection
    return replace(collection, masks=_readers(masks), masked=table["mask"].notna().to_numpy(bool))


def recognises(path: str) -> bool:
    """Tell by its header whether `path` is a CSV or Parquet file with a column of paths."""
    file = Path(path)
    if file.suffix.lower() not in (".csv", ".tsv", ".parquet") or not file.is_file():
        return False
    try:
        names = _text_columns(file) if _is_parquet(file) else list(_csv(file, {}, 0))
        return "path" in find(file, names, KNOWN, {})
    except (InputError, pa.ArrowException, OSError):
        return False


def _table(
    file: Path, columns: Mapping[str, str]
) -> tuple[pd.DataFrame, dict[str, str], list[str]]:
    """Return the columns of `KNOWN` as text, their names in the file, and the ignored columns.

    Columns that are missing hold missing values; every row has a path and an id.
    """
    if not file.is_file():
        raise InputError(f"{file}: no such file; `pool.source.path` must be a CSV or Parquet file")
    content = _parquet(file, columns) if _is_parquet(file) else _csv(file, columns)
    roles = find(file, list(content), KNOWN, columns)
    if "path" not in roles:
        raise InputError(
            f"{file}: has columns {', '.join(content)}; "
            "needs `path`, or `pool.source.columns.path` to name it"
        )
    ignored = [name for name in content if name not in roles.values()]
    table = pd.DataFrame(
        {role: content[roles[role]] if role in roles else None for role in KNOWN}, dtype="str"
    )
    table = table.mask(lambda column: column.map(normalised, na_action="ignore") == "")
    if "id" not in roles:
        table = table.assign(id=table["path"])
    for role in ("path", "id"):
        missing = table[role].isna().to_numpy()
        if missing.any():
            raise InputError(
                f"{file}: row {missing.argmax()} (the first is 0) has no `{role}`: "
                "every picture needs one"
            )
    twice = table["id"].duplicated()
    if twice.any():
        row = int(twice.to_numpy().argmax())
        name = table["id"].iloc[row]
        raise InputError(
            f"{file}: rows {(table['id'] == name).to_numpy().argmax()} and {row} (the first is 0) "
            f"have the same `{'id' if 'id' in roles else 'path'}`, {name!r}: each picture needs its "
            "own, and one label"
        )
    return table, roles, ignored


def _is_parquet(file: Path) -> bool:
    return file.suffix.lower() == ".parquet"


def _csv(file: Path, columns: Mapping[str, str], rows: int | None = None) -> pd.DataFrame:
    try:
        # -sig: spreadsheets put a mark before the first column's name.
        with file.open(encoding="utf-8-sig") as opened:
            separator = _separator(opened.readline(LONGEST), columns)
        table = pd.read_csv(
            file,
            sep=separator,
            dtype="str",
            keep_default_na=False,
            encoding="utf-8-sig",
            nrows=rows,
        )
    except (ValueError, OSError) as error:
        why = str(error).strip()
        raise InputError(
            f"{file}: cannot be read as CSV in UTF-8 ({why}): save it as `CSV UTF-8`"
        ) from error
    # pandas takes values that are too many for names of rows.
    if len(table) and not isinstance(table.index, pd.RangeIndex):
        raise InputError(
            f"{file}: its rows have more values than the head has names: "
            "quote values that hold a comma"
        )
    return table


def _separator(head: str, columns: Mapping[str, str]) -> str:
    """Return the separator by which a table's header has the name of a column of paths."""
    usual = {*PATHS, normalised(columns.get("path", "path")).casefold()}
    for separator in SEPARATORS:
        names = [name.strip().strip('"') for name in head.split(separator)]
        if any(normalised(name).casefold() in usual for name in names):
            return separator
    return ","


def _text_columns(file: Path) -> list[str]:
    """Return the names of a Parquet file's columns, without nested ones (the hub's pictures)."""
    return [field.name for field in pq.read_schema(file) if not pa.types.is_nested(field.type)]


def _parquet(file: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    try:
        names = pq.read_schema(file).names
        roles = find(file, names, KNOWN, columns)
        if "path" not in roles:
            return pd.DataFrame(columns=names)
        table = pq.read_table(file, columns=list(roles.values()))
        if "label" in roles:
            name = roles["label"]
            place = table.column_names.index(name)
            table = table.set_column(place, name, whole(file, table[name]))
        plain = {name: table[name].cast(pa.string()).to_pandas() for name in table.column_names}
        return pd.DataFrame({name: plain.get(name) for name in names}, dtype="str")
    except InputError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{file}: cannot be read as Parquet with columns of text ({error})"
        ) from error


def _located(file: Path, paths: pd.Series) -> list[str | None]:
    """Return paths and addresses as they can be opened from anywhere; None where there is none."""
    for protocol in sorted(set(paths.dropna().str.findall(PROTOCOL).explode().dropna())):
        try:
            fsspec.get_filesystem_class(protocol)
        except (ImportError, ValueError) as error:
            raise InputError(f"{file}: addresses {protocol}:// cannot be read: {error}") from error
    folder = file.parent.absolute()
    return [None if pd.isna(path) else _existing(folder, path) for path in paths]


def _existing(folder: Path, path: str) -> str:
    """Return where a picture lies, in whichever spelling of its name the file system has it."""
    if "://" in path:
        return path
    if path.isascii() and path == path.strip() and "\\" not in path:
        return str(folder / path)
    plain = normalised(path)
    of_windows = plain.replace("\\", "/")
    spellings = (path, plain, unicodedata.normalize("NFD", plain), of_windows)
    spelling = next((one for one in spellings if _is_there(folder / one)), path)
    return str(folder / spelling)


def _is_there(place: Path) -> bool:
    try:
        return place.exists()
    except (OSError, ValueError):  # the decoder reports it
        return False


def _readers(places: list[str | None]) -> Pictures:
    def pictures(rows: np.ndarray) -> Iterator[Callable[[], bytes]]:
        for place in (places[row] for row in rows):
            yield partial(_fetch, place) if "://" in place else partial(content, Path(place))

    return pictures


def _fetch(address: str) -> bytes:
    """Read a remote file; whatever the protocol's package raises becomes an OSError."""
    try:
        system, path = fsspec.url_to_fs(address)
        return system.cat_file(path)
    except Exception as error:
        raise OSError(f"{address}: {error}") from error


def _stamp(*places: str | None) -> str:
    """Return the stamps of a picture and its mask: a new mask makes it a changed picture."""
    return "+".join(_stamp_of(place) for place in places if place)


def _stamp_of(place: str) -> str:
    try:
        return "" if "://" in place else stamp(Path(place).stat())
    except (OSError, ValueError):  # the decoder reports it
        return ""
