"""Spreadsheets: twenty and more kinds of broken answers are told by row, and good rows are kept."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.annotation.formats.spreadsheet import changed, read_answers, write_query
from pt4al.annotation.log import Answer, AnswerLog
from pt4al.errors import InputError

IDS = pd.Series(["00012", "a.png", "b.png", "c,d.png", "NA", "1e5", "7"])
CLASSES = ["cat", "Dog", "NA", "none"]
GOOD = "a.png,cat\n"

# What is in a row, in which row the problem stands, and what is said of it.
BROKEN = {
    "unknown id": ("z.png,cat", 3, "id 'z.png' is not in this query"),
    "unknown class": ("b.png,catt", 3, "label 'catt' is no class: did you mean 'cat'?"),
    "other case": ("b.png,dog", 3, "write 'Dog'"),
    "a class's number": ("b.png,1", 3, "if it is the class's number, counted from 0, write 'Dog'"),
    "a number that is no class": ("b.png,9", 3, "label '9' is no class"),
    "a formula": ("b.png,=1+1", 3, "it is a formula"),
    "no id": (",cat", 3, "has label 'cat' and no id"),
    "zeros lost": ("12,cat", 3, "id '12' is not in this query, '00012' is"),
    "a decimal point": ("7.0,cat", 3, "'7' is: the spreadsheet changed it"),
    "scientific": ("1.0E+5,cat", 3, "'1e5' is: the spreadsheet changed it"),
    "other case of an id": ("A.PNG,cat", 3, "'a.png' is: the spreadsheet changed it"),
    "twice the same": ("a.png,cat", 3, "stands in row 2 too, with the same label: counted once"),
    "an id in two cells": ("c,d.png,cat", 3, "id 'c' is not in this query"),
    "a cell too few": ("z.png", 3, "id 'z.png' is not in this query"),
    "an endless cell": (f"b.png,{'x' * 100_000}", 3, "is no class"),
    "an unknown id without label": ("z.png,", 3, "id 'z.png' is not in this query"),
    "a script": ("b.png,<script>", 3, "label '<script>' is no class"),
    "a path": ("../a.png,cat", 3, "id '../a.png' is not in this query"),
    "spaces in a class": ("b.png,ca t", 3, "did you mean 'cat'?"),
    "a label in the id's place": ("cat,a.png", 3, "id 'cat' is not in this query"),
    "null by name": ("b.png,null", 3, "label 'null' is no class"),
    "a number of another script": ("b.png,²", 3, "label '²' is no class"),
    "an endless number": (f"b.png,{'9' * 5000}", 3, "is no class"),
    "an endless number as id": (f"{'9' * 5000},cat", 3, "is not in this query"),
    "a number cut short": ("1.23457E+16,cat", 3, "the spreadsheet shortened a number"),
    "a skip in capitals": ("b.png,(Skip)", 3, "write '(skip)'"),
    "a quote too many": ('b.png,"cat"s', 3, "is no CSV"),
    "an open quote": ('b.png,"cat\nNA,cat', 3, "a quote is open to the end"),
    "an open quote beside": ('b.png,cat,"x\nNA,cat', 3, "a quote is open to the end"),
    "a zero byte": ("b.png,c\0t", 3, "did you mean 'cat'?"),
    "another encoding": (b"b.png,c\xe4t", 3, r"holds 'c\\xe4t', not UTF-8"),
    "another encoding of an id": (b"\xe4.png,cat", 3, r"holds '\\xe4.png', not UTF-8"),
    "half a character": (b"b.png,\xed\xa0\x80", 3, "not UTF-8"),
    "a date": ("b.png,2026-01-02", 3, "label '2026-01-02' is no class"),
}


def written(folder: Path, text: str | bytes, name: str = "answers.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path: Path) -> tuple[dict[str, str | None], pd.DataFrame]:
    answers, problems = read_answers(path, IDS, CLASSES)
    return {answer.id: answer.label for answer in answers}, problems


@pytest.mark.parametrize("line, row, told", BROKEN.values(), ids=BROKEN)
def test_a_broken_row_is_told_and_the_good_one_kept(tmp_path: Path, line: str | bytes, row: int, told: str) -> None:
    line = line if isinstance(line, bytes) else line.encode()
    answers, problems = read(written(tmp_path, f"id,label\n{GOOD}".encode() + line + b"\n"))
    assert answers == {"a.png": "cat"}
    assert list(problems["row"]) == [row]
    assert told in problems["problem"].iloc[0]


def test_rows_are_counted_as_excel_shows_them(tmp_path: Path) -> None:
    _, problems = read(written(tmp_path, 'sep=;\nid;label\na.png;cat\nb.png;bird\n7;"cat"s\n'))
    assert list(problems["row"]) == [3, 4]


def test_of_many_classes_a_hint_names_some(tmp_path: Path) -> None:
    path = written(tmp_path, "id,label\n" + "a.png,xyz\n" * 1000)
    _, problems = read_answers(path, IDS, [f"class {number}" for number in range(1000)])
    assert len(problems) == 1000
    assert problems["problem"].str.len().max() < 400


def test_different_labels_for_one_id_are_both_refused(tmp_path: Path) -> None:
    answers, problems = read(written(tmp_path, "id,label\na.png,cat\nb.png,cat\na.png,Dog\n"))
    assert answers == {"b.png": "cat"}
    assert "has different labels in rows 2, 4: none is taken" in problems["problem"].iloc[0]


WHOLE = {
    "a name like nothing": ("id,label\nNA,NA\n00012,none\n", {"NA": "NA", "00012": "none"}),
    "no answer yet": ("id,label\na.png,\nb.png,cat\n", {"b.png": "cat"}),
    "a skip": ("id,label\na.png,(skip)\n", {"a.png": None}),
    "semicolons": ("id;label\na.png;cat\n", {"a.png": "cat"}),
    "tabs": ("id\tlabel\na.png\tcat\n", {"a.png": "cat"}),
    "more columns, in another order": ("when,Label , ID\nnow,cat,a.png\n", {"a.png": "cat"}),
    "a byte order mark": ("\ufeffid,label\na.png,cat\n", {"a.png": "cat"}),
    "blank lines": ("id,label\n\na.png,cat\n\n,,\n\n", {"a.png": "cat"}),
    "lines of Windows": ("id,label\r\na.png,cat\r\n", {"a.png": "cat"}),
    "a cell of two lines, and one of many": (
        f'id,label,note\na.png,cat,"x\ny"\nb.png,Dog,{"z" * 200_000}\n',
        {"a.png": "cat", "b.png": "Dog"},
    ),
    "Excel's line": ("sep=;\nid;label\na.png;cat\n", {"a.png": "cat"}),
    "lines before the header": ("\n\nid,label\na.png,cat\n", {"a.png": "cat"}),
    "separators in a header's cell": ('id,label,"a;b;c;d"\na.png,cat,\n', {"a.png": "cat"}),
    "UTF-32": ("id,label\na.png,cat\n".encode("utf-32"), {"a.png": "cat"}),
    "quotes": ('id,label\n"c,d.png","cat"\n', {"c,d.png": "cat"}),
    "spaces around": ("id,label\n a.png , cat \n", {"a.png": "cat"}),
    "UTF-16": ("id,label\na.png,cat\n".encode("utf-16"), {"a.png": "cat"}),
}


@pytest.mark.parametrize("text, expected", WHOLE.values(), ids=WHOLE)
def test_what_can_be_understood_is_understood(tmp_path: Path, text: str | bytes, expected: dict) -> None:
    answers, problems = read(written(tmp_path, text))
    assert answers == expected
    assert problems.empty


UNREADABLE = {
    "empty": (b"", "is empty"),
    "a header alone": (b"id,label\n", "has a header and no rows"),
    "no column of labels": (b"id,name\na.png,cat\n", "needs one column `label`"),
    "two columns of labels": (b"id,label,Label\na.png,cat,cat\n", "needs one column `label`"),
    "zero bytes": ("id,label\na.png,cat\n".encode("utf-16-le"), "byte 1 is zero"),
    "half of UTF-16": (b"\xff\xfei", "byte 2 is not UTF-16"),
    "a mark alone": (b"\xef\xbb\xbf", "is empty"),
    "another encoding's header": (b"id,l\xe4bel\na.png,cat\n", "needs one column `label`"),
    "a web page": (b"<html><body>id,label</body></html>", "needs one column `id`"),
    "renamed Parquet": (b"PAR1rest", "a name that ends in .parquet"),
    "packed": (b"\x1f\x8b\x08", "unpack it"),
    "a renamed workbook": (b"PK\x03\x04rest", "export it as CSV"),
    "an open quote": (b'id,label\na.png,"cat\n', "a quote is open"),
}


@pytest.mark.parametrize("data, told", UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_is_none_is_one_message(tmp_path: Path, data: bytes, told: str) -> None:
    with pytest.raises(InputError, match=r"answers\.csv") as refused:
        read(written(tmp_path, data))
    assert told in str(refused.value)


def test_a_missing_file_a_folder_and_broken_parquet_are_messages(tmp_path: Path) -> None:
    for path, told in ((tmp_path / "no.csv", "no such file"), (tmp_path, "is a folder")):
        with pytest.raises(InputError, match=told):
            read(path)
    with pytest.raises(InputError, match="not a Parquet file"):
        read(written(tmp_path, b"PAR1", "x.parquet"))
    pd.DataFrame({"id": [12], "label": ["cat"]}).to_parquet(tmp_path / "y.parquet")
    with pytest.raises(InputError, match="column `id` is int64, it must be text"):
        read(tmp_path / "y.parquet")


def test_ids_and_classes_with_spaces_are_themselves_and_equal_numbers_are_all_named(tmp_path: Path) -> None:
    ids = pd.Series([" a ", "012", "0012"])
    answers, problems = read_answers(written(tmp_path, "id,label\n a , cat\n12, cat\n"), ids, [" cat"])
    assert [(answer.id, answer.label) for answer in answers] == [(" a ", " cat")]
    assert "'0012' and '012' are: the spreadsheet changed it" in problems["problem"].iloc[0]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_any_text_of_parquet_is_text(tmp_path: Path, kind: pa.DataType) -> None:
    path = tmp_path / "label=none" / "answers.PARQUET"  # a folder's name is no column
    path.parent.mkdir()
    table = pa.table({"id": ["a.png", None], "label": pa.array(["cat", None]).cast(kind)})
    pq.write_table(table, path)
    assert read(path)[0] == {"a.png": "cat"}


def test_parquet_with_a_column_twice_or_without_rows_is_a_message(tmp_path: Path) -> None:
    path, text = tmp_path / "answers.parquet", pa.string()
    for names, told in ((["id", "id", "label"], "needs one column `id`"), (["id", "label"], "no rows")):
        pq.write_table(pa.table([pa.array([], text)] * len(names), names=names), path)
        with pytest.raises(InputError, match=told):
            read(path)


@pytest.mark.parametrize("name", ["query.xlsx", "query", "folder.csv"])
def test_a_query_is_written_to_a_file_of_a_kind_that_is_known(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"name a file that ends in \.csv or \.parquet"):
        write_query(tmp_path / name, IDS.to_frame("id"))


@pytest.mark.parametrize("name", ["query.csv", "query.parquet"])
def test_a_query_goes_out_and_its_answers_come_in(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    guesses = pd.DataFrame({"id": IDS, "label": "cat", "probability": 0.51234})
    assert write_query(path, IDS.to_frame("id"), guesses) == len(IDS)
    assert read(path)[0] == {}
    table = pd.read_parquet(path) if name.endswith("parquet") else pd.read_csv(path, dtype=str, keep_default_na=False)
    assert list(table["id"]) == list(IDS)
    filled = table.assign(label="Dog")
    filled.to_parquet(path) if name.endswith("parquet") else filled.to_csv(path, index=False)
    assert read(path)[0] == dict.fromkeys(IDS, "Dog")
    with pytest.raises(InputError, match="has labels in it"):
        write_query(path, IDS.to_frame("id"))


def test_reading_again_adds_nothing_and_a_change_and_its_way_back_both_count(tmp_path: Path) -> None:
    log = AnswerLog(tmp_path)
    for label, added in (("cat", 1), ("cat", 0), ("Dog", 1), ("cat", 1)):
        answers, _ = read_answers(written(tmp_path, f"id,label\na.png,{label}\n"), IDS, CLASSES)
        assert log.add(changed(answers, log.read())) == added
    assert list(log.read()["label"]) == ["cat", "Dog", "cat"]


def test_an_undone_answer_can_be_given_again(tmp_path: Path) -> None:
    log = AnswerLog(tmp_path)
    first = Answer(id="a.png", label="cat", annotator="file", source="file")
    log.add([first, Answer(id="a.png", label=None, annotator="file", source="page", undoes=first.key)])
    assert changed([first], log.read()) == [first]


@given(
    st.lists(st.tuples(st.sampled_from([*IDS, "", "x"]), st.sampled_from([*CLASSES, "", "(skip)", "dog"])), min_size=1)
)
def test_every_row_is_an_answer_a_problem_or_empty(tmp_path_factory: pytest.TempPathFactory, rows: list) -> None:
    path = tmp_path_factory.mktemp("law") / "answers.csv"
    pd.DataFrame(rows, columns=["id", "label"]).to_csv(path, index=False)
    try:
        answers, problems = read(path)
    except InputError:
        assert all(not image and not label for image, label in rows)
        return
    said = set(answers) | set(problems["id"])
    assert all(image in said for image, label in rows if image and label)
    assert all(label is None or label in CLASSES for label in answers.values())
