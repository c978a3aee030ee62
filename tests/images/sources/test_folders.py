"""Source `folders` takes classes, and splits where there are any, from the names of folders."""

import io

import numpy as np
import pytest
from PIL import Image

from pt4al.errors import InputError
from pt4al.images.sources.folders import read, recognises
from support.layouts import write_class_folders

RNG = np.random.default_rng(0)


@pytest.fixture
def classes(tmp_path):
    return write_class_folders(tmp_path / "pictures", RNG, ("dog", "bird"), pictures=2)


def test_folders_are_the_classes_in_alphabetical_order(classes):
    collection = read(str(classes))
    assert collection.classes == ["bird", "dog"]
    assert list(collection.index["id"]) == ["bird/0000.jpg", "bird/0001.jpg", "dog/0000.jpg", "dog/0001.jpg"]
    assert list(collection.index["label"]) == ["bird", "bird", "dog", "dog"]
    assert collection.index["split"].isna().all()


def test_pictures_are_those_of_the_asked_rows(classes):
    pictures = [picture() for picture in read(str(classes)).pictures(np.array([1, 2]))]
    assert pictures == [(classes / "bird/0001.jpg").read_bytes(), (classes / "dog/0000.jpg").read_bytes()]
    assert Image.open(io.BytesIO(pictures[0])).size == (32, 32)


def test_files_in_folders_of_a_class_belong_to_it(classes):
    (classes / "bird" / "robin" / "deep").mkdir(parents=True)
    (classes / "bird" / "robin" / "deep" / "x").write_bytes(b"")
    index = read(str(classes)).index.set_index("id")
    assert index.loc["bird/robin/deep/x", "label"] == "bird"


def test_files_beside_class_folders_are_left_out(classes):
    (classes / "README.md").write_text("")
    (classes / "labels.csv").write_text("")
    assert len(read(str(classes))) == 4
    assert recognises(str(classes))


def test_another_picture_changes_no_id(classes):
    before = set(read(str(classes)).index["id"])
    (classes / "bird" / "0000a.jpg").write_bytes(b"")
    assert set(read(str(classes)).index["id"]) == before | {"bird/0000a.jpg"}


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("train", "val", "test"), ["train", "val", "test"]),
        (("training", "validation", "testing"), ["train", "val", "test"]),
        (("Train", "valid"), ["train", "val"]),
        (("train",), ["train"]),
    ],
)
def test_folders_named_after_splits_are_splits(tmp_path, names, splits):
    collection = read(str(write_class_folders(tmp_path, RNG, ("dog", "bird"), pictures=1, splits=names)))
    assert collection.classes == ["bird", "dog"]
    found = dict(zip(collection.index["id"], collection.index["split"], strict=True))
    for name, split in zip(names, splits, strict=True):
        assert found[f"{name}/bird/0000.jpg"] == split
    assert set(collection.index["label"]) == {"bird", "dog"}


def test_classes_are_those_of_all_splits(tmp_path):
    write_class_folders(tmp_path / "train", RNG, ("dog",), pictures=1)
    write_class_folders(tmp_path / "test", RNG, ("cat", "dog"), pictures=1)
    assert read(str(tmp_path)).classes == ["cat", "dog"]


@pytest.mark.parametrize("names", [("train", "bus"), ("val", "test")])
def test_folders_are_classes_unless_all_are_splits_and_one_is_train(tmp_path, names):
    collection = read(str(write_class_folders(tmp_path, RNG, names, pictures=1)))
    assert collection.classes == sorted(names)
    assert collection.index["split"].isna().all()


def test_a_folder_of_pictures_alone_is_told_of_the_other_kind(tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=r"holds no class folders; `pool\.source\.kind: flat`"):
        read(str(tmp_path))
    assert not recognises(str(tmp_path))


def test_class_folders_are_recognised_with_and_without_splits(tmp_path):
    assert recognises(str(write_class_folders(tmp_path / "a", RNG, pictures=1)))
    assert recognises(str(write_class_folders(tmp_path / "b", RNG, pictures=1, splits=("train", "test"))))


@pytest.mark.parametrize("name", ["absent", "absent/absent", "train/x.jpg"])
def test_what_is_absent_or_a_file_is_not_recognised(tmp_path, name):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "x.jpg").write_bytes(b"")
    assert not recognises(str(tmp_path / name))


def test_a_stray_picture_beside_class_folders_is_left_out_by_name(classes):
    (classes / "x.JPG").write_bytes(b"")
    assert recognises(str(classes))
    assert read(str(classes)).reading.left_out == ("1 picture in no class folder (x.JPG)",)


def test_folders_beside_as_many_pictures_are_no_classes(classes):
    for name in ("x.JPG", "y.png"):
        (classes / name).write_bytes(b"")
    assert not recognises(str(classes))
