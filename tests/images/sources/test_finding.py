"""What lies at a path is found out; names of splits and of parts of a data set are never classes by a guess."""

import shutil

import numpy as np
import pytest

from pt4al.errors import InputError
from pt4al.images.sources import read
from pt4al.images.sources.parts import is_part, split_of
from support.layouts import patch, save, write_class_folders

RNG = np.random.default_rng(0)
PIXELS = patch(RNG, 0, 1, (8, 8))


def write(folder, *names):
    """Write a small picture at each path."""
    for name in names:
        save(PIXELS, folder / name)
    return str(folder)


def splits(collection) -> dict[str, str]:
    return dict(zip(collection.index["id"], collection.index["split"], strict=True))


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("Train", "train"),
        ("train2017", "train"),
        ("seg_train", "train"),
        ("training_set", "train"),
        ("train-images", "train"),
        ("dev", "val"),
        ("eval", "val"),
        ("valid", "val"),
        ("val_data", "val"),
        ("TESTING", "test"),
        ("test_images", "test"),
        ("holdout", "test"),
        ("Unlabelled", "unlabeled"),
        ("unlabeled2017", "unlabeled"),
        ("seg_pred", "unlabeled"),
        ("train_val2017", "train"),
        ("trainval", "train"),
        ("PublicTest", "test"),
        ("tst", "test"),
        ("bus", None),
        ("test_tube", None),
        ("train_station", None),
        ("train_test", None),
        ("images", None),
        ("2019", None),
        ("", None),
    ],
)
def test_split_is_told_by_a_folders_name(name, split):
    assert split_of(name) == split


@pytest.mark.parametrize(
    ("names", "part"),
    [
        (("images", "Masks", "JPEGImages", "labels ", "annotations", "ImageSets", "ground_truth"), True),
        (("train_masks", "images_001", "fold2", "part 1"), True),
        (("imagesTr", "labelsTs", "test-dev2017", "gt", "JPGs", "anns"), True),
        (("cat", "imagery", "masked", "labels_of_wine", "with_mask", "2019", "folder", ""), False),
    ],
)
def test_parts_are_told_by_a_folders_name(names, part):
    assert [is_part(name) for name in names] == [part] * len(names)


@pytest.mark.parametrize(
    ("folders", "used", "left"),
    [
        (("train", "dev"), {"train", "val"}, ()),
        (("train", "test", "unlabeled"), {"train", "test"}, ("2 files in unlabeled/",)),
        (("seg_train", "seg_test", "seg_pred"), {"train", "test"}, ("2 files in seg_pred/",)),
        (("training_set", "test_set"), {"train", "test"}, ()),
        (("train", "test", "papers"), {"train", "test"}, ("2 files in papers/",)),
        (("labelled", "unlabelled"), {"train"}, ("2 files in unlabelled/",)),
    ],
)
def test_splits_are_no_classes(tmp_path, folders, used, left):
    collection = read("auto", write(tmp_path, *(f"{name}/{of}/1.png" for name in folders for of in ("cat", "dog"))))
    assert collection.classes == ["cat", "dog"]
    assert set(collection.index["split"]) == used
    assert collection.reading.left_out == left


def test_nested_copy_of_a_data_set_is_read_once(tmp_path):
    once = [f"{split}/{name}/1.png" for split in ("train", "test") for name in ("cat", "dog")]
    collection = read("auto", write(tmp_path, *once, *(f"copy/{name}" for name in once)))
    assert list(collection.index["id"]) == sorted(once)
    assert collection.reading.left_out == ("4 files in copy/",)


def test_nested_copy_of_class_folders_is_left_out_and_told(tmp_path):
    once = [f"{name}/1.png" for name in ("Parasitized", "Uninfected")]
    collection = read("auto", write(tmp_path, *once, *(f"cell_images/{name}" for name in once)))
    assert collection.classes == ["Parasitized", "Uninfected"]
    assert collection.reading.left_out == ("2 files in cell_images/",)


def test_folders_that_hold_folders_of_the_same_names_are_told(tmp_path):
    files = [f"{part}/{name}/1.png" for part in ("color", "grayscale") for name in ("Apple", "Grape")]
    (note,) = read("auto", write(tmp_path, *files)).reading.notes
    assert note.startswith("`color`, `grayscale` hold folders of the same names, `Apple`, `Grape`")


@pytest.mark.parametrize("inner", ["seg_train", "train", "images", "data"])
def test_split_in_a_folder_of_its_own_is_gone_into(tmp_path, inner):
    write(tmp_path, f"seg_train/{inner}/cat/1.png", f"seg_train/{inner}/dog/1.png", "seg_test/seg_test/cat/1.png")
    collection = read("auto", str(tmp_path))
    assert collection.classes == ["cat", "dog"]
    assert splits(collection)[f"seg_train/{inner}/cat/1.png"] == "train"


@pytest.mark.parametrize("nested", ["data set", "archive/dataset", "images"])
def test_one_folder_in_another_is_gone_into_and_told(tmp_path, nested):
    write_class_folders(tmp_path / nested, RNG, ("cat", "dog"), pictures=1, size=(8, 8))
    (tmp_path / "README.md").write_text("")
    collection = read("auto", str(tmp_path))
    assert collection.classes == ["cat", "dog"]
    assert collection.reading.place == str(tmp_path / nested)


def test_nothing_is_gone_into_beside_pictures(tmp_path):
    collection = read("auto", write(tmp_path, "trip/cat/1.png", "trip/dog/1.png", "1.png"))
    assert (collection.classes, len(collection)) == ([], 3)


def test_folder_that_leads_into_itself_ends(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path)
    with pytest.raises(InputError, match="holds"):
        read("auto", str(tmp_path))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (("images/1.png", "masks/1.png"), "columns `path` and `mask`"),
        (("images/cat/1.png", "annotations/1.png"), "pool.source.path={path}/images"),
        (("images/train/1.png", "labels/train/1.txt"), "layout of YOLO"),
        (("train/images/1.png", "train/labels/1.txt", "valid/images/1.png", "valid/labels/1.txt"), "layout of YOLO"),
        (("JPEGImages/1.png", "Annotations/1.xml"), "layout of Pascal VOC"),
        (("train/cat/1.png", "bus/1.png"), "`train`"),
        (("val/cat/1.png", "test/cat/1.png"), "need one of the name `train`"),
        (("images/cat/1.png", "meta/train.txt"), "pool.source.path={path}/images"),
        (("fold1/cat/1.png", "fold2/cat/1.png"), "`fold1`, `fold2` are names"),
        (("part1/1.png", "part2/1.png"), "`pool.source.kind=flat`"),
        (("images_001/images/1.png", "images_002/images/1.png"), "columns `path`, `label` and `split`"),
        (("trainA/1.png", "trainB/1.png", "testA/1.png", "testB/1.png"), "`testA`, `trainA`"),
        (("HAM10000_images_part_1/1.png", "HAM10000_images_part_2/1.png"), "`HAM10000_images_part_1`"),
        (("bounding_box_train/1.png", "bounding_box_test/1.png", "query/1.png"), "`bounding_box_train`"),
    ],
)
def test_names_of_parts_are_refused_as_classes_unless_the_kind_is_typed(tmp_path, files, words):
    write(tmp_path, *files)
    with pytest.raises(InputError) as told:
        read("auto", str(tmp_path))
    assert words.format(path=tmp_path) in str(told.value)
    assert "`pool.source.kind=folders`" in str(told.value)
    assert set(read("folders", str(tmp_path)).classes) & {name.split("/")[0] for name in files} or "train/" in files[0]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (("cat/train/1.png", "cat/test/1.png", "dog/train/1.png"), "cat: holds `test`, `train`"),
        (("bottle/train/good/1.png", "bottle/test/crack/1.png", "nut/train/1.png"), "bottle: holds `test`, `train`"),
        (("COVID/images/1.png", "COVID/masks/1.png", "Normal/images/1.png"), "COVID: holds `masks`"),
        (("train/a/1.png", "train/b/images/1.png", "train/b/gt/1.png"), "b: holds `gt`"),
    ],
)
def test_splits_and_masks_inside_class_folders_are_refused_unless_the_kind_is_typed(tmp_path, files, words):
    write(tmp_path, *files)
    with pytest.raises(InputError, match=words):
        read("auto", str(tmp_path))
    assert len(read("folders", str(tmp_path))) == 3


def test_folders_of_classes_may_have_any_other_folders_in_them(tmp_path):
    files = ("train_station/2019/1.png", "test_tube/images/1.png", "cat/part1/1.png", "cat/part2/2.png")
    assert len(read("auto", write(tmp_path, *files)).classes) == 3


def test_pictures_named_like_masks_of_others_are_told(tmp_path):
    files = ("benign/benign (1).png", "benign/benign (1)_mask.png", "normal/2.png", "normal/face_mask.png")
    notes = read("auto", write(tmp_path, *files)).reading.notes
    assert [note.partition(",")[0] for note in notes] == ["1 picture (benign/benign (1)_mask.png)"]


def test_kinds_of_pictures_that_are_not_decoded_are_pictures_all_the_same(tmp_path):
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "IMG_1.HEIC").write_bytes(b"x")
    (tmp_path / "IMG_2.pgm").write_bytes(b"P5 1 1 255 x")
    assert list(read("auto", str(tmp_path)).index["id"]) == ["IMG_2.pgm", "phone/IMG_1.HEIC"]


def test_pictures_without_labels_stay_in_their_splits(tmp_path):
    collection = read("auto", write(tmp_path, "train/1.png", "test/2.png", "else/3.png"))
    assert splits(collection) == {"train/1.png": "train", "test/2.png": "test"}
    assert collection.reading.left_out == ("1 picture in no split (else/3.png)",)
    assert len(read("flat", str(tmp_path))) == 3


def test_unlabelled_test_pictures_beside_labelled_training_ones_are_told(tmp_path):
    collection = read("auto", write(tmp_path, "train/cat/1.png", "train/dog/1.png", "test/9.png"))
    assert collection.reading.left_out == ("1 picture in no class folder of its split (test/9.png)",)


def test_why_folders_are_no_classes_is_told(tmp_path):
    one = write(tmp_path / "one", "cat/1.png", "cat/2.png")
    assert "one folder, `cat`" in read("auto", one).reading.notes[0]
    beside = write(tmp_path / "beside", "cat/1.png", "dog/1.png", "1.png", "2.png")
    assert "2 pictures lie beside 2 folders" in read("auto", beside).reading.notes[0]


def test_table_beside_pictures_is_named(tmp_path):
    write(tmp_path, "1.png")
    (tmp_path / "labels.csv").write_text("path,label\n1.png,cat\n")
    assert f"pool.source.path={tmp_path}/labels.csv" in read("auto", str(tmp_path)).reading.notes[0]


def test_files_that_are_no_pictures_and_empty_classes_are_named(tmp_path):
    write(tmp_path, "cat/1.png", "dog/1.png")
    for name in ("cat/notes.txt", "dog/film.MP4", "docs/paper.pdf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"no picture")
    (tmp_path / "horse").mkdir()
    collection = read("auto", str(tmp_path))
    assert list(collection.index["id"]) == ["cat/1.png", "dog/1.png"]
    assert collection.classes == ["cat", "dog", "horse"]  # an empty folder may be there to name a class
    assert collection.reading.left_out == (
        "3 files that are no pictures (cat/notes.txt, docs/paper.pdf, dog/film.MP4)",
        "2 class folders without pictures (docs, horse)",
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("photo.jpg", b"", "is one picture: name the folder"),
        ("photos.zip", b"PK", "is an archive: unpack it"),
        ("instances_train2017.json", b"{}", "COCO"),
        ("notes.txt", b"x", "tables end in .csv"),
        ("ids.csv", b"image_id;label\nx;cat\n", "has columns image_id;label; needs `path`"),
        ("latin.csv", "path,label\na.png,K\u00e4se\n".encode("latin-1"), "save it as `CSV UTF-8`"),
        ("excel.csv", "path,label\na.png,cat\n".encode("utf-16"), "save it as `CSV UTF-8`"),
        ("other.parquet", b"PAR1", "not a Parquet file"),
        ("saved/data-00000-of-00001.arrow", b"x", "write Parquet instead"),
        ("packed/photos.tar.gz", b"x", "unpack archives"),
        ("configs/a/train-00000-of-00001.parquet", b"PAR1", "pool.source.path=.*/configs/a/train-00000-of"),
        ("unsplit/part-0.parquet", b"PAR1", "is the training split by its name"),
        ("notes/a/x.txt", b"x", "in which no pictures were found"),
        ("empty/.hidden", b"x", "but nothing"),
    ],
)
def test_what_lies_there_instead_is_told(tmp_path, name, content, words):
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    (tmp_path / "configs" / "b").mkdir(parents=True)
    with pytest.raises(InputError, match=words):
        read("auto", str(tmp_path / name.split("/")[0]))


def test_missing_path_is_told(tmp_path):
    with pytest.raises(InputError, match=r"no such file or folder \(`pool.source.path`\)"):
        read("auto", str(tmp_path / "gone"))


def test_links_to_what_is_gone_end_nothing(tmp_path):
    write_class_folders(tmp_path / "a", RNG, ("cat", "dog"), pictures=1, size=(8, 8))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b" / "cat" / "gone.jpg").symlink_to(tmp_path / "nothing")
    assert len(read("auto", str(tmp_path / "b"))) == 3
