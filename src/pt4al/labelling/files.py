"""A query as a spreadsheet, and a spreadsheet as answers; whatever is wrong with a row is said of that row."""

import csv
import io
import re
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pt4al.atomic import replacing
from pt4al.errors import InputError, did_you_mean
from pt4al.labelling.answers import Answer, effective

SKIP = "(skip)"  # in the column of labels: nobody can say
LONGEST = 300  # characters of a cell that are looked at
FIRST = 2  # row of a spreadsheet that the first answer stands in
NOT_TEXT = {  # how files begin that are no text
    b"PK\x03\x04": "a spreadsheet program's own file (.xlsx, .ods): export it as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel file: export it as CSV",
    b"%PDF": "a PDF file: export it as CSV",
}


def write_query(path: Path, images: pd.DataFrame, suggestions: pd.DataFrame | None = None) -> int:
    """Write the images to be labelled, as CSV or, by the name's end, Parquet; return how many.

    Columns: `id`, `label` (empty), and where there are suggestions `suggestion`, `probability`.

    Raises
    ------
    InputError
        If the file exists and somebody has filled in labels.
    """
    if path.exists() and _filled(path):
        raise InputError(f"{path} has labels in it: take them in first (kedro answers read), or name another file")
    table = images[["id"]].assign(label="")
    if suggestions is not None:
        guesses = suggestions.rename(columns={"label": "suggestion"})
        table = table.merge(guesses[["id", "suggestion", "probability"]].round(3), on="id", how="left")
    with replacing(path) as temporary:
        if path.suffix == ".parquet":
            table.to_parquet(temporary, index=False)
        else:  # with the mark by which spreadsheet programs know UTF-8
            table.to_csv(temporary, index=False, encoding="utf-8-sig")
    return len(table)


def read_answers(
    path: Path, ids: pd.Series, classes: list[str], annotator: str = "file"
) -> tuple[list[Answer], pd.DataFrame]:
    """Read answers from a CSV or Parquet file with columns `id` and `label`.

    An empty label is no answer yet; `(skip)` is a skip. A file may be read again: see `changed`.

    Parameters
    ----------
    ids
        That may be answered.

    Returns
    -------
    answers
        Of the rows that are good.
    problems
        `row` (as a spreadsheet counts, the header being 1), `id`, `problem`.

    Raises
    ------
    InputError
        If nothing of the file can be read.
    """
    table = _read(path)
    rows, known = _Rows(set(ids), classes), {}
    for number, image, label in zip(table["row"], table["id"], table["label"], strict=True):
        answer = rows.check(number, image, label)
        if answer is not None:
            known.setdefault(answer[0], []).append((number, answer[1]))
    answers = []
    for image, said in known.items():
        labels = {label for _, label in said}
        if len(labels) > 1:
            numbers = ", ".join(str(number) for number, _ in said)
            rows.problem(said[0][0], image, f"has different labels in rows {numbers}: none is taken")
            continue
        rows.repeated(image, said)
        answers.append(Answer(id=image, label=labels.pop(), annotator=annotator, source="file"))
    problems = pd.DataFrame(rows.problems, columns=["row", "id", "problem"])
    return answers, problems.sort_values("row", kind="stable").reset_index(drop=True)


def changed(answers: list[Answer], history: pd.DataFrame) -> list[Answer]:
    """Return the answers that say something else than their annotator's newest of the image, in `AnswerLog.read`."""
    standing = effective(history)
    newest = standing.drop_duplicates(["id", "annotator"], keep="last").set_index(["id", "annotator"])["label"]
    known = {who: None if pd.isna(label) else label for who, label in newest.items()}
    return [one for one in answers if known.get((one.id, one.annotator), "") != one.label]


class _Rows:
    """Checks rows one by one, and notes what is wrong with them."""

    def __init__(self, ids: set[str], classes: list[str]):
        self._ids, self._classes = ids, classes
        self._folded = {name.casefold().strip(): name for name in classes}
        self._bare = {_bare(image): image for image in ids}
        self.problems: list[tuple[int, str, str]] = []

    def problem(self, number: int, image: str, told: str) -> None:
        self.problems.append((number, image[:LONGEST], told))

    def repeated(self, image: str, said: list[tuple[int, str | None]]) -> None:
        for number, _ in said[1:]:
            self.problem(number, image, f"stands in row {said[0][0]} too, with the same label: counted once")

    def check(self, number: int, image: str, label: str) -> tuple[str, str | None] | None:
        """Return id and label (None: a skip) of a good row; None where there is no answer, or a problem."""
        image, label = image.strip(), label.strip()
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
            return image, None
        if label not in self._classes:
            self.problem(number, image, f"label {label[:LONGEST]!r} is no class: {self._hint(label)}")
            return None
        return image, label

    def _unknown(self, number: int, image: str) -> None:
        near = self._bare.get(_bare(image))
        if near is not None:
            told = f"id {image[:LONGEST]!r} is not in this query, {near!r} is: the spreadsheet changed it"
        else:
            told = f"id {image[:LONGEST]!r} is not in this query"
        self.problem(number, image, told)

    def _hint(self, label: str) -> str:
        if label.casefold() in self._folded:
            return f"write {self._folded[label.casefold()]!r}"
        if label.startswith("="):
            return "it is a formula"
        if label.isdigit() and int(label) < len(self._classes):
            return f"if it is the class's number, counted from 0, write {self._classes[int(label)]!r}"
        return did_you_mean(label, self._classes)


def _bare(image: str) -> str:
    """What a spreadsheet leaves of an id that looks like a number."""
    text = image.strip().casefold().replace(",", ".")
    number = re.fullmatch(r"\+?0*(\d+)(?:\.0*)?", text)
    if number:
        return number[1]
    try:
        return str(int(float(text))) if re.fullmatch(r"\d(\.\d+)?e\+?\d+", text) else text
    except (OverflowError, ValueError):
        return text


def _filled(path: Path) -> bool:
    try:
        return bool((_read(path)["label"].str.strip() != "").any())
    except InputError:
        return path.stat().st_size > 0  # whatever it is, it is somebody's


def _read(path: Path) -> pd.DataFrame:
    """Return `row`, `id`, `label`, all text but the first."""
    if not path.is_file():
        raise InputError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}; it should be CSV or Parquet")
    if path.suffix == ".parquet":
        return _parquet(path)
    rows = _rows(path, _text(path))
    header = [name.strip().casefold() for name in rows[0][1]]
    for name in ("id", "label"):
        if header.count(name) != 1:
            raise InputError(f"{path}: needs one column `{name}` in its first row, which is {rows[0][1]!r:.200}")
    places = header.index("id"), header.index("label")
    found = [
        (number, *(cells[place] if place < len(cells) else "" for place in places))
        for number, cells in rows[1:]
        if any(cell.strip() for cell in cells)
    ]
    if not found:
        raise InputError(f"{path}: has a header and no rows")
    return pd.DataFrame(found, columns=["row", "id", "label"])


def _rows(path: Path, text: str) -> list[tuple[int, list[str]]]:
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        rows = [(number, cells) for number, cells in enumerate(reader, start=1)]
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: {error}: a quote is open, or it is no CSV file") from None
    if not rows or not any(cell.strip() for cell in rows[0][1]):
        raise InputError(f"{path}: has no header; its first row should be: id,label")
    return rows


def _text(path: Path) -> str:
    data = path.read_bytes()
    if not data.strip():
        raise InputError(f"{path}: is empty")
    for start, what in NOT_TEXT.items():
        if data.startswith(start):
            raise InputError(f"{path}: is {what}")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    if b"\0" in data:
        raise InputError(f"{path}: byte {data.index(0)} is zero: it is no text file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}: line {line} is not UTF-8 (byte {data[error.start]:#x}): save it as CSV UTF-8"
        ) from None


def _parquet(path: Path) -> pd.DataFrame:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a Parquet file ({str(error).splitlines()[0]:.200})") from None
    for name in ("id", "label"):
        if name not in table.column_names:
            raise InputError(f"{path}: has no column `{name}`, but {', '.join(table.column_names)}")
        kind = table.schema.field(name).type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
            raise InputError(f"{path}: column `{name}` is {kind}, it must be text")
    found = pd.DataFrame(
        {name: pd.Series(table[name].to_pylist(), dtype=object).fillna("") for name in ("id", "label")}
    )
    return found.assign(row=range(FIRST, FIRST + len(found)))[["row", "id", "label"]]
