"""Source `flat` takes every file below a folder, without labels."""

import numpy as np
import pytest

from pt4al.images.sources.flat import read, recognises
from support.layouts import patch, save, write_class_folders

RNG = np.random.default_rng(0)


@pytest.fixture
def album(tmp_path):
    for name in ("b.jpg", "a.png", "trip/c.jpg"):
        save(patch(RNG, 0, 1, (8, 8)), tmp_path / "album" / name)
    return tmp_path / "album"


def test_every_file_is_a_picture_without_label_and_split(album):
    collection = read(str(album))
    assert list(collection.index["id"]) == ["a.png", "b.jpg", "trip/c.jpg"]
    assert collection.index[["label", "split"]].isna().all(axis=None)
    assert collection.classes == []
    assert [picture() for picture in collection.pictures(np.array([2]))] == [(album / "trip" / "c.jpg").read_bytes()]


def test_a_folder_of_pictures_is_recognised(album):
    assert recognises(str(album))


def test_one_folder_in_a_folder_is_no_class(tmp_path, album):
    assert recognises(str(tmp_path))
    assert list(read(str(tmp_path)).index["id"]) == ["album/a.png", "album/b.jpg", "album/trip/c.jpg"]


def test_class_folders_are_not_recognised(tmp_path):
    assert not recognises(str(write_class_folders(tmp_path, RNG, pictures=1)))


@pytest.mark.parametrize("name", ["absent", "empty", "notes", "notes/x.txt"])
def test_what_holds_no_pictures_is_not_recognised(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "x.txt").write_text("")
    assert not recognises(str(tmp_path / name))
