"""Damaged files of answers: a sentence, or problems by row, and never a traceback."""

import io
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pt4al.annotation.formats import coco, mask_folder, spreadsheet
from pt4al.errors import InputError

IDS, CLASSES, SIZE = pd.Series(["a.png", "b.png", "ü.png"]), ["cat", "dög"], (4, 6)
TABLE = pd.DataFrame({"id": IDS, "label": ["cat", "dög", "(skip)"]})
TEXT = TABLE.to_csv(index=False)
COCO = {
    "images": [{"id": 1, "file_name": "a.png", "height": 4, "width": 6}],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dög"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 3, 0, 3, 4, 0, 4]]},
        {"id": 2, "image_id": 1, "category_id": 2, "segmentation": {"size": [4, 6], "counts": [4, 8, 12]}},
    ],
}


def parquet() -> bytes:
    file = io.BytesIO()
    TABLE.to_parquet(file)
    return file.getvalue()


def mask() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.zeros(SIZE, np.uint8)).save(file, "PNG")
    return file.getvalue()


def read_table(path: Path) -> object:
    return spreadsheet.read_answers(path, IDS, CLASSES)


def read_coco(path: Path) -> object:
    return coco.read(path, {image: image for image in IDS}, CLASSES, SIZE)


def read_masks(path: Path) -> object:
    return mask_folder.read(path.parent, IDS, CLASSES, SIZE)


KINDS = {
    "UTF-8": ("x.csv", TEXT.encode(), read_table),
    "UTF-16": ("x.csv", TEXT.encode("utf-16"), read_table),
    "Latin-1": ("x.csv", TEXT.encode("latin-1"), read_table),
    "Parquet": ("x.parquet", parquet(), read_table),
    "COCO": ("x.json", json.dumps(COCO).encode(), read_coco),
    "mask": ("a.png", mask(), read_masks),
}


def damages(data: bytes) -> Iterator[bytes]:
    rng = random.Random(0)
    yield from (b"", b"\0" * len(data), rng.randbytes(500), b"PK\x03\x04" + rng.randbytes(100), mask(), parquet())
    yield from (b"null", b"[]", b"{}", b"1", b"[" * 99_999, b'{"images": ' * 9_999, b"\n" * 999, b"sep=;\n")
    for _ in range(10):
        yield data[: rng.randrange(len(data))]
    for _ in range(150):
        flipped = bytearray(data)
        flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        yield bytes(flipped)


def told(path: Path, read: Callable[[Path], object]) -> str:
    """Return what is said of a file: its problems, or why it can't be read."""
    try:
        _, problems = read(path)
    except InputError as error:
        return str(error)
    return " ".join(problems["problem"].astype(str))


@pytest.mark.parametrize("name, data, read", KINDS.values(), ids=KINDS)
def test_whatever_has_happened_to_a_file_it_is_told_in_words(tmp_path, name, data, read):
    path = tmp_path / name
    path.write_bytes(data)
    read(path)
    for damaged in damages(data):
        path.write_bytes(damaged)
        told(path, read).encode()  # it can be printed, too


ODD = [None, True, -1, 10**30, 1.5, float("nan"), "x", "", [], {}, [None], {"a": 1}, [[1e308] * 8], "\ud800"]


def places(content: object, at: tuple = ()) -> Iterator[tuple]:
    inside = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for name, value in inside:
        yield (*at, name)
        yield from places(value, (*at, name))


def test_whatever_stands_in_a_coco_file_it_is_told_in_words(tmp_path):
    path = tmp_path / "x.json"
    for *above, last in places(COCO):
        for odd in ODD:
            content = json.loads(json.dumps(COCO))
            part = content
            for name in above:
                part = part[name]
            part[last] = odd
            path.write_text(json.dumps(content))
            assert told(path, read_coco).isprintable()


BIG = {
    "a million columns": ("id,label" + ",x" * 10**6 + "\na.png,cat\n", ""),
    "a row of a million cells": ("id,label\na.png,cat" + ",x" * 10**6 + "\n", ""),
    "a million columns without labels": ("x," * 10**6 + "\na.png,cat\n", "needs one column `id`"),
    "a line of ten million characters": ("x" * 10**7, "needs one column `id`"),
    "a million quotes": ('"' * 10**6, ""),
}


@pytest.mark.parametrize("text, words", BIG.values(), ids=BIG)
def test_a_table_of_an_odd_size_is_read_or_told_in_a_line(tmp_path, text, words):
    path = tmp_path / "x.csv"
    path.write_text(text)
    said = told(path, read_table)
    assert words in said
    assert len(said) < 1000


@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_tables_of_every_spreadsheet_program_are_read(tmp_path, separator, encoding):
    path = tmp_path / "x.csv"
    TABLE.to_csv(path, index=False, sep=separator, encoding=encoding)
    answers, problems = read_table(path)
    assert {answer.id: answer.label for answer in answers} == {"a.png": "cat", "b.png": "dög", "ü.png": None}
    assert problems.empty


def test_pictures_beside_the_labels_are_not_read(tmp_path):
    path = tmp_path / "x.parquet"
    TABLE.assign(image=[b"x" * 100] * 3).to_parquet(path)
    answers, _ = read_table(path)
    assert len(answers) == 3


def test_a_query_is_marked_for_spreadsheets_and_labels_for_programs_are_not(tmp_path):
    spreadsheet.write_query(tmp_path / "query.csv", TABLE)
    spreadsheet.write_labels(tmp_path / "labels.csv", TABLE)
    assert (tmp_path / "query.csv").read_bytes().startswith(b"\xef\xbb\xbfid,label")
    assert (tmp_path / "labels.csv").read_bytes().startswith(b"id,label")
    assert pd.read_csv(tmp_path / "query.csv").columns.tolist() == ["id", "label"]
