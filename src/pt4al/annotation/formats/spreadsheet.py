"""Queries as spreadsheets, and spreadsheets as answers; problems are reported by row."""

import csv
import io
import re
from itertools import count
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pt4al.annotation.class_names import SKIP, Names
from pt4al.annotation.log import Answer, effective
from pt4al.errors import InputError, did_you_mean
from pt4al.files.whole import replacing
from pt4al.text import normalised

LONGEST = 300  # characters of a cell that are looked at
SHORTENED = r"\d([.,]\d+)?[eE]\+?\d+"  # a number as spreadsheets show long ones
FIRST = 2  # number of the first answer's row in a spreadsheet
NOT_TEXT = {  # signatures of files that are no text
    b"PK\x03\x04": "a spreadsheet program's own file (.xlsx, .ods): export it as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel file: export it as CSV",
    b"%PDF": "a PDF file: export it as CSV",
    b"PAR1": "a Parquet file: give it a name that ends in .parquet",
    b"\x1f\x8b": "a compressed file: unpack it",
}
WIDE = {  # byte order marks of other encodings than UTF-8; longer ones first
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
SUFFIXES = (".csv", ".parquet")  # of files that are written


def write_query(path: Path, images: pd.DataFrame, suggestions: pd.DataFrame | None = None) -> int:
    """Write the images to be labelled, as CSV or, by the name's end, Parquet; return how many.

    Columns: `id`, `label` (empty), and with suggestions `suggestion`, `probability`.

    Raises
    ------
    InputError
        If the file exists and holds labels, or its name ends otherwise.
    """
    _check_name(path)
    if path.exists() and _filled(path):
        raise InputError(
            f"{path} has labels in it: "
            "take them in first (kedro answers read), or name another file"
        )
    table = images[["id"]].assign(label="")
    if suggestions is not None:
        guesses = suggestions.rename(columns={"label": "suggestion"})
        guesses = guesses[["id", "suggestion", "probability"]].round(3)
        table = table.merge(guesses, on="id", how="left")
    # Without a byte order mark, Excel takes UTF-8 for the machine's own code page and garbles each
    # umlaut. Reading takes both.
    _write(path, table, "utf-8-sig")
    return len(table)


def write_labels(path: Path, labels: pd.DataFrame) -> None:
    """Write `id`, `label` and the other columns as CSV or, by the name's end, Parquet.

    `read_answers` takes such a file, and looks at its first two columns alone.

    Raises
    ------
    InputError
        If the file exists, or its name ends otherwise.
    """
    _check_name(path)
    if path.exists():
        raise InputError(f"{path} is there already: name another file")
    # Other programs don't expect a byte order mark.
    rest = [name for name in labels.columns if name not in ("id", "label")]
    _write(path, labels[["id", "label", *rest]], "utf-8")


def read_answers(
    path: Path, ids: pd.Series, classes: list[str], annotator: str = "file"
) -> tuple[list[Answer], pd.DataFrame]:
    """Read answers from a CSV or Parquet file with columns `id` and `label`.

    An empty label is no answer yet; `(skip)` is a skip. A file may be read again: see `changed`.

    Parameters
    ----------
    ids
        Images that may be answered.

    Returns
    -------
    answers
        Those of good rows.
    problems
        `row` (as a spreadsheet counts, the header being 1), `id`, `problem`.

    Raises
    ------
    InputError
        If the file can't be read.
    """
    table, unread = _read(path)
    rows = _Rows(set(ids), classes)
    labelled = {}
    for number, problem in unread:
        rows.problem(number, "", problem)
    for number, image, label in zip(table["row"], table["id"], table["label"], strict=True):
        answer = rows.check(number, image, label)
        if answer is not None:
            labelled.setdefault(answer[0], []).append((number, answer[1]))
    answers = []
    for image, said in labelled.items():
        labels = {label for _, label in said}
        first = said[0][0]
        if len(labels) > 1:
            numbers = ", ".join(str(number) for number, _ in said)
            rows.problem(first, image, f"has different labels in rows {numbers}: none is taken")
            continue
        for number, _ in said[1:]:
            rows.problem(
                number, image, f"stands in row {first} too, with the same label: counted once"
            )
        answers.append(Answer(id=image, label=labels.pop(), annotator=annotator, source="file"))
    problems = pd.DataFrame(rows.problems, columns=["row", "id", "problem"])
    return answers, problems.sort_values("row", kind="stable").reset_index(drop=True)


def changed(answers: list[Answer], history: pd.DataFrame) -> list[Answer]:
    """Return the answers that differ from their annotator's newest on the image in the history."""
    newest = effective(history).drop_duplicates(["id", "annotator"], keep="last")
    labels = newest.set_index(["id", "annotator"])["label"]
    before = {who: None if pd.isna(label) else label for who, label in labels.items()}
    return [one for one in answers if before.get((one.id, one.annotator), "") != one.label]


class _Rows:
    """Checks rows one by one, and collects their problems."""

    def __init__(self, ids: set[str], classes: list[str]):
        self._ids = ids
        self._classes = classes
        self._images = Names(ids)
        self._names = Names(classes)
        self._names_and_skip = Names([SKIP, *classes])
        self._bare: dict[str, list[str]] = {}
        for image in sorted(ids):
            self._bare.setdefault(_bare(image), []).append(image)
        self._hints: dict[str, str] = {}  # by label
        self.problems: list[tuple[int, str, str]] = []

    def problem(self, number: int, image: str, problem: str) -> None:
        """Add a problem of a row."""
        self.problems.append((number, _printable(image[:LONGEST]), _printable(problem)))

    def check(self, number: int, image: str, label: str) -> tuple[str, str | None] | None:
        """Return id and label (None: a skip) of a row; None if it has no answer, or a problem."""
        image = self._images.find(image) or normalised(image)
        label = self._names.find(label) or normalised(label)
        garbled = next((text for text in (image, label) if text != _printable(text)), None)
        if garbled is not None:
            self.problem(
                number,
                image,
                f"holds {_printable(garbled[:LONGEST])!r}, not UTF-8: save it as CSV UTF-8",
            )
            return None
        if not label:
            if not image:
                return None
            return self._unknown(number, image) if image not in self._ids else None
        if not image:
            self.problem(number, image, f"has label {label[:LONGEST]!r} and no id")
            return None
        if image not in self._ids:
            return self._unknown(number, image)
        if label == SKIP:
            if SKIP not in self._classes:
                return image, None
            self.problem(
                number,
                image,
                f"{SKIP!r} is a class here, and what skips an image: answer it on the page",
            )
            return None
        if label not in self._classes:
            self.problem(
                number, image, f"label {label[:LONGEST]!r} is no class: {self._hint(label)}"
            )
            return None
        return image, label

    def _unknown(self, number: int, image: str) -> None:
        problem = f"id {image[:LONGEST]!r} is not in this query"
        near = self._bare.get(_bare(image), [])
        if near:
            verb = "is" if len(near) == 1 else "are"
            problem += f", {' and '.join(map(repr, near[:3]))} {verb}: the spreadsheet changed it"
        elif re.fullmatch(SHORTENED, image.strip()):
            problem += (
                ": the spreadsheet shortened a number, make the column text before filling it"
            )
        self.problem(number, image, problem)

    def _hint(self, label: str) -> str:
        # Kept: a search among a thousand classes is slow, and mistakes are repeated.
        if label not in self._hints:
            hint = self._look_up(label)
            self._hints[label] = hint if len(hint) <= LONGEST else f"{hint[:LONGEST]} ..."
        return self._hints[label]

    def _look_up(self, label: str) -> str:
        alike = self._names_and_skip.alike(label)
        if alike is not None:
            return f"write {alike!r}"
        if label.startswith("="):
            return "it is a formula"
        if re.fullmatch("[0-9]{1,9}", label) and int(label) < len(self._classes):
            name = self._classes[int(label)]
            return f"if it is the class's number, counted from 0, write {name!r}"
        return did_you_mean(label, self._classes)


def _check_name(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES or path.is_dir():
        what = "is a folder: " if path.is_dir() else ""
        raise InputError(f"{path}: {what}name a file that ends in .csv or .parquet")


def _write(path: Path, table: pd.DataFrame, encoding: str) -> None:
    with replacing(path) as temporary:
        if path.suffix.lower() == ".parquet":
            table.to_parquet(temporary, index=False)
        else:
            table.to_csv(temporary, index=False, encoding=encoding)


def _bare(image: str) -> str:
    """Return what a spreadsheet leaves of an id that looks like a number."""
    text = normalised(image).casefold().replace(",", ".")
    number = re.fullmatch(r"\+?0*(\d+)(?:\.0*)?", text)
    if number:
        return number[1]
    try:
        return str(int(float(text))) if re.fullmatch(SHORTENED, text) else text
    except (OverflowError, ValueError):
        return text


def _printable(text: str) -> str:
    """Return a text with bytes that are not UTF-8 (see `_text`) spelt out."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _filled(path: Path) -> bool:
    try:
        return bool((_read(path)[0]["label"].str.strip() != "").any())
    except InputError:
        return path.stat().st_size > 0  # whatever it is, it is somebody's


def _read(path: Path) -> tuple[pd.DataFrame, list[tuple[int, str]]]:
    """Return `row`, `id`, `label` (text), and number and problem of rows that can't be parsed."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "no such file"
        raise InputError(f"{path}: {what}; it should be CSV or Parquet")
    if path.suffix.lower() == ".parquet":
        table = _parquet(path)
        unread = []
    else:
        table, unread = _csv(path)
    if table.empty:
        first = "".join(f"; row {number} {problem}" for number, problem in unread[:1])
        raise InputError(f"{path}: has a header and no rows{first}")
    return table, unread


def _csv(path: Path) -> tuple[pd.DataFrame, list[tuple[int, str]]]:
    text = _text(path)
    if not text.strip():
        raise InputError(f"{path}: is empty")
    # One endless cell should cost its row alone.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    separator = _separator(text)
    rows, unread = _rows(text, separator)
    rows = [(number, cells) for number, cells in rows if any(cell.strip() for cell in cells)]
    if rows and rows[0][1][0].startswith("sep="):  # Excel's own line, which it does not show
        rows = [(row - 1, cells) for row, cells in rows[1:]]
        unread = [(row - 1, problem) for row, problem in unread]
    if not rows:
        raise InputError(f"{path}: has no header; its first row should be: id,label")
    header = [name.strip().casefold() for name in rows[0][1]]
    for name in ("id", "label"):
        if header.count(name) != 1:
            first = _printable(repr(rows[0][1])[:200])
            raise InputError(
                f"{path}: needs one column `{name}` in its first row, which is {first}"
            )
    columns: dict[str, list] = {"row": [number for number, _ in rows[1:]]}
    for name in ("id", "label"):
        place = header.index(name)
        columns[name] = [cells[place] if place < len(cells) else "" for _, cells in rows[1:]]
    # Objects: Arrow's text could not hold what is not UTF-8.
    return pd.DataFrame(columns, dtype=object), unread


def _separator(text: str) -> str:
    """Return the separator of `id` and `label` in the first lines, or else the commonest one."""
    head = text.lstrip()[:10_000].splitlines()[:20]
    for separator in ",;\t":
        rows, _ = _rows("\n".join(head), separator)
        if any({"id", "label"} <= {cell.strip().casefold() for cell in cells} for _, cells in rows):
            return separator
    return max(",;\t", key=head[0].count)


def _rows(text: str, separator: str) -> tuple[list[tuple[int, list[str]]], list[tuple[int, str]]]:
    """Return number and cells of rows, and number and problem of rows that are no CSV."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows = []
    unread = []
    for number in count(1):
        try:
            rows.append((number, next(reader)))
        except StopIteration:
            return rows, unread
        except csv.Error as error:  # the next row is another chance
            problem = f"is no CSV: {error}"
            if "end of data" in str(error):
                problem = "a quote is open to the end: neither it nor what follows is read"
            unread.append((number, problem))
    return rows, unread


def _text(path: Path) -> str:
    """Return a file's text; bytes that are not UTF-8 become half characters, found by row later."""
    data = path.read_bytes()
    for start, what in NOT_TEXT.items():
        if data.startswith(start):
            raise InputError(f"{path}: is {what}")
    for mark, encoding in WIDE.items():
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{path}: byte {error.start} is not {encoding.upper()}: is the file whole?"
                ) from None
    if b"\0" in data.partition(b"\n")[0]:
        raise InputError(f"{path}: byte {data.index(0)} is zero: it is no text file")
    return data.decode("utf-8-sig", "surrogateescape")


def _parquet(path: Path) -> pd.DataFrame:
    try:
        # `read_table` would take columns from the folders' names too.
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            table = file.read(columns=[name for name in ("id", "label") if name in names])
    except (pa.ArrowException, OSError) as error:
        first = str(error).splitlines()[0]
        raise InputError(f"{path}: not a Parquet file ({first:.200})") from None
    for name in ("id", "label"):
        if names.count(name) != 1:
            raise InputError(f"{path}: needs one column `{name}`, and has {', '.join(names):.200}")
    columns = {name: _words(path, table, name) for name in ("id", "label")}
    answers = pd.DataFrame(columns, dtype=object).fillna("")
    return answers.assign(row=range(FIRST, FIRST + len(answers)))[["row", "id", "label"]]


def _words(path: Path, table: pa.Table, name: str) -> list[str | None]:
    """Return a column of text, plain or dictionary-encoded."""
    kind = table.schema.field(name).type
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not any(check(plain) for check in TEXTS):
        raise InputError(f"{path}: column `{name}` is {kind}, it must be text")
    try:
        return table[name].to_pylist()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: column `{name}` holds {error.object[:40]!r}, which is not UTF-8"
        ) from None
