"""Source `caltech101` reads the 101 categories from their folders or straight from their tar."""

import io
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pt4al.errors import InputError
from pt4al.images.sources.caltech101 import read, recognises
from support.layouts import write_caltech101

REAL = Path(__file__).parents[3].parent / "shared" / "data" / "caltech101" / "101_ObjectCategories.tar"
CLASSES = ["Faces", "accordion", "yin_yang"]


@pytest.fixture(params=["folder", "tar"])
def caltech(request, tmp_path):
    return write_caltech101(tmp_path, np.random.default_rng(0), CLASSES, pictures=2, tar=request.param == "tar")


def read_all(collection):
    """Read pictures in several threads, as the pool does."""
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(lambda picture: picture(), collection.pictures(np.arange(len(collection)))))


def test_categories_are_the_classes_and_the_background_is_left_out(caltech):
    collection = read(str(caltech))
    assert collection.classes == CLASSES
    assert list(collection.index["id"]) == [f"{name}/image_000{number}.jpg" for name in CLASSES for number in (1, 2)]
    assert list(collection.index["label"]) == [name for name in CLASSES for _ in range(2)]
    assert collection.index["split"].isna().all()
    assert set(collection.index.dtypes.astype(str)) == {"str"}


def test_folder_that_holds_it_will_do(caltech):
    assert read(str(caltech.parent)).index.equals(read(str(caltech)).index)


def test_tar_and_folders_hold_the_same_pictures(tmp_path):
    rng = np.random.default_rng
    folder = read(str(write_caltech101(tmp_path / "folder", rng(0))))
    tar = read(str(write_caltech101(tmp_path / "tar", rng(0), tar=True)))
    assert list(folder.index["id"]) == list(tar.index["id"])
    assert read_all(folder) == read_all(tar)


def test_pictures_are_whole_and_grey_ones_stay_grey(caltech):
    modes = [Image.open(io.BytesIO(content)).mode for content in read_all(read(str(caltech)))]
    assert modes == ["L", "RGB"] * 3


def test_a_tar_is_read_where_it_lies(tmp_path):
    tar = write_caltech101(tmp_path, np.random.default_rng(0), tar=True)
    read_all(read(str(tar)))
    assert list(tmp_path.iterdir()) == [tar]


def test_members_that_systems_or_persons_added_are_left_out(tmp_path):
    tar = write_caltech101(tmp_path, np.random.default_rng(0), CLASSES, pictures=1, tar=True)
    with tarfile.open(tar, "a") as archive:
        for name in ("Faces/._image_0001.jpg", "README", "Faces/.DS_Store"):
            archive.addfile(tarfile.TarInfo(f"101_ObjectCategories/{name}"), io.BytesIO())
        archive.addfile(tarfile.TarInfo("Annotations/Faces/annotation_0001.mat"), io.BytesIO())
    assert list(read(str(tar)).index["id"]) == [f"{name}/image_0001.jpg" for name in CLASSES]


@pytest.mark.parametrize("name", ["101_ObjectCategories.tar.gz", "101_ObjectCategories.tgz"])
def test_compressed_tar_is_to_be_unpacked(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x1f\x8b")
    assert recognises(str(tmp_path / name))
    with pytest.raises(InputError, match=rf"{name}: is compressed, .*unpack it"):
        read(str(tmp_path / name))


@pytest.mark.parametrize("kept", [0, 700, 3000])
def test_tar_that_is_cut_short_is_named(tmp_path, kept):
    tar = write_caltech101(tmp_path, np.random.default_rng(0), tar=True)
    tar.write_bytes(tar.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"101_ObjectCategories\.tar: (not a whole tar|holds no pictures)"):
        read(str(tar))


def test_tar_that_shrinks_after_it_was_listed_is_named(tmp_path):
    tar = write_caltech101(tmp_path, np.random.default_rng(0), tar=True)
    collection = read(str(tar))
    tar.write_bytes(tar.read_bytes()[:700])
    with pytest.raises(OSError, match="ends within a picture"):
        read_all(collection)


def test_tar_of_something_else_is_named(tmp_path):
    tar = tmp_path / "101_ObjectCategories.tar"
    with tarfile.open(tar, "w") as archive:
        archive.add(__file__, "other/cup/image_0001.jpg")
    with pytest.raises(InputError, match="holds no pictures in class folders of `101_ObjectCategories`"):
        read(str(tar))


def test_a_new_tar_has_new_stamps(tmp_path):
    first = read(str(write_caltech101(tmp_path, np.random.default_rng(0), tar=True)))
    second = read(str(write_caltech101(tmp_path, np.random.default_rng(1), tar=True)))
    assert not (first.index["stamp"] == second.index["stamp"]).any()


def test_it_is_recognised_as_itself_and_in_a_folder(caltech):
    assert recognises(str(caltech))
    assert recognises(str(caltech.parent))


def test_renamed_folder_is_recognised_by_its_background(tmp_path):
    folder = write_caltech101(tmp_path, np.random.default_rng(0)).rename(tmp_path / "caltech")
    assert recognises(str(folder))
    assert read(str(folder)).classes == CLASSES


@pytest.mark.parametrize("name", ["", "absent", "absent/absent"])
def test_what_is_absent_is_not_recognised_and_named(tmp_path, name):
    assert not recognises(str(tmp_path / name))
    with pytest.raises(InputError, match="holds neither a folder `101_ObjectCategories` nor"):
        read(str(tmp_path / name))


@pytest.mark.skipif(not REAL.exists(), reason=f"no {REAL}")
def test_the_real_archive_holds_8677_pictures_of_101_classes():
    collection = read(str(REAL))
    assert len(collection) == 8677
    assert len(collection.classes) == 101
    assert collection.index["label"].nunique() == 101
    firsts = np.flatnonzero(~collection.index["label"].duplicated())
    with tarfile.open(REAL) as archive:
        members = [f"101_ObjectCategories/{name}" for name in collection.index["id"].iloc[firsts]]
        expected = [archive.extractfile(member).read() for member in members]
    assert [picture() for picture in collection.pictures(firsts)] == expected
    assert {Image.open(io.BytesIO(content)).format for content in expected} == {"JPEG"}
