"""Files as the library of the Hugging Face hub writes them are read as they lie in a repository there."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pt4al.errors import InputError
from pt4al.images.decode import Frame, decode
from pt4al.images.sources import read
from support.layouts import patch
from support.pictures import encoded

HUB = Path(__file__).parent / "hub"  # write.py made them
CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
PICTURE = encoded(patch(np.random.default_rng(0), 0, 1, (8, 8)))


@pytest.mark.parametrize(
    ("name", "classes", "splits"),
    [
        ("cifar10", CIFAR10, {"train": 5, "test": 5}),
        ("cifar100", ["flatfish", "orchids", "ray", "roses"], {"train": 4, "test": 4}),
        ("food101", ["apple_pie", "beignets"], {"train": 6, "val": 4}),
        ("tiny_imagenet", ["n01443537", "n01629819"], {"train": 4, "val": 4}),
        ("hidden_test", ["crane", "kite", "tench"], {"train": 6, "test": 3}),
        ("converted", ["apple_pie", "beignets"], {"train": 4}),
        ("not_embedded", ["a", "b"], {"train": 2}),
        ("words", [], {"train": 4}),
    ],
)
def test_data_set_of_the_hub_is_read_as_it_is_handed_out(name, classes, splits):
    collection = read("auto", str(HUB / name))
    assert collection.classes == classes
    assert collection.index["split"].value_counts().to_dict() == splits
    for picture in collection.pictures(np.arange(len(collection))):
        assert decode(picture, Frame(3, 8, 8)).shape == (3, 8, 8)


def test_columns_of_other_names_are_told_and_so_are_those_that_are_ignored():
    reading = read("auto", str(HUB / "cifar100")).reading
    assert reading.detail == "images in `img`, labels in `fine_label`"
    assert reading.left_out == ("1 column (coarse_label)",)


def test_a_person_names_the_column_of_the_labels():
    coarse = read("auto", str(HUB / "cifar100"), {"label": "coarse_label"})
    assert coarse.classes == ["fish", "flowers"]
    words = read("auto", str(HUB / "words"), {"label": "species", "image": "photo"})
    assert words.classes == [f"species {number}" for number in range(4)]


def test_column_that_may_hold_labels_is_named():
    assert "`pool.source.columns.label=species`" in read("auto", str(HUB / "words")).reading.notes[0]


@pytest.mark.parametrize(
    ("columns", "words"), [({"label": "colour"}, "has no column 'colour'"), ({"labels": "x"}, "did you mean 'label'")]
)
def test_column_or_role_that_is_not_there_is_told(columns, words):
    with pytest.raises(InputError, match=words):
        read("parquet", str(HUB / "words"), columns)


def test_columns_of_folders_are_told_to_be_none(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(PICTURE)
    with pytest.raises(InputError, match=r"`pool.source.columns` is for tables and Parquet files"):
        read("auto", str(tmp_path), {"label": "x"})


def test_label_minus_one_is_none():
    collection = read("auto", str(HUB / "hidden_test"))
    assert collection.index.loc[collection.index["split"] == "test", "label"].isna().all()
    assert collection.index.loc[collection.index["split"] == "train", "label"].notna().all()


def test_one_file_may_be_named_alone():
    collection = read("auto", str(HUB / "food101" / "data" / "validation-00000-of-00001.parquet"))
    assert (len(collection), collection.classes) == (4, ["apple_pie", "beignets"])


def test_missing_shard_is_told(tmp_path):
    content = (HUB / "food101" / "data" / "train-00000-of-00002.parquet").read_bytes()
    (tmp_path / "train-00000-of-00002.parquet").write_bytes(content)
    with pytest.raises(InputError, match="shard 00001 of the 2 of `train` is missing"):
        read("auto", str(tmp_path))


def test_pointer_of_git_lfs_is_told(tmp_path):
    (tmp_path / "train.parquet").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(InputError, match="git lfs pull"):
        read("auto", str(tmp_path))


def written(folder: Path, labels: pa.Array, hub: bytes = b"{}", name: str = "train") -> str:
    image = pa.array([{"bytes": PICTURE, "path": None}] * len(labels))
    table = pa.table({"image": image, "label": labels}).replace_schema_metadata({b"huggingface": hub})
    pq.write_table(table, folder / f"{name}.parquet")
    return str(folder)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (pa.array([0.0, 1.0, None]), ["0", "1", None]),
        (pa.array([0.0, float("nan"), 1.0]), ["0", None, "1"]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array(["a", "b", None]).dictionary_encode(), ["a", "b", None]),
        (pa.array([0, 1, 1], pa.uint64()), ["0", "1", "1"]),
        (pa.nulls(3), [None, None, None]),
        (pa.array(["caf\u00e9", "cafe\u0301", " caf\u00e9 "]), ["caf\u00e9"] * 3),
    ],
    ids=["floats", "gaps", "truth", "categories", "unsigned", "nothing", "spellings"],
)
def test_labels_of_other_kinds_are_read(tmp_path, labels, found):
    collection = read("parquet", written(tmp_path, labels))
    assert [None if label != label else label for label in collection.index["label"]] == found


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (pa.array([0.5, 1.0]), "labels are double"),
        (pa.array([0, 1], pa.date32()), "labels are date32"),
        (pa.array([[0], [1]]), "labels are list"),
        (pa.array([b"cat", b"dog"]), "labels are binary"),
        (pa.array([1_000_000_007, 0]), "has a label 1000000007"),
        (pa.array([2**63, 0], pa.uint64()), "label"),
    ],
    ids=["halves", "dates", "lists", "bytes", "a number too large", "a number larger than that"],
)
def test_labels_that_are_none_are_one_sentence(tmp_path, labels, words):
    with pytest.raises(InputError, match=words):
        read("parquet", written(tmp_path, labels))


@pytest.mark.parametrize(
    "hub",
    [
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b'{"info": null}',
        b'{"info": {"features": {"label": "?"}}}',
        b'{"info": {"features": {"label": {"names": [1, 2]}}}}',
    ],
)
def test_metadata_that_are_no_such_thing_are_left_out(tmp_path, hub):
    assert read("parquet", written(tmp_path, pa.array([0, 1]), hub)).classes == ["0", "1"]


def test_classes_of_one_name_stay_two(tmp_path):
    names = json.dumps({"info": {"features": {"label": {"names": ["crane", "kite", "crane"], "_type": "ClassLabel"}}}})
    collection = read("parquet", written(tmp_path, pa.array([0, 1, 2]), names.encode()))
    assert collection.classes == ["crane 0", "kite", "crane 2"]


def test_picture_that_is_neither_embedded_nor_there_is_told(tmp_path):
    table = pa.table(
        {
            "image": pa.array(
                [{"bytes": None, "path": "gone.png"}], pa.struct([("bytes", pa.binary()), ("path", pa.string())])
            )
        }
    )
    pq.write_table(table, tmp_path / "train.parquet")
    picture = next(iter(read("auto", str(tmp_path)).pictures(np.array([0]))))
    with pytest.raises(ValueError, match="can't be read"):
        decode(picture, Frame(3, 8, 8))


def test_bytes_alone_are_pictures_too(tmp_path):
    pq.write_table(pa.table({"image": [PICTURE, PICTURE], "label": ["a", "b"]}), tmp_path / "train.parquet")
    collection = read("auto", str(tmp_path))
    assert list(collection.index["id"]) == ["train/000000", "train/000001"]
    assert [picture == PICTURE for picture in collection.pictures(np.arange(2))] == [True, True]
