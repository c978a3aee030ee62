"""Source `parquet` reads files of the Hugging Face hub, and its errors name the file and what is wrong."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pt4al.errors import InputError
from pt4al.images.sources.parquet import read

PICTURES = [f"picture {row}".encode() for row in range(5)]
PATHS = [f"{row}.png" for row in range(5)]


@pytest.fixture
def write(tmp_path):
    """Write train.parquet in groups of two rows."""

    def make(labels=None, names=None, pictures=PICTURES, paths=PATHS):
        image = pa.StructArray.from_arrays([pa.array(pictures, pa.binary()), pa.array(paths)], ["bytes", "path"])
        table = pa.table({"image": image} | ({} if labels is None else {"label": labels}))
        if names is not None:
            hub = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
            table = table.replace_schema_metadata({"huggingface": json.dumps(hub)})
        pq.write_table(table, tmp_path / "train.parquet", row_group_size=2)
        return tmp_path

    return make


def test_labels_are_named_by_the_hubs_metadata(write):
    collection = read(write(labels=[0, 2, 1, 0, 2], names=["cat", "dog", "bird"]), "train")
    assert collection.classes == ["cat", "dog", "bird"]
    assert list(collection.index["label"]) == ["cat", "bird", "dog", "cat", "bird"]
    assert list(collection.index["id"]) == PATHS
    assert set(collection.index["split"]) == {"train"}


def test_labels_without_metadata_are_named_by_their_numbers(write):
    collection = read(write(labels=[0, 2, 10, 0, 2]), "train")
    assert collection.classes == [str(number) for number in range(11)]
    assert list(collection.index["label"]) == ["0", "2", "10", "0", "2"]


def test_labels_in_words_make_the_classes_in_alphabetical_order(write):
    collection = read(write(labels=["dog", "cat", "dog", None, "bird"]), "train")
    assert collection.classes == ["bird", "cat", "dog"]
    assert list(collection.labels["label"]) == ["dog", "cat", "dog", "bird"]


def test_missing_labels_are_missing_not_another_class(write):
    collection = read(write(labels=[0, None, 1, None, 0], names=["cat", "dog"]), "train")
    assert collection.classes == ["cat", "dog"]
    assert collection.labels.to_dict("list") == {"id": ["0.png", "2.png", "4.png"], "label": ["cat", "dog", "cat"]}


def test_file_without_labels_has_no_classes(write):
    collection = read(write(), "train")
    assert collection.classes == []
    assert len(collection) == 5
    assert len(collection.labels) == 0


@pytest.mark.parametrize("paths", [[None] * 5, ["same.png"] * 5, ["1.png", None, "2.png", "3.png", "4.png"]])
def test_ids_are_row_numbers_where_paths_are_missing_or_repeated(write, paths):
    collection = read(write(paths=pa.array(paths, pa.string())), "train")
    assert list(collection.index["id"]) == [f"train/{row:06d}" for row in range(5)]


@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 4], [1, 4], [2], []])
def test_pictures_are_those_of_the_asked_rows_across_row_groups(write, rows):
    pictures = read(write(), "train").pictures(np.array(rows, int))
    assert list(pictures) == [PICTURES[row] for row in rows]


def test_empty_file_is_an_empty_collection(write):
    labels = pa.array([], pa.int64())
    assert len(read(write(labels=labels, pictures=[], paths=pa.array([], pa.string())), "train")) == 0


@pytest.mark.parametrize("label", [3, -1])
def test_label_outside_the_classes_is_named_with_its_row(write, label):
    folder = write(labels=[0, 1, 2, label, 0], names=["cat", "dog", "bird"])
    with pytest.raises(InputError, match=f"train.parquet: row 3 has label {label}, but there are 3 classes"):
        read(folder, "train")


@pytest.mark.parametrize(
    "table",
    [
        {"picture": [b"1"], "label": [1]},
        {"image": [b"1"], "label": [1]},
        {"image": [{"path": "a"}]},
        {"image": [{"bytes": b"1"}]},
    ],
    ids=["no image", "image of bytes", "no bytes", "no path"],
)
def test_column_that_is_missing_is_named_beside_those_that_are_there(tmp_path, table):
    pq.write_table(pa.table(table), tmp_path / "train.parquet")
    with pytest.raises(InputError, match=f"has columns {', '.join(table)}; needs `image`, a struct of `bytes`"):
        read(tmp_path, "train")


def test_file_of_another_kind_is_named(tmp_path):
    (tmp_path / "train.parquet").write_text("id,label\n")
    with pytest.raises(InputError, match=r"train\.parquet: not a Parquet file"):
        read(tmp_path, "train")


def test_missing_file_is_named_with_the_setting(tmp_path):
    with pytest.raises(InputError, match=r"test\.parquet: no such file; `pool\.source\.path`"):
        read(tmp_path, "test")
