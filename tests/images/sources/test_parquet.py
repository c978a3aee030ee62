"""Source `parquet` reads files of the Hugging Face hub, and its errors name the file and what is wrong."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pt4al.errors import InputError
from pt4al.images.sources.parquet import read, recognises

PICTURES = [f"picture {row}".encode() for row in range(5)]
PATHS = [f"{row}.png" for row in range(5)]
CAMVID = Path(__file__).parents[3].parent / "shared" / "data" / "camvid"


@pytest.fixture
def write(tmp_path):
    """Write a file in groups of two rows."""

    def make(labels=None, names=None, pictures=PICTURES, paths=PATHS, masks=None, name="train"):
        image = pa.StructArray.from_arrays([pa.array(pictures, pa.binary()), pa.array(paths)], ["bytes", "path"])
        table = pa.table({"image": image} | ({} if labels is None else {"label": labels}))
        if masks is not None:
            masks = [None if mask is None else {"bytes": mask, "path": None} for mask in masks]
            kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
            table = table.append_column("mask", pa.array(masks, kind))
        if names is not None:
            hub = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
            table = table.replace_schema_metadata({"huggingface": json.dumps(hub)})
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=2)
        return tmp_path

    return make


def test_labels_are_named_by_the_hubs_metadata(write):
    collection = read(str(write(labels=[0, 2, 1, 0, 2], names=["cat", "dog", "bird"])))
    assert collection.classes == ["cat", "dog", "bird"]
    assert list(collection.index["label"]) == ["cat", "bird", "dog", "cat", "bird"]
    assert list(collection.index["id"]) == PATHS
    assert set(collection.index["split"]) == {"train"}


def test_labels_without_metadata_are_named_by_their_numbers(write):
    collection = read(str(write(labels=[0, 2, 10, 0, 2])))
    assert collection.classes == [str(number) for number in range(11)]
    assert list(collection.index["label"]) == ["0", "2", "10", "0", "2"]


def test_labels_in_words_make_the_classes_in_alphabetical_order(write):
    collection = read(str(write(labels=["dog", "cat", "dog", None, "bird"])))
    assert collection.classes == ["bird", "cat", "dog"]
    assert list(collection.labels["label"]) == ["dog", "cat", "dog", "bird"]


def test_missing_labels_are_missing_not_another_class(write):
    collection = read(str(write(labels=[0, None, 1, None, 0], names=["cat", "dog"])))
    assert collection.classes == ["cat", "dog"]
    assert collection.labels.to_dict("list") == {"id": ["0.png", "2.png", "4.png"], "label": ["cat", "dog", "cat"]}


def test_file_without_labels_has_no_classes(write):
    collection = read(str(write()))
    assert collection.classes == []
    assert len(collection) == 5
    assert len(collection.labels) == 0


@pytest.mark.parametrize("paths", [[None] * 5, ["same.png"] * 5, ["1.png", None, "2.png", "3.png", "4.png"]])
def test_ids_are_row_numbers_where_paths_are_missing_or_repeated(write, paths):
    collection = read(str(write(paths=pa.array(paths, pa.string()))))
    assert list(collection.index["id"]) == [f"train/{row:06d}" for row in range(5)]


@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 4], [1, 4], [2], []])
def test_pictures_are_those_of_the_asked_rows_across_row_groups(write, rows):
    pictures = read(str(write())).pictures(np.array(rows, int))
    assert list(pictures) == [PICTURES[row] for row in rows]


def test_empty_file_is_an_empty_collection(write):
    labels = pa.array([], pa.int64())
    assert len(read(str(write(labels=labels, pictures=[], paths=pa.array([], pa.string()))))) == 0


@pytest.mark.parametrize("label", [3, -2])
def test_label_outside_the_classes_is_named_with_its_row(write, label):
    folder = write(labels=[0, 1, 2, label, 0], names=["cat", "dog", "bird"])
    with pytest.raises(InputError, match=f"train.parquet: row 3 has label {label}, but there are 3 classes"):
        read(str(folder))


@pytest.mark.parametrize(
    "table",
    [
        {"scan": [b"1"], "label": [1]},
        {"image": ["1.png"], "label": [1]},
        {"image": [{"path": "a"}]},
        {"image": [{"bytes": b"1"}]},
    ],
    ids=["no image", "image of text", "no bytes", "no path"],
)
def test_column_that_is_missing_is_named_beside_those_that_are_there(tmp_path, table):
    pq.write_table(pa.table(table), tmp_path / "train.parquet")
    with pytest.raises(InputError, match=f"has columns {', '.join(table)}; needs `image`, a struct of `bytes`"):
        read(str(tmp_path))


def test_file_of_another_kind_is_named(tmp_path):
    (tmp_path / "train.parquet").write_text("id,label\n")
    with pytest.raises(InputError, match=r"train\.parquet: not a Parquet file"):
        read(str(tmp_path))


def test_missing_training_file_is_named_with_the_setting(write):
    with pytest.raises(InputError, match=r"train\.parquet: no such file; `pool\.source\.path`"):
        read(str(write(name="test")))


def test_all_splits_are_read_in_order(write):
    write(labels=[0, 1, 0, 1, 2], name="test", pictures=PICTURES[::-1], paths=[f"test/{path}" for path in PATHS])
    write(labels=[1] * 5, name="validation", paths=[f"val/{path}" for path in PATHS])
    collection = read(str(write(labels=[0, 1, 2, 1, 3])))
    assert list(collection.index["split"]) == ["train"] * 5 + ["val"] * 5 + ["test"] * 5
    assert list(collection.index["id"][[0, 5, 14]]) == ["0.png", "val/0.png", "test/4.png"]
    assert collection.classes == ["0", "1", "2", "3"]
    assert list(collection.pictures(np.array([4, 6, 10]))) == [PICTURES[4], PICTURES[1], PICTURES[4]]


def test_shards_of_a_split_follow_each_other(write):
    write(name="train-00001-of-00002", paths=[f"b{path}" for path in PATHS])
    collection = read(str(write(name="train-00000-of-00002")))
    assert list(collection.index["id"]) == PATHS + [f"b{path}" for path in PATHS]
    assert list(collection.pictures(np.array([4, 5, 9]))) == [PICTURES[4], PICTURES[0], PICTURES[4]]


def test_rows_of_shards_are_counted_on(write):
    write(name="train-00000-of-00002", paths=pa.array([None] * 5, pa.string()))
    write(name="train-00001-of-00002")
    assert read(str(write(name="test"))).index["id"][9] == "train/000009"


def test_paths_repeated_in_another_split_get_its_name_and_the_training_ids_stay(write):
    write(name="test")
    assert list(read(str(write())).index["id"]) == PATHS + [f"test/{path}" for path in PATHS]


def test_split_without_labels_takes_the_classes_of_the_others(write):
    write(name="test", paths=[f"test/{path}" for path in PATHS])
    collection = read(str(write(labels=["dog", "cat", "dog", None, "bird"])))
    assert collection.classes == ["bird", "cat", "dog"]
    assert collection.index["label"][5:].isna().all()


@pytest.mark.parametrize(
    "test",
    [{"labels": [0] * 5, "names": ["dog", "cat"]}, {"labels": [0] * 5}, {"labels": ["cat"] * 5}],
    ids=["another order", "no names", "words"],
)
def test_splits_whose_classes_differ_are_named(write, test):
    write(name="test", **test)
    with pytest.raises(InputError, match=r"test\.parquet: .* in .*train\.parquet .*all splits need the same"):
        read(str(write(labels=[0] * 5, names=["cat", "dog"])))


def test_masks_are_those_of_the_asked_rows_where_there_are_any(write):
    collection = read(str(write(masks=[b"a", None, b"c", None, b"e"])))
    assert list(collection.masked) == [True, False, True, False, True]
    assert list(collection.masks(np.array([0, 4]))) == [b"a", b"e"]
    assert collection.classes == []


def test_file_without_masks_has_none(write):
    for collection in (read(str(write())), read(str(write(masks=[None] * 5)))):
        assert collection.masks is None
        assert collection.masked is None


def test_stamp_is_that_of_the_pictures_file(write):
    write(name="test")
    before = read(str(write())).index["stamp"]
    write(name="test", pictures=[b"other"] * 5)
    after = read(str(write())).index["stamp"]
    assert before[5:].nunique() == 1
    assert not (before[5:] == after[5:]).any()


def test_layout_is_recognised_by_its_files(write, tmp_path):
    assert not recognises(str(tmp_path / "nothing"))
    assert not recognises(str(write(name="test")))
    assert recognises(str(write(name="train-00000-of-00001")))


@pytest.mark.skipif(not CAMVID.exists(), reason="CamVid is not on this machine")
def test_camvid_is_read_whole_with_its_masks():
    collection = read(str(CAMVID))
    assert collection.index["split"].value_counts().to_dict() == {"train": 367, "val": 101, "test": 233}
    assert collection.masked.all()
    assert all(mask.startswith(b"\x89PNG") for mask in collection.masks(np.array([0, 400, 700])))


def test_names_of_classes_in_two_spellings_or_none_stay_apart(write):
    assert read(str(write([0, 1, 2, 3, 0], ["caf\u00e9", "cafe\u0301", "", "tea"]))).classes == [
        "caf\u00e9 0",
        "caf\u00e9 1",
        "2",
        "tea",
    ]


def test_blank_words_are_no_labels(write):
    assert read(str(write(["", " ", "cat", None, "dog"]))).classes == ["cat", "dog"]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (pa.array([2**64 - 1, 0, 0, 0, 0], pa.uint64()), "has a label 18446744073709551615"),
        (pa.array([0.0, float("inf"), 0, 0, 0]), "train.parquet: labels are double"),
    ],
)
def test_number_that_counts_nothing_is_refused_not_wrapped(write, labels, words):
    with pytest.raises(InputError, match=words):
        read(str(write(labels)))


def test_labels_of_every_kind_of_text_are_read(write):
    assert read(str(write(pa.array(list("abcab"), pa.string_view())))).classes == ["a", "b", "c"]


def test_pictures_that_are_text_are_none(tmp_path):
    table = pa.table({"image": [{"bytes": "text", "path": "1.png"}]})
    pq.write_table(table, tmp_path / "train.parquet")
    with pytest.raises(InputError, match="needs `image`, a struct of `bytes`"):
        read(str(tmp_path))


@pytest.mark.parametrize(
    ("second", "words"),
    [("train-00000-of-00001-bb", "shard 00000 of `train` is there twice"), ("train-00000-of-00002", "two versions")],
)
def test_two_versions_of_the_same_shards_are_refused(write, second, words):
    write(name="train-00000-of-00001-aa")
    with pytest.raises(InputError, match=words):
        read(str(write(name=second)))
