"""Walking a folder takes every visible file, once, in one order, and never goes in a circle."""

import os
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.errors import InputError
from pt4al.images.sources.walk import collect, files, folders, text, visible


def write(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def ids(folder):
    return [file.id for file in files(folder)]


def test_every_extension_is_taken_and_none_too(tmp_path):
    names = ["a/deep/er/noname", "a/x.JPG", "b.txt", "c.jpeg.bak"]
    write(tmp_path, *names)
    assert ids(tmp_path) == names


@pytest.mark.parametrize(
    "name",
    [
        *(".hidden", "._x.jpg", ".DS_Store", "Thumbs.db", "thumbs.db", "desktop.ini", "Desktop.ini", "Icon\r"),
        *("__MACOSX/x.jpg", ".git/x.jpg", ".ipynb_checkpoints/x.jpg", "deep/Thumbs.db", "deep/.cache/x.jpg"),
    ],
)
def test_what_systems_leave_behind_is_ignored(tmp_path, name):
    write(tmp_path, name, "x.jpg")
    assert ids(tmp_path) == ["x.jpg"]


def test_a_root_that_is_hidden_itself_is_read(tmp_path):
    write(tmp_path, ".cache/x.jpg")
    assert ids(tmp_path / ".cache") == ["x.jpg"]


def test_order_is_that_of_the_ids_not_of_the_folders(tmp_path):
    write(tmp_path, "a/x", "a-b/x", "a.jpg")
    assert ids(tmp_path) == sorted(["a/x", "a-b/x", "a.jpg"])


def test_links_to_files_and_folders_are_followed(tmp_path):
    write(tmp_path, "elsewhere/y.jpg", "x.jpg")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to(tmp_path / "elsewhere")
    (root / "again").symlink_to(tmp_path / "elsewhere")
    (root / "file.jpg").symlink_to(tmp_path / "x.jpg")
    assert ids(root) == ["again/y.jpg", "file.jpg", "folder/y.jpg"]


def test_links_in_a_circle_are_walked_once(tmp_path):
    write(tmp_path, "a/x.jpg", "b/y.jpg")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "b").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "a").symlink_to(tmp_path / "a")
    assert ids(tmp_path) == ["a/b/y.jpg", "a/x.jpg", "b/a/x.jpg", "b/y.jpg"]


def test_links_that_lead_nowhere_are_taken_so_that_they_are_reported(tmp_path):
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "round.jpg").symlink_to(tmp_path / "round.jpg")
    assert [(file.id, file.stamp) for file in files(tmp_path)] == [("gone.jpg", ""), ("round.jpg", "")]
    [picture] = collect(tmp_path, files(tmp_path)[:1], []).pictures(np.array([0]))
    with pytest.raises(FileNotFoundError, match=r"gone\.jpg"):
        picture()


def test_a_pipe_is_no_picture(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "pipe.jpg")
    assert ids(tmp_path) == []


@pytest.mark.skipif(sys.platform == "darwin", reason="this system refuses names that aren't UTF-8")
def test_name_that_is_not_utf8_becomes_text_and_its_picture_is_still_read(tmp_path):
    with open(os.fsencode(tmp_path) + b"/caf\xe9.jpg", "wb") as file:  # noqa: PTH123 a path of bytes
        file.write(b"picture")
    collection = collect(tmp_path, files(tmp_path), [])
    assert list(collection.index["id"]) == ["caf\\xe9.jpg"]
    assert [picture() for picture in collection.pictures(np.array([0]))] == [b"picture"]


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_name_in_utf8_is_its_own_text(name):
    assert text(name) == name


@given(st.text(min_size=1).map(lambda name: name.lstrip(".") or "x"))
def test_hidden_is_what_begins_with_a_dot(name):
    assert not visible(f".{name}")


def test_stamp_changes_with_the_time_and_with_the_size_of_a_file_alone(tmp_path):
    write(tmp_path, "x.jpg", "y.jpg")
    before = files(tmp_path)
    os.utime(tmp_path / "x.jpg", ns=(1, 1))
    touched = files(tmp_path)
    assert touched[0].stamp == "5-1"
    assert touched[0].stamp != before[0].stamp
    assert touched[1] == before[1]


def test_folders_are_the_visible_ones_and_links_to_them(tmp_path):
    write(tmp_path, "b/x", ".git/x", "__MACOSX/x", "file")
    (tmp_path / "a").symlink_to(tmp_path / "b")
    assert folders(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("name", ["absent", "x.jpg"])
def test_what_is_no_folder_is_named(tmp_path, name):
    write(tmp_path, "x.jpg")
    with pytest.raises(InputError, match=f"{name}: cannot be listed .*a folder is needed"):
        files(tmp_path / name)


def test_collection_holds_text_alone_and_reads_nothing_until_asked(tmp_path):
    write(tmp_path, "x.jpg", "y.jpg")
    collection = collect(tmp_path, files(tmp_path), ["a"], splits=["train", None], labels=[None, "a"])
    assert list(collection.index) == ["id", "source", "split", "label", "stamp"]
    assert set(collection.index.dtypes.astype(str)) == {"str"}
    assert collection.index["split"].isna().tolist() == [False, True]
    assert list(collection.index["source"]) == [str(tmp_path / "x.jpg"), str(tmp_path / "y.jpg")]
    (tmp_path / "x.jpg").unlink()
    assert [picture() for picture in collection.pictures(np.array([1]))] == [b"y.jpg"]


def test_no_files_make_an_empty_collection(tmp_path):
    collection = collect(tmp_path, files(tmp_path), [])
    assert len(collection) == 0
    assert set(collection.index.dtypes.astype(str)) == {"str"}


def test_folders_that_link_to_each_other_are_refused_soon(tmp_path):
    for name in range(12):  # 12! ways
        (tmp_path / str(name)).mkdir()
        for other in range(12):
            (tmp_path / str(name) / f"to {other}").symlink_to(tmp_path / str(other))
    with pytest.raises(InputError, match="more than 100 ways lead to this folder"):
        files(tmp_path)
