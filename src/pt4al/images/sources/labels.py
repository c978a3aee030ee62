"""Labels of Parquet files: numbers that metadata name, or words."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pt4al.errors import InputError
from pt4al.text import normalised

NONE = -1  # the hub's number for a label that is not given away
MOST = 10_000  # classes without names, if there are not as many pictures

# A file, its labels (or nulls), the names of their numbers.
Labelled = tuple[Path, pa.ChunkedArray, list[str] | None]


def classes_and_words(files: list[Labelled]) -> tuple[np.ndarray, list[str]]:
    """Return the labels of all files in words, None where missing, and the classes of all.

    Raises
    ------
    InputError
        If files differ in the kind of labels or in the names of classes, or labels are neither
        numbers nor words.
    """
    plain = [(file, whole(file, column), names) for file, column, names in files]
    labelled = [one for one in plain if not pa.types.is_null(one[1].type)]
    _agree(labelled)
    if any(pa.types.is_integer(column.type) for _, column, _ in labelled):
        columns, classes = _numbered(plain, labelled)
    else:
        columns = [_words(column) for _, column, _ in plain]
        classes = sorted(set().union(*(words.dropna() for words in columns)))
    return pd.concat(columns).to_numpy(), classes


def whole(file: Path, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return labels as integers or text.

    Categories are looked up; floats that are whole numbers, which pandas makes of integers with
    gaps, become integers again.

    Raises
    ------
    InputError
        If they are of another kind: dates, halves, lists.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_integer(kind):
        if kind == pa.uint64() and (pc.max(column).as_py() or 0) >= 2**63:
            raise InputError(f"{file}: has a label {pc.max(column)}: classes count from 0 on")
        return column.cast(pa.int64()) if kind == pa.uint64() else column
    if pa.types.is_boolean(kind):
        return column.cast(pa.string())
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), None, column)
        small = pc.less(pc.abs(column), 2.0**53)
        if pc.all(pc.and_(small, pc.equal(column, pc.round(column)))).as_py() in (True, None):
            return column.cast(pa.int64())
    if pa.types.is_string_view(kind):
        return column.cast(pa.large_string())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return column
    raise InputError(f"{file}: labels are {kind}: whole numbers or words are needed, one an image")


def _words(column: pa.ChunkedArray) -> pd.Series:
    """Return labels that are words; empty text is none."""
    words = column.to_pandas().astype("str")
    return words.mask(words.map(normalised, na_action="ignore") == "")


def _agree(labelled: list[Labelled]) -> None:
    for file, column, names in labelled[1:]:
        first, its_column, its_names = labelled[0]
        if pa.types.is_integer(column.type) != pa.types.is_integer(its_column.type):
            raise InputError(
                f"{file}: labels are {column.type}, in {first} they are {its_column.type}: "
                "all splits need the same kind"
            )
        if names != its_names:
            raise InputError(
                f"{file}: classes are {names}, in {first} they are {its_names}: "
                "all splits need the same, in the same order"
            )


def _numbered(files: list[Labelled], labelled: list[Labelled]) -> tuple[list[pd.Series], list[str]]:
    """Return words for numbers, and the classes: their names, or "0", "1" ... to the highest."""
    # pandas reads integers with gaps as floats
    columns = [column.to_pandas().astype("Int64") for _, column, _ in files]
    columns = [column.mask(column == NONE) for column in columns]
    highest = max((int(column.max()) for column in columns if column.count()), default=-1)
    named = next((names for _, _, names in labelled if names), None)
    if named is None and highest >= max(MOST, sum(map(len, columns))):
        file = next(
            file
            for (file, *_), column in zip(files, columns, strict=True)
            if (column == highest).any()
        )
        raise InputError(
            f"{file}: has a label {highest}: "
            "numbers without names count classes from 0 on, and so many are none"
        )
    classes = unique(named) if named else [str(number) for number in range(highest + 1)]
    words = [
        _named(file, column, classes) for (file, *_), column in zip(files, columns, strict=True)
    ]
    return words, classes


def unique(names: list[str]) -> list[str]:
    """Return names of classes, with their number behind repeated ones: `crane 134`.

    Names are one in whichever spelling; an empty one becomes its number.
    """
    names = [normalised(name) or str(number) for number, name in enumerate(names)]
    times = Counter(names)
    return [name if times[name] == 1 else f"{name} {number}" for number, name in enumerate(names)]


def _named(file: Path, numbers: pd.Series, classes: list[str]) -> pd.Series:
    strange = ~numbers.dropna().between(0, len(classes) - 1)
    if strange.any():
        row = strange.idxmax()
        raise InputError(
            f"{file}: row {row} has label {numbers[row]}, but there are {len(classes)} classes"
        )
    return numbers.map(dict(enumerate(classes))).astype("str")
