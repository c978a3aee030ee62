"""A name has one spelling, through whatever door it comes; files are opened under the name that they have."""

import unicodedata

import numpy as np
import pandas as pd
import pytest

from pt4al.errors import InputError
from pt4al.images.sources import read
from pt4al.images.summary import summarise
from support.layouts import patch, save

PIXELS = patch(np.random.default_rng(0), 0, 1, (8, 8))
NFC, NFD = "café", unicodedata.normalize("NFD", "café")


def opened(collection) -> int:
    return sum(len(picture()) > 0 for picture in collection.pictures(np.arange(len(collection))))


def test_class_folders_of_one_name_in_two_spellings_are_one_class(tmp_path):
    for name in (f"train/{NFC}/1.png", f"test/{NFD}/1.png", "train/tea/2.png", "train/tea /3.png"):
        save(PIXELS, tmp_path / name)
    collection = read("auto", str(tmp_path))
    assert collection.classes == [NFC, "tea"]
    assert set(collection.index["label"]) == {NFC, "tea"}
    assert opened(collection) == 4


def test_ids_have_one_spelling_and_files_are_opened_as_they_are_called(tmp_path):
    save(PIXELS, tmp_path / "cat" / f"{NFD}.png")
    save(PIXELS, tmp_path / "dog" / "1.png")
    collection = read("auto", str(tmp_path))
    assert list(collection.index["id"]) == [f"cat/{NFC}.png", "dog/1.png"]
    assert opened(collection) == 2


def test_files_whose_names_would_become_one_keep_their_own(tmp_path):
    for name in (NFC, NFD):
        save(PIXELS, tmp_path / f"{name}.png")
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system has one spelling")
    collection = read("auto", str(tmp_path))
    assert set(collection.index["id"]) == {f"{NFC}.png", f"{NFD}.png"}
    assert opened(collection) == 2


@pytest.mark.parametrize(("on_disk", "in_table"), [(NFC, NFD), (NFD, NFC), (NFC, f" {NFC}"), ("plain", "plain ")])
def test_table_may_spell_a_path_otherwise(tmp_path, on_disk, in_table):
    save(PIXELS, tmp_path / f"{on_disk}.png")
    written = f"{in_table.rstrip()}.png" + " " * in_table.endswith(" ")
    (tmp_path / "table.csv").write_text(f"path,label\n{written},cat\n", encoding="utf-8")
    collection = read("auto", str(tmp_path / "table.csv"))
    assert opened(collection) == 1
    assert list(collection.index["id"]) == [f"{unicodedata.normalize('NFC', on_disk)}.png"]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_labels_of_a_table_have_one_spelling(tmp_path, ending):
    table = pd.DataFrame({"path": ["a.png", "b.png", "c.png"], "label": [NFC, f"{NFD} ", "\u200bred\u00a0"]})
    table.to_csv(tmp_path / "table.csv", index=False)
    table.to_parquet(tmp_path / "table.parquet")
    collection = read("auto", str(tmp_path / f"table.{ending}"))
    assert collection.classes == [NFC, "red"]
    assert list(collection.index["label"]) == [NFC, NFC, "red"]


@pytest.mark.parametrize(
    ("head", "separator", "detail"),
    [
        ("path, label", ",", ""),
        ("Path;Label", ";", ""),
        ('"path"\t"label"', "\t", ""),
        ("file_name,category", ",", "paths in `file_name`, labels in `category`"),
        ("Image,class", ",", "paths in `Image`, labels in `class`"),
        ("labels|filename", "|", "paths in `filename`, labels in `labels`"),
    ],
)
def test_columns_of_a_table_are_found_by_the_names_in_use(tmp_path, head, separator, detail):
    row = ["cat", "a.png"] if head.startswith("labels") else ["a.png", "cat"]
    (tmp_path / "table.csv").write_text(f"{head}\n{separator.join(row)}\n")
    collection = read("auto", str(tmp_path / "table.csv"))
    assert collection.index[["id", "label"]].to_numpy().tolist() == [["a.png", "cat"]]
    assert collection.reading.detail == detail


def test_columns_that_are_ignored_are_told_and_a_person_may_name_one(tmp_path):
    (tmp_path / "table.csv").write_text("path,width,species\na.png,12,cat\n")
    reading = read("auto", str(tmp_path / "table.csv")).reading
    assert reading.left_out == ("2 columns (width, species)",)
    assert "pool.source.columns.label" in reading.notes[0]
    assert read("table", str(tmp_path / "table.csv"), {"label": "species"}).classes == ["cat"]


def test_splits_of_a_table_have_the_names_in_use(tmp_path):
    (tmp_path / "table.csv").write_text("path,subset\na.png,Training\nb.png,dev\nc.png,fold 3\n")
    assert list(read("auto", str(tmp_path / "table.csv")).index["split"]) == ["train", "val", "fold 3"]


def test_table_of_another_kind_says_what_it_lacks(tmp_path):
    (tmp_path / "table.csv").write_text("width;height\n1;2\n")
    with pytest.raises(InputError, match=r"tables end in|needs `path`"):
        read("auto", str(tmp_path / "table.csv"))


def test_names_that_only_look_alike_are_told_and_not_merged(tmp_path):
    for name in ("Cat", "cat", "hot dog", "hot_dog", "bird"):
        save(PIXELS, tmp_path / name / "1.png")
    collection = read("auto", str(tmp_path))
    assert len(collection.classes) == 5
    (warning,) = summarise(collection, *[{"train": collection, "test": collection}] * 2).warnings
    assert "'Cat' and 'cat', 'hot dog' and 'hot_dog'" in warning


@pytest.mark.parametrize("name", ["c\nat", "c\x1bat", "c\x00at", "c\u2028at"])
def test_class_whose_name_fits_no_line_is_refused(tmp_path, name):
    save(PIXELS, tmp_path / "1.png")
    pd.DataFrame({"path": ["1.png"], "label": [name]}).to_parquet(tmp_path / "table.parquet")
    with pytest.raises(InputError, match="can't be the name of a class"):
        read("auto", str(tmp_path / "table.parquet"))


def test_class_folder_without_a_visible_name_is_refused(tmp_path):
    for name in ("cat", "\u200b"):
        save(PIXELS, tmp_path / name / "1.png")
    with pytest.raises(InputError, match="needs a visible letter"):
        read("auto", str(tmp_path))
