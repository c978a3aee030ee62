"""Source `imagenet` reads ImageNet's folders, and every usual list of the validation pictures."""

import shutil

import numpy as np
import pytest

from pt4al.errors import InputError
from pt4al.images import sources
from pt4al.images.sources.imagenet import read, recognises
from support.layouts_imagenet import WNIDS, write_imagenet_folders

NAMES = ["tench", "goldfish", "crane n02012849", "crane n03126707"]


@pytest.fixture
def folder(tmp_path):
    return write_imagenet_folders(tmp_path / "imagenet", np.random.default_rng(0), train=3, val=2)


def val_labels(folder) -> list[str]:
    index = read(str(folder)).index
    return list(index["label"][index["split"] == "val"])


def test_labels_are_the_first_names_of_the_folders_and_the_lists(folder):
    collection = read(str(folder))
    assert collection.classes == NAMES
    assert list(collection.index["split"]) == ["train"] * 12 + ["val"] * 8
    assert list(collection.index["label"]) == [name for name in NAMES for _ in range(3)] + NAMES * 2
    assert collection.index["id"][0] == "train/n01440764/n01440764_0.JPEG"
    assert collection.index["id"][12] == "val/ILSVRC2012_val_00000001.JPEG"


def test_pictures_are_the_files_of_the_asked_rows(folder):
    found = [picture() for picture in read(str(folder)).pictures(np.array([1, 13]))]
    files = [folder / "train" / WNIDS[0] / f"{WNIDS[0]}_1.JPEG", folder / "val" / "ILSVRC2012_val_00000002.JPEG"]
    assert found == [file.read_bytes() for file in files]


def test_classes_without_the_mapping_are_wnids(folder):
    (folder / "LOC_synset_mapping.txt").unlink()
    assert read(str(folder)).classes == WNIDS
    assert val_labels(folder) == WNIDS * 2


def test_validation_pictures_may_lie_in_class_folders(tmp_path):
    folder = write_imagenet_folders(tmp_path, np.random.default_rng(0), train=1, val=2, flat=False)
    assert val_labels(folder) == [name for name in NAMES for _ in range(2)]


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(
    ("name", "line"),
    [("val.txt", "ILSVRC2012_val_{:08d}.JPEG {}"), ("val_annotations.txt", "ILSVRC2012_val_{:08d}.JPEG\t{wnid}\t0\t1")],
)
def test_every_usual_list_gives_the_same_labels(folder, name, line, inside):
    (folder / "LOC_val_solution.csv").unlink()
    order = [3, 2, 1, 0, 0, 1, 2, 3]
    lines = [line.format(number, label, wnid=WNIDS[label]) for number, label in enumerate(order, 1)]
    (folder / ("val" if inside else ".") / name).write_text("\n".join(lines))
    assert val_labels(folder) == [NAMES[label] for label in order]


def test_caffes_numbers_count_all_classes_where_some_folders_are_missing(folder):
    (folder / "LOC_val_solution.csv").unlink()
    shutil.rmtree(folder / "train" / WNIDS[0])
    (folder / "val.txt").write_text("".join(f"ILSVRC2012_val_{number:08d}.JPEG 2\n" for number in range(1, 9)))
    assert set(val_labels(folder)) == {NAMES[2]}


def test_pictures_to_be_tested_have_no_labels(folder):
    (folder / "test").mkdir()
    (folder / "test" / "ILSVRC2012_test_00000001.JPEG").write_bytes(b"a picture")
    last = read(str(folder)).index.iloc[-1]
    assert last["split"] == "test"
    assert last.isna()["label"]


def test_files_that_are_no_pictures_are_not_read(folder):
    (folder / "train" / WNIDS[0] / "readme.txt").write_text("hello")
    assert len(read(str(folder))) == 20


def test_stamp_changes_with_the_file_alone(folder):
    before = read(str(folder)).index["stamp"]
    (folder / "train" / WNIDS[0] / f"{WNIDS[0]}_1.JPEG").write_bytes(b"another")
    after = read(str(folder)).index["stamp"]
    assert list(np.flatnonzero(before != after)) == [1]


def test_flat_validation_pictures_without_a_list_are_an_error_that_names_the_lists(folder):
    (folder / "LOC_val_solution.csv").unlink()
    with pytest.raises(InputError, match=r"val: holds pictures without .*; put one of LOC_val_solution\.csv"):
        read(str(folder))


def test_picture_missing_from_the_list_is_named(folder):
    (folder / "val" / "ILSVRC2012_val_00000099.JPEG").write_bytes(b"a picture")
    with pytest.raises(InputError, match=r"val/ILSVRC2012_val_00000099\.JPEG: is not in the list"):
        read(str(folder))


def test_number_beyond_the_classes_is_named_with_its_line(folder):
    (folder / "LOC_val_solution.csv").unlink()
    (folder / "val.txt").write_text("ILSVRC2012_val_00000001.JPEG 0\nILSVRC2012_val_00000002.JPEG 4\n")
    with pytest.raises(InputError, match=r"val\.txt: line 2 .* names none of the 4 classes"):
        read(str(folder))


def test_class_without_training_pictures_is_named(folder):
    shutil.rmtree(folder / "train" / WNIDS[3])
    with pytest.raises(InputError, match=r"val_00000004\.JPEG: is of class n03126707, which no folder"):
        read(str(folder))


def test_no_training_pictures_are_an_error(tmp_path):
    with pytest.raises(InputError, match=r"train: holds no pictures .*pool\.source\.path"):
        read(str(tmp_path))


def test_tiny_imagenet_is_read_as_it_is_handed_out(tmp_path):
    root = tmp_path / "tiny-imagenet-200"
    for wnid in WNIDS[:2]:
        (root / "train" / wnid / "images").mkdir(parents=True)
        for number in range(2):
            (root / "train" / wnid / "images" / f"{wnid}_{number}.JPEG").write_bytes(b"x")
        (root / "train" / wnid / f"{wnid}_boxes.txt").write_text("")
    for split in ("val", "test"):
        (root / split / "images").mkdir(parents=True)
        (root / split / "images" / f"{split}_0.JPEG").write_bytes(b"x")
    (root / "val" / "val_annotations.txt").write_text(f"val_0.JPEG\t{WNIDS[1]}\t0\t32\t44\t62\n")
    (root / "words.txt").write_text(f"{WNIDS[0]}\ttench, Tinca tinca\n{WNIDS[1]}\tgoldfish\nn00001740\tentity\n")
    (root / "wnids.txt").write_text("\n".join(WNIDS[:2]))
    collection = sources.read("auto", str(tmp_path))  # in a folder of its own, as Kaggle nests it
    assert collection.classes == ["tench", "goldfish"]
    found = collection.index.groupby("split")["label"].agg(list).to_dict()
    assert found["train"] == ["tench", "tench", "goldfish", "goldfish"]
    assert (found["val"], collection.index["label"].isna().sum()) == (["goldfish"], 1)


def test_layout_is_recognised_by_its_folders_names(folder, tmp_path):
    assert recognises(str(folder))
    (tmp_path / "pets" / "train" / "cat").mkdir(parents=True)
    assert not recognises(str(tmp_path / "pets"))
    assert not recognises(str(tmp_path / "nothing"))
