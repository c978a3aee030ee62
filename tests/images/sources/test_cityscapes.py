"""Source `cityscapes` brings each street scene together with its mask of 19 classes."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pt4al.errors import InputError
from pt4al.images.opening import BadPicture
from pt4al.images.sources.cityscapes import CLASSES, TRAIN_IDS, read, recognises
from support.layouts import CAR, ROAD, SKY, save, write_cityscapes

SCENE = "train/zurich/zurich_000000_000019"


@pytest.fixture
def folder(tmp_path):
    return write_cityscapes(tmp_path, np.random.default_rng(0), pictures=2)


def masks(collection, *rows):
    return [np.asarray(Image.open(io.BytesIO(mask()))) for mask in collection.masks(np.array(rows))]


def test_splits_are_the_folders_names(folder):
    index = read(str(folder)).index
    assert list(index["split"]) == ["test", "test", "train", "train", "val", "val"]
    assert index["id"].iloc[2] == f"leftImg8bit/{SCENE}_leftImg8bit.png"
    assert index["label"].isna().all()


def test_pictures_are_those_of_the_asked_rows(folder):
    collection = read(str(folder))
    [picture] = [picture() for picture in collection.pictures(np.array([2]))]
    assert picture == (folder / "leftImg8bit" / f"{SCENE}_leftImg8bit.png").read_bytes()


def test_classes_are_the_nineteen_in_the_order_of_their_numbers(folder):
    classes = read(str(folder)).classes
    assert (len(classes), classes[0], classes[13], classes[18]) == (19, "road", "car", "bicycle")


def test_blank_masks_of_the_test_split_are_none(folder):
    collection = read(str(folder))
    assert collection.masked.tolist() == (collection.index["split"] != "test").tolist()


def test_ids_become_the_numbers_of_classes(folder):
    [mask] = masks(read(str(folder)), 2)
    ids = np.asarray(Image.open(folder / "gtFine" / f"{SCENE}_gtFine_labelIds.png"))
    for painted, number in ((ROAD, 0), (SKY, 10), (CAR, 13), (0, 255)):
        assert (ids == painted).any()
        assert (mask[ids == painted] == number).all()


@given(st.integers(0, 255))
def test_every_id_that_is_no_class_is_ignored(number):
    assert TRAIN_IDS[number] == (list(CLASSES).index(number) if number in CLASSES else 255)


def test_masks_with_numbers_of_classes_are_taken_as_they_are(tmp_path):
    mapped = read(str(write_cityscapes(tmp_path / "a", np.random.default_rng(0))))
    ready = read(str(write_cityscapes(tmp_path / "b", np.random.default_rng(0), train_ids=True)))
    rows = np.flatnonzero(mapped.masked)
    np.testing.assert_array_equal(masks(mapped, *rows), masks(ready, *rows))


def test_masks_with_numbers_of_classes_go_before_those_of_ids(folder):
    file = folder / "gtFine" / f"{SCENE}_gtFine_labelTrainIds.png"
    save(np.full((32, 64), 5, np.uint8), file)
    assert [mask() for mask in read(str(folder)).masks(np.array([2]))] == [file.read_bytes()]


def test_picture_without_a_mask_has_none(folder):
    (folder / "gtFine" / f"{SCENE}_gtFine_labelIds.png").unlink()
    collection = read(str(folder))
    assert collection.masked.tolist() == [False, False, False, True, True, True]
    assert len(masks(collection, 3, 4, 5)) == 3


def test_mask_that_was_painted_anew_changes_its_pictures_stamp_alone(folder):
    before = read(str(folder)).index["stamp"]
    save(np.full((2, 2), ROAD, np.uint8), folder / "gtFine" / f"{SCENE}_gtFine_labelIds.png")
    assert (before == read(str(folder)).index["stamp"]).tolist() == [True, True, False, True, True, True]


def test_mask_in_colours_is_refused_by_name(folder):
    save(np.zeros((32, 64, 3), np.uint8), folder / "gtFine" / f"{SCENE}_gtFine_labelIds.png")
    with pytest.raises(BadPicture, match=r"zurich_000000_000019_gtFine_labelIds\.png is not an image of one channel"):
        masks(read(str(folder)), 2)


def test_mask_that_is_broken_is_refused(folder):
    (folder / "gtFine" / f"{SCENE}_gtFine_labelIds.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(BadPicture):
        masks(read(str(folder)), 2)


def test_other_files_and_splits_are_left_out(folder):
    before = len(read(str(folder)))
    for name in ("license.txt", f"{SCENE}_other.png", "train_extra/zurich/zurich_1_1_leftImg8bit.png"):
        path = folder / "leftImg8bit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    assert len(read(str(folder))) == before


@pytest.mark.parametrize("name", ["leftImg8bit", "gtFine"])
def test_missing_half_is_named_and_not_recognised(folder, name):
    assert recognises(str(folder))
    (folder / name).rename(folder / "elsewhere")
    assert not recognises(str(folder))
    with pytest.raises(InputError, match=f"holds no folder `{name}`"):
        read(str(folder))


def test_what_is_absent_is_not_recognised(tmp_path):
    assert not recognises(str(tmp_path / "absent"))
