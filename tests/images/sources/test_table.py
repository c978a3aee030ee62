"""Source `table` finds pictures and masks by the paths in a CSV or Parquet file."""

import sys

import fsspec
import numpy as np
import pandas as pd
import pytest

from pt4al.errors import InputError
from pt4al.images.opening import BadPicture, opened
from pt4al.images.sources.table import read, recognises
from support.layouts import patch, save

RNG = np.random.default_rng(0)


@pytest.fixture
def write(tmp_path):
    """Write a table, and beside it pictures a.jpg, b.jpg, c.jpg and mask.png."""
    for name in ("a.jpg", "b.jpg", "c.jpg", "mask.png"):
        save(patch(RNG, 0, 1, (8, 8)), tmp_path / "album" / name)

    def make(content, name="table.csv"):
        file = tmp_path / "album" / name
        if isinstance(content, bytes):
            file.write_bytes(content)
        elif isinstance(content, str):
            file.write_text(content)
        else:
            pd.DataFrame(content).to_parquet(file)
        return str(file)

    return make


@pytest.fixture
def remote():
    """Two pictures that no folder holds."""
    memory = fsspec.filesystem("memory")
    memory.pipe({"/bucket/x.jpg": b"x's bytes", "/bucket/y.jpg": b"y's bytes"})
    yield
    memory.rm("/bucket", recursive=True)


def contents(pictures, *rows):
    return [picture() for picture in pictures(np.array(rows))]


def test_paths_are_relative_to_the_table_or_absolute(write, tmp_path):
    collection = read(write(f"path\na.jpg\n{tmp_path}/album/b.jpg\n../album/c.jpg\n"))
    album = tmp_path / "album"
    expected = [(album / name).read_bytes() for name in ("a.jpg", "b.jpg", "c.jpg")]
    assert contents(collection.pictures, 0, 1, 2) == expected
    assert list(collection.index["id"]) == ["a.jpg", f"{tmp_path}/album/b.jpg", "../album/c.jpg"]
    assert list(collection.index["stamp"].str.split("-").str[0]) == [str(len(content)) for content in expected]


def test_relative_table_is_read_from_another_folder_later(write, tmp_path, monkeypatch):
    write("path\na.jpg\n")
    monkeypatch.chdir(tmp_path / "album")
    collection = read("table.csv")
    monkeypatch.chdir(tmp_path)
    assert contents(collection.pictures, 0) == [(tmp_path / "album" / "a.jpg").read_bytes()]


def test_id_label_and_split_are_columns(write):
    collection = read(write("path,id,label,split,other\na.jpg,1,dog,training,x\nb.jpg,2,cat,test,x\n"))
    assert collection.index[["id", "label", "split"]].to_dict("list") == {
        "id": ["1", "2"],
        "label": ["dog", "cat"],
        "split": ["train", "test"],
    }
    assert collection.classes == ["cat", "dog"]
    assert collection.masks is None
    assert set(collection.index.dtypes.astype(str)) == {"str"}


def test_text_stays_as_it_is_written(write):
    collection = read(write("path,id,label\na.jpg,00012,NA\nb.jpg,1e3,null\nc.jpg,True,None\n"))
    assert list(collection.index["id"]) == ["00012", "1e3", "True"]
    assert list(collection.index["label"]) == ["NA", "null", "None"]


def test_empty_text_is_a_missing_value(write):
    collection = read(write("path,label,split\na.jpg,,\nb.jpg,dog,train\n"))
    assert collection.index["label"].isna().tolist() == [True, False]
    assert collection.index["split"].isna().tolist() == [True, False]
    assert collection.classes == ["dog"]


def test_parquet_is_read_as_text_too(write):
    content = {"path": ["a.jpg", "b.jpg", "c.jpg"], "id": [12, 7, 9], "label": pd.array([10, None, 9], "Int64")}
    collection = read(write(content, "table.parquet"))
    assert list(collection.index["id"]) == ["12", "7", "9"]
    assert list(collection.labels["label"]) == ["10", "9"]


def test_empty_text_in_parquet_is_a_missing_value(write):
    collection = read(write({"path": ["a.jpg", "b.jpg"], "label": ["", "dog"]}, "table.parquet"))
    assert list(collection.labels["label"]) == ["dog"]


def test_mark_that_spreadsheets_put_first_is_no_part_of_a_name(write):
    assert list(read(write("\ufeffpath,label\na.jpg,Käse\n".encode())).index["label"]) == ["Käse"]


def test_table_without_rows_is_an_empty_collection(write):
    assert len(read(write("path,label\n"))) == 0
    assert len(read(write({"path": pd.Series([], dtype="str")}, "table.parquet"))) == 0


def test_masks_are_those_of_the_rows_that_have_one(write, tmp_path):
    collection = read(write("path,mask\na.jpg,\nb.jpg,mask.png\nc.jpg,\n"))
    assert collection.masked.tolist() == [False, True, False]
    assert contents(collection.masks, 1) == [(tmp_path / "album" / "mask.png").read_bytes()]


def test_mask_that_was_painted_anew_changes_the_stamp(write, tmp_path):
    file = write("path,mask\na.jpg,\nb.jpg,mask.png\n")
    before = list(read(file).index["stamp"])
    (tmp_path / "album" / "mask.png").write_bytes(b"anew")
    after = list(read(file).index["stamp"])
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False]


def test_picture_that_is_missing_is_found_out_when_it_is_read(write):
    collection = read(write("path\na.jpg\ngone.jpg\n"))
    assert collection.index["stamp"].iloc[1] == ""
    with pytest.raises(FileNotFoundError, match=r"gone\.jpg"):
        contents(collection.pictures, 1)


def test_addresses_far_away_stand_beside_local_paths(write, remote, tmp_path):
    collection = read(write("path,label\nmemory://bucket/y.jpg,b\na.jpg,a\nmemory://bucket/x.jpg,a\n"))
    local = (tmp_path / "album" / "a.jpg").read_bytes()
    assert contents(collection.pictures, 0, 1, 2) == [b"y's bytes", local, b"x's bytes"]
    assert collection.index["id"].iloc[0] == "memory://bucket/y.jpg"
    assert collection.index["stamp"].iloc[0] == ""


def test_masks_may_lie_far_away(write, remote):
    assert contents(read(write("path,mask\na.jpg,memory://bucket/x.jpg\n")).masks, 0) == [b"x's bytes"]


def test_remote_picture_that_is_missing_is_named_when_it_is_read(write, remote):
    collection = read(write("path\nmemory://bucket/gone.jpg\n"))
    with pytest.raises(OSError, match=r"memory://bucket/gone\.jpg"):
        contents(collection.pictures, 0)


@pytest.mark.parametrize("address", ["gs://bucket/x.jpg", "simplecache::gs://bucket/x.jpg"])
def test_package_that_an_address_needs_is_named(write, monkeypatch, address):
    monkeypatch.setitem(sys.modules, "gcsfs", None)  # as if it were not installed
    with pytest.raises(InputError, match=r"table\.csv: addresses gs:// cannot be read: .*gcsfs"):
        read(write(f"path\na.jpg\n{address}\n"))


def test_unknown_kind_of_address_is_named(write):
    with pytest.raises(InputError, match="addresses nonsense://"):
        read(write("path\nnonsense://x.jpg\n"))


@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_missing_table_is_named_with_the_setting(tmp_path, name):
    with pytest.raises(InputError, match=rf"{name}: no such file; `pool\.source\.path`"):
        read(str(tmp_path / name))


@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_columns_are_named_where_path_is_missing(write, name):
    content = "where,label\na.jpg,dog\n" if name == "table.csv" else {"where": ["a.jpg"], "label": ["dog"]}
    with pytest.raises(InputError, match=rf"{name}: has columns where, label; needs `path`"):
        read(write(content, name))


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "table.csv"),
        (b"path,label\na.jpg,\xff\xfe\n", "table.csv"),
        (b'path,label\na.jpg,"dog\n', "table.csv"),
        (b"path\na.jpg\n", "table.parquet"),
        ({"path": [["a.jpg"]]}, "table.parquet"),
    ],
    ids=["empty", "no UTF-8", "quote left open", "CSV named Parquet", "path of lists"],
)
def test_table_that_cannot_be_read_is_named(write, content, name):
    with pytest.raises(InputError, match=f"{name}: cannot be read as"):
        read(write(content, name))


@pytest.mark.parametrize("line", ["a.jpg,dog,brown", "a.jpg,dog,brown\nb.jpg,cat"])
def test_row_with_more_values_than_the_head_has_names_is_refused(write, line):
    with pytest.raises(InputError, match="more values than the head has names"):
        read(write(f"path,label\n{line}\n"))


@pytest.mark.parametrize(("row", "missing"), [(",2", "path"), ("b.jpg,", "id")])
def test_row_without_path_or_id_is_named(write, row, missing):
    with pytest.raises(InputError, match=rf"row 1 \(the first is 0\) has no `{missing}`"):
        read(write(f"path,id\na.jpg,1\n{row}\n"))


def test_picture_that_stands_in_the_table_twice_is_refused(write):
    with pytest.raises(InputError, match=r"table\.csv: rows 1 and 2 .* have the same `path`, 'a\.jpg'"):
        read(write("path\nb.jpg\na.jpg\na.jpg\n"))


def test_blank_label_is_none_and_a_blank_id_is_missing(write):
    assert list(read(write("path,label\na.jpg,cat\nb.jpg, \nc.jpg,\u200b\n")).labels["label"]) == ["cat"]
    with pytest.raises(InputError, match=r"row 0 .* has no `id`"):
        read(write("path,id\na.jpg, \n"))


def test_paths_as_windows_writes_them_are_found(write, tmp_path):
    save(patch(RNG, 0, 1, (8, 8)), tmp_path / "album" / "x" / "b.jpg")
    collection = read(write("path\n.\\a.jpg\nx\\b.jpg\n"))
    assert all(picture() for picture in collection.pictures(np.arange(2)))


@pytest.mark.parametrize("place", ["/dev/zero", ".", "a\0b"])
def test_path_of_no_file_is_a_bad_picture_and_ends(write, place):
    (picture,) = read(write({"path": [place]}, "t.parquet")).pictures(np.arange(1))
    with pytest.raises(BadPicture, match="can't be read"), opened(picture):
        pass


def test_tables_with_a_path_are_recognised_by_their_head(write):
    assert recognises(write("path,label\n"))
    assert recognises(write({"path": ["a.jpg"]}, "TABLE.PARQUET"))


@pytest.mark.parametrize(
    ("content", "name"),
    [("where\n", "a.csv"), ("path\n", "a.txt"), (b"", "a.csv"), (b"x", "a.parquet"), ({"x": [1]}, "b.parquet")],
)
def test_other_files_are_not_recognised(write, content, name):
    assert not recognises(write(content, name))


@pytest.mark.parametrize("name", ["", "absent.csv", "absent/absent.parquet"])
def test_folders_and_what_is_absent_are_not_recognised(tmp_path, name):
    assert not recognises(str(tmp_path / name))
